/** Reads coordinates as people type or paste them, in WGS84 or RD New, in either order where that is plain. */
import { fromRdNew, toRdNew } from './rd';

export interface TypedPlace {
  system: 'wgs84' | 'rd';
  /** Longitude and latitude in WGS84. */
  point: [number, number];
}

/** Degrees may carry their direction, in one letter or as N.B. and O.L. */
const direction = '\\s*°?\\s*(?:[NnOoEe](?:\\.?[BbLl]\\.?)?)?';
const pair = new RegExp(`^\\s*(-?\\d+(?:[.,]\\d+)?)${direction}(?:\\s*[;,]\\s+|\\s*;\\s*|\\s+|,)(-?\\d+(?:[.,]\\d+)?)${direction}\\s*$`);

/** Null when the text is no pair of coordinates in or near the Netherlands. */
export function readCoordinates(text: string): TypedPlace | null {
  const found = pair.exec(text);
  if (!found) return null;
  const [first, second] = [found[1], found[2]].map((part) => Number((part ?? '').replace(',', '.'))) as [number, number];
  const latitude = [first, second].find(isLatitude);
  const longitude = [first, second].find(isLongitude);
  if (latitude !== undefined && longitude !== undefined) return { system: 'wgs84', point: [longitude, latitude] };
  if (first >= -7_000 && first <= 300_000 && second >= 289_000 && second <= 629_000) {
    const point = fromRdNew(first, second);
    // What does not come back to where it began lies outside the area where RD New holds.
    return point && toRdNew(...point) ? { system: 'rd', point } : null;
  }
  return null;
}

function isLatitude(value: number): boolean {
  return value >= 50.6 && value <= 53.8;
}

function isLongitude(value: number): boolean {
  return value >= 3.2 && value <= 7.3;
}
