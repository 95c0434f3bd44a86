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

/** `sensor`: on the page where one adds a sensor, which has to wait as well. */
export function Awaited({ agreement, sensor = false }: { agreement: Agreement; sensor?: boolean }) {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const mine = agreement.waiting_for.includes(identity?.participant ?? '');
  const operator = names.participant(agreement.assignee);
  return (
    <Notice tone={mine ? 'warn' : 'info'} title={mine ? t.awaited.yours : t.awaited.title(operator)}>
      <p role="status">{mine ? t.awaited.yoursText(names.participant(agreement.assigner)) : sensor ? t.awaited.sensor(operator) : t.awaited.text(operator)}</p>
      <p><RouteLink to={`/agreements/${agreement.id}`}>{mine ? t.awaited.sign : t.awaited.look}</RouteLink></p>
    </Notice>
  );
}
