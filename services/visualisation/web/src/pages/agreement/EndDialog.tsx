/** Asks once before an agreement is stopped, or a proposal refused or withdrawn; the reason goes to the other party. */
import { useState } from 'react';
import type { Agreement } from '../../api';
import { useLive } from '../../app/live';
import { useNames, type Names } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { everyone } from '../../rights/templates';
import { hasPassed } from '../../rights/words';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { Failure } from '../../ui/State';

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
      {agreement?.state === 'active' ? <GoesOn agreement={agreement} /> : null}
      <TextField label={words?.reason ?? ''} value={reason} onChange={setReason} />
    </ConfirmDialog>
  );
}

/** Other agreements that run for the same data and the same user: by these the use goes on after the stop. */
export function goesOn(ends: Agreement, all: Agreement[], now: Date): Agreement[] {
  return all.filter((one) =>
    one.id !== ends.id && one.state === 'active' && !one.consent && !hasPassed(one.document, now)
    && [ends.assignee, everyone].includes(one.assignee) && one.datasets.some((id) => ends.datasets.includes(id)));
}

function GoesOn({ agreement }: { agreement: Agreement }) {
  const { t, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const now = useNow();
  const all = useResource(`goes on ${agreement.id}`, async (signal) => (await Promise.all(agreement.datasets.map((dataset) => api.exchange.agreements({ state: 'active', dataset }, signal)))).flat());
  if (all.error) return <Failure error={all.error} />;
  const others = goesOn(agreement, [...new Map((all.data ?? []).map((one) => [one.id, one])).values()], now);
  if (others.length === 0) return null;
  return (
    <>
      <p>{t.agreements.goesOn}</p>
      <ul>
        {others.map((one) => (
          <li key={one.id}>
            <RouteLink to={`/agreements/${one.id}`}>{t.agreements.goesOnBy(names.participant(one.assignee), one.datasets.map((id) => names.dataset(id)).join(', '), one.concluded_at ? date(one.concluded_at) : '')}</RouteLink>
          </li>
        ))}
      </ul>
    </>
  );
}
