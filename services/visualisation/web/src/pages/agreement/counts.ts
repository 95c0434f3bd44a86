import type { Duty } from '../../api';

/** How many duties of an agreement are open, confirmed, and carried out by the node itself. */
export function dutyCounts(duties: Duty[], agreement: string): { open: number; done: number; automatic: number } {
  const own = duties.filter((one) => one.agreement === agreement);
  const owed = own.filter((one) => one.carried_out === 'party');
  const done = owed.filter((one) => one.performed !== null).length;
  return { open: owed.length - done, done, automatic: own.length - owed.length };
}
