import type { Feature, Geometry } from 'geojson';

/** West, south, east and north around geometries; null when there are none. */
export function boundsOf(geometries: (Geometry | null)[]): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === 'number' && typeof part[1] === 'number') {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
    } else part.forEach(visit);
  };
  for (const geometry of geometries) if (geometry && 'coordinates' in geometry) visit(geometry.coordinates);
  return Number.isFinite(box[0]) ? box : null;
}

/** What a map opens on: its background, and where that has no places, in a new city, or is absent, what its layers show. */
export function openingBox(background: Feature<Geometry | null>[], layered: Feature<Geometry | null>[]): ReturnType<typeof boundsOf> {
  return boundsOf(background.map((one) => one.geometry)) ?? boundsOf(layered.map((one) => one.geometry));
}
