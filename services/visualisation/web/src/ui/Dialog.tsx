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
  danger?: boolean;
  busy?: boolean;
  error?: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function ConfirmDialog({ open, title, confirm, danger, busy, error, onConfirm, onClose, children }: Props) {
  const { t } = useI18n();
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog ref={ref} className="dmi-dialog" aria-labelledby={titleId} onClose={onClose}>
      {open ? (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            onConfirm();
          }}
        >
          <Heading2 id={titleId}>{title}</Heading2>
          <div className="dmi-stack">{children}</div>
          {error ? <Failure error={error} /> : null}
          <div className="dmi-actions">
            <PrimaryActionButton type="submit" hint={danger ? 'danger' : undefined} busy={busy} disabled={busy}>
              {confirm}
            </PrimaryActionButton>
            <SecondaryActionButton type="button" onClick={onClose}>
              {t.common.cancel}
            </SecondaryActionButton>
          </div>
        </form>
      ) : null}
    </dialog>
  );
}
