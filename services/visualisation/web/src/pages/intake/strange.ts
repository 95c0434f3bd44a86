/** What a file brings into a dataset that measures something else. */
import type { Datastream, Measured } from '../../api';

export interface Strange {
  /** What the dataset does not measure, or in another unit. */
  fresh: Measured[];
  held: Measured[];
}

/** Null when the dataset measures all of it in the same units, or nothing at all yet. */
export function strange(properties: Measured[], streams: Pick<Datastream, 'observed_property' | 'unit'>[]): Strange | null {
  const held = new Map(streams.map((one) => [`${one.observed_property} ${one.unit}`, { name: one.observed_property, unit: one.unit }]));
  const fresh = properties.filter((one) => !held.has(`${one.name} ${one.unit}`));
  return held.size === 0 || fresh.length === 0 ? null : { fresh, held: [...held.values()] };
}
