/** That new data waits until the operator has signed: nothing of it is stored or shown before. */
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useSession } from '../../app/session';
import { useI18n } from '../../i18n';
import { Notice } from '../../ui/State';

/** The proposal that the operator of the layers has yet to sign before it may process a dataset; null when none is in the way. */
export function awaited(agreements: Agreement[], dataset: string, stack: string): Agreement | null {
  const own = agreements.filter((one) => one.assignee === stack && one.datasets.includes(dataset));
  if (own.some((one) => one.state === 'active')) return null;
  return own.find((one) => one.state === 'proposed' && one.waiting_for.includes(stack)) ?? null;
}

export function Awaited({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const mine = agreement.waiting_for.includes(identity?.participant ?? '');
  return (
    <Notice tone={mine ? 'warn' : 'info'} title={mine ? t.awaited.yours : t.awaited.title(names.participant(agreement.assignee))}>
      <p role="status">{mine ? t.awaited.yoursText(names.participant(agreement.assigner)) : t.awaited.text(names.participant(agreement.assignee))}</p>
      <p><RouteLink to={`/agreements/${agreement.id}`}>{mine ? t.awaited.sign : t.awaited.look}</RouteLink></p>
    </Notice>
  );
}
