import type { Measure } from '../../api';

/**
 * Measures that still want a decision: their time is not over, and what they foretell, such as a full garage, lies ahead.
 * The page of measures shows all that the service holds as proposed.
 */
export function undecided(all: Measure[], now: Date): Measure[] {
  const past = (moment: unknown) => typeof moment === 'string' && Date.parse(moment) <= now.getTime();
  return all.filter((one) => one.state === 'proposed' && !past(one.valid_to) && !past(one.properties?.['valid_at']));
}
