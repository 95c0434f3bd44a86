import type { Measure } from '../../api';

/** Measures that wait for a decision; those past their time cannot be published any more, also before the service ends them. */
export function undecided(all: Measure[], now: Date): Measure[] {
  return all.filter((one) => one.state === 'proposed' && Date.parse(one.valid_to) > now.getTime());
}

/** Those of them that are still worth a person's time: what is foretold, such as a full garage, lies ahead. */
export function timely(all: Measure[], now: Date): Measure[] {
  const past = (moment: unknown) => typeof moment === 'string' && Date.parse(moment) <= now.getTime();
  return undecided(all, now).filter((one) => !past(one.properties?.['valid_at']));
}
