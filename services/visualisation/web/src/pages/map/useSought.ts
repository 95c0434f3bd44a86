/** A sensor that was looked for and has no place yet: one that moves, in a layer that was off or has not come in. */
import { useState } from 'react';

type Point = [number, number];

/**
 * Gives `go` the place of the sensor as soon as it is known, once, as long as that is the `chosen` one. What comes back
 * says which is looked for; null: none.
 */
export function useSought(chosen: string, placeOf: (sensor: string) => Point | null, go: (point: Point) => void): (sensor: string | null) => void {
  const [sought, setSought] = useState<string | null>(null);
  const found = sought === chosen ? placeOf(chosen) : null;
  if (found) {
    setSought(null);
    go(found);
  }
  return setSought;
}
