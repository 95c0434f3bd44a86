/** Asks once before an agreement is stopped, or a proposal refused or withdrawn; the reason goes to the other party. */
import { useState } from 'react';
import type { Agreement } from '../../api';
import { useLive } from '../../app/live';
import { useNames, type Names } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';

interface Words {
  title: string;
  confirm: string;
  text: string;
  reason: string;
  done: string;
}

/** What ending it means for this party: stopping what runs, withdrawing its own proposal, refusing that of the other. */
export function endWords(agreement: Agreement, me: string, t: Messages, names: Pick<Names, 'participant' | 'dataset' | 'isAbroad'>): Words {
  const dataset = agreement.datasets.map((id) => names.dataset(id)).join(', ');
  if (agreement.state !== 'proposed') {
    return { title: t.agreements.stopTitle, confirm: t.agreements.stopConfirm, text: `${t.agreements.stopText(names.participant(agreement.assignee), dataset)} ${againWords(agreement, t, names)}`, reason: t.agreements.stopReason, done: t.agreements.stopped };
  }
  if (me in agreement.signatures) {
    return { title: t.negotiate.withdrawTitle, confirm: t.negotiate.withdraw, text: t.negotiate.withdrawText, reason: t.negotiate.withdrawReason, done: t.negotiate.withdrawnDone };
  }
  return { title: t.agreements.refuseTitle, confirm: t.agreements.refuse, text: t.agreements.refuseText, reason: t.negotiate.refuseReason, done: t.agreements.refusedDone };
}

/** How there can be such an agreement later: with another city all goes by a request of the one that wants the data. */
function againWords({ assigner, assignee }: Agreement, t: Messages, names: Pick<Names, 'isAbroad'>): string {
  if (names.isAbroad(assignee)) return t.agreements.stopAskedAgain;
  return names.isAbroad(assigner) ? t.agreements.stopAskAgain : t.agreements.stopAgain;
}

/** Open while there is an agreement. */
export function EndDialog({ agreement, onClose, onDone }: { agreement: Agreement | null; onClose: () => void; onDone: () => void }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const [reason, setReason] = useState('');
  const words = agreement ? endWords(agreement, identity?.participant ?? '', t, names) : null;
  const end = useAction(async () => {
    if (!agreement || !words) return;
    await api.exchange.end(agreement.id, reason.trim());
    setReason('');
    onClose();
    live(words.done);
    onDone();
  });
  return (
    <ConfirmDialog
      open={agreement !== null} danger busy={end.busy} error={end.error} title={words?.title ?? ''} confirm={words?.confirm ?? ''}
      onClose={() => { end.clear(); onClose(); }} onConfirm={() => void end.run()}
    >
      <p>{words?.text}</p>
      <TextField label={words?.reason ?? ''} value={reason} onChange={setReason} />
    </ConfirmDialog>
  );
}
