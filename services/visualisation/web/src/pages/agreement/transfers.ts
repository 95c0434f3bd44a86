/** Where a delivery between two cities stands. */
import type { Transfer } from '../../api';
import type { Messages } from '../../i18n/nl';
import type { BadgeTone } from '../../ui/Badge';

/** By the names of the exchange: a stream that goes on, and a fetch of what there is. */
export const formats = { live: 'ServerSentEvents-PULL', once: 'HttpData-PULL' } as const;

export function isOpen(one: Pick<Transfer, 'state'>): boolean {
  return one.state !== 'COMPLETED' && one.state !== 'TERMINATED';
}

/** Rows that came in or went out. */
export function amountOf(one: Pick<Transfer, 'data'>): number {
  return 'received' in one.data ? one.data.received : one.data.sent;
}

/** Whether a delivery that runs meets a fault, so that nothing comes for now. */
export function isFailing(one: Pick<Transfer, 'state' | 'reason'>): boolean {
  return one.state === 'STARTED' && Boolean(one.reason);
}

export function standingOf(one: Pick<Transfer, 'state' | 'reason'>, t: Messages): [BadgeTone, string] {
  if (isFailing(one)) return ['warn', t.delivery.failing];
  const states: Record<string, [BadgeTone, string]> = {
    REQUESTED: ['info', t.delivery.requested], STARTED: ['good', t.delivery.started], SUSPENDED: ['warn', t.delivery.suspended],
    COMPLETED: ['neutral', t.delivery.completed], TERMINATED: ['bad', t.delivery.terminated],
  };
  return states[one.state] ?? ['neutral', one.state];
}
