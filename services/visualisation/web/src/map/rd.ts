/**
 * WGS84 to RD New (EPSG:28992) and the area of a polygon. The polynomial approximation of
 * F.H. Schreutelkamp and G.L. Strang van Hees, good to about a decimetre in the Netherlands.
 */
const rx: [number, number, number][] = [
  [0, 1, 190094.945], [1, 1, -11832.228], [2, 1, -114.221], [0, 3, -32.391], [1, 0, -0.705],
  [3, 1, -2.34], [1, 3, -0.608], [0, 2, -0.008], [2, 3, 0.148],
];
const ry: [number, number, number][] = [
  [1, 0, 309056.544], [0, 2, 3638.893], [2, 0, 73.077], [1, 2, -157.984], [3, 0, 59.788],
  [0, 1, 0.433], [2, 2, -6.439], [1, 1, -0.032], [0, 4, 0.092], [1, 4, -0.054],
];

/** x and y in metres; null outside the area where RD New is meant to be used. */
export function toRdNew(longitude: number, latitude: number): [number, number] | null {
  if (longitude < 3.2 || longitude > 7.3 || latitude < 50.6 || latitude > 53.8) return null;
  const phi = 0.36 * (latitude - 52.1551744);
  const lambda = 0.36 * (longitude - 5.38720621);
  const sum = (terms: [number, number, number][]) =>
    terms.reduce((total, [p, q, factor]) => total + factor * phi ** p * lambda ** q, 0);
  return [155000 + sum(rx), 463000 + sum(ry)];
}

/** Longitude and latitude of x and y in metres: the approximation above, solved by Newton's method to a centimetre. */
export function fromRdNew(x: number, y: number): [number, number] | null {
  // The origin lies at Amersfoort; a degree is some 68,400 m by 111,200 m there.
  let [longitude, latitude] = [5.38720621 + (x - 155000) / 68_400, 52.1551744 + (y - 463000) / 111_200];
  for (let round = 0; round < 20; round += 1) {
    const here = toRdNew(longitude, latitude);
    if (!here) return null;
    const [east, north] = [x - here[0], y - here[1]];
    if (Math.hypot(east, north) < 0.01) return [longitude, latitude];
    longitude += east / 68_400;
    latitude += north / 111_200;
  }
  return null;
}

/** Area in hectares of a ring of longitude and latitude, computed in RD New. */
export function hectares(ring: [number, number][]): number {
  const points = ring.map(([lon, lat]) => toRdNew(lon, lat)).filter((p): p is [number, number] => p !== null);
  let twice = 0;
  for (const [index, [x, y]] of points.entries()) {
    const [nextX, nextY] = points[(index + 1) % points.length] ?? [x, y];
    twice += x * nextY - nextX * y;
  }
  return Math.abs(twice) / 2 / 10_000;
}
