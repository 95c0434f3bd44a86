/** Before conditions are taken: what one agrees to and signs, for how long, and how it ends. */
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
  /** Whether they are the answer to a question of one's own, which the other side has yet to sign. */
  answer?: boolean;
  busy: boolean;
  error: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function Agree({ open, document, title, answer = false, busy, error, onConfirm, onClose }: Props) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const { until } = outline(document);
  const told = { ...names, dataset: () => title };
  return (
    <ConfirmDialog open={open} read busy={busy} error={error} title={answer ? t.nodes.acceptTitle : t.nodes.agreeTitle} confirm={answer ? t.nodes.acceptConfirm : t.nodes.agreeConfirm} onConfirm={onConfirm} onClose={onClose}>
      <p>{(answer ? t.nodes.acceptText : t.nodes.agreeText)(names.participant(document.assignee), names.participant(document.assigner))} {t.nodes.agreeSigns}</p>
      <ul className="dmi-edits">{inWords(document, i18n, told).map((line) => <li key={line}>{line}</li>)}</ul>
      <p>{until ? t.nodes.agreeUntil(moment(until)) : t.nodes.agreeNoEnd} {t.nodes.agreeStop}</p>
    </ConfirmDialog>
  );
}
