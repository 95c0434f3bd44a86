/** With whom something can be agreed. */
import type { Participant } from '../api/types';

/** The exchange itself, whose key signs tokens; it is an operator too. */
export const exchange = 'urn:dmi:participant:exchange';

/** The organisations that take part: neither who left, nor the exchange itself, which uses nothing. */
export function partiesOf(participants: Participant[]): Participant[] {
  return participants.filter((one) => one.active !== false && one.id !== exchange && !one.id.startsWith('urn:dmi:person:'));
}
