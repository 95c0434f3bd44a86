/** Before conditions are taken as they are offered: what one agrees to, for how long, and how it ends. */
import type { OdrlDocument } from '../../api';
import type { ApiError } from '../../api/problem';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { inWords, outline } from '../../rights/words';
import { ConfirmDialog } from '../../ui/Dialog';

interface Props {
  open: boolean;
  /** What is offered, with who offers and who asks in it. */
  document: OdrlDocument;
  title: string;
  busy: boolean;
  error: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function Agree({ open, document, title, busy, error, onConfirm, onClose }: Props) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const { until } = outline(document);
  const told = { ...names, dataset: () => title };
  return (
    <ConfirmDialog open={open} read busy={busy} error={error} title={t.nodes.agreeTitle} confirm={t.nodes.agreeConfirm} onConfirm={onConfirm} onClose={onClose}>
      <p>{t.nodes.agreeText(names.participant(document.assignee), names.participant(document.assigner))}</p>
      <ul className="dmi-edits">{inWords(document, i18n, told).map((line) => <li key={line}>{line}</li>)}</ul>
      <p>{until ? t.nodes.agreeUntil(moment(until)) : t.nodes.agreeNoEnd} {t.nodes.agreeStop}</p>
    </ConfirmDialog>
  );
}
