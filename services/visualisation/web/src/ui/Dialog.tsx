/** One question before something final, on the browser's own modal dialog: it holds the focus and gives it back. */
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Heading2, PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { ApiError } from '../api/problem';
import { useI18n } from '../i18n';
import { Failure } from './State';

interface Props {
  open: boolean;
  title: string;
  confirm: string;
  /** What leaving does, where it is more than not to go on. */
  cancel?: string;
  danger?: boolean;
  /** Whether there is much to read first: then the focus begins at the title, not at what confirms. */
  read?: boolean;
  busy?: boolean;
  error?: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function ConfirmDialog({ open, title, confirm, cancel, danger, read, busy, error, onConfirm, onClose, children }: Props) {
  const { t } = useI18n();
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      if (read) dialog.querySelector<HTMLElement>('h2')?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open, read]);
  return (
    <dialog
      ref={ref} className="dmi-dialog" aria-labelledby={titleId}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        // Closed by the state alone: else the focus is back before the page knows, and what is pressed then does nothing.
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        // The event comes late: by then it may be open again.
        if (ref.current?.open !== true) onClose();
      }}
    >
      {open ? (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy) onConfirm();
          }}
        >
          <Heading2 id={titleId} tabIndex={read ? -1 : undefined}>{title}</Heading2>
          <div className="dmi-stack">{children}</div>
          {error ? <Failure error={error} /> : null}
          <div className="dmi-actions">
            {/* Not `disabled`, which loses the focus: after an error it would begin past this button. */}
            <PrimaryActionButton type="submit" hint={danger ? 'danger' : undefined} busy={busy} aria-disabled={busy ? true : undefined}>
              {confirm}
            </PrimaryActionButton>
            <SecondaryActionButton type="button" onClick={onClose}>
              {cancel ?? t.common.cancel}
            </SecondaryActionButton>
          </div>
        </form>
      ) : null}
    </dialog>
  );
}
