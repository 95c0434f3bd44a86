import type { Measure } from '../../api';

/** Measures that wait for a decision; those past their time cannot be published any more, also before the service ends them. */
export function undecided(all: Measure[], now: Date): Measure[] {
  return all.filter((one) => one.state === 'proposed' && Date.parse(one.valid_to) > now.getTime());
}
