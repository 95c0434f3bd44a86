/** Drawing one polygon, as a pure reducer: corners are added, removed, finished or dropped. */

export type Corner = [number, number];

export interface Drawing {
  mode: 'idle' | 'drawing' | 'done';
  corners: Corner[];
}

export type DrawAction =
  | { type: 'start' }
  | { type: 'add'; corner: Corner }
  | { type: 'undo' }
  | { type: 'finish' }
  | { type: 'cancel' };

export const noDrawing: Drawing = { mode: 'idle', corners: [] };

export function draw(state: Drawing, action: DrawAction): Drawing {
  switch (action.type) {
    case 'start':
      return { mode: 'drawing', corners: [] };
    case 'add':
      if (state.mode !== 'drawing' || same(state.corners.at(-1), action.corner)) return state;
      return { ...state, corners: [...state.corners, action.corner] };
    case 'undo':
      if (state.corners.length === 0) return state;
      return { mode: 'drawing', corners: state.corners.slice(0, -1) };
    case 'finish':
      return canFinish(state) ? { ...state, mode: 'done' } : state;
    case 'cancel':
      return noDrawing;
  }
}

export function canFinish(state: Drawing): boolean {
  return state.mode === 'drawing' && state.corners.length >= 3 && !crossesItself(state.corners);
}

function same(a: Corner | undefined, b: Corner): boolean {
  return a !== undefined && a[0] === b[0] && a[1] === b[1];
}

/** Whether two sides of the ring cross; such an area has no clear inside. */
export function crossesItself(corners: Corner[]): boolean {
  const sides = corners.map((corner, index): [Corner, Corner] => [corner, corners[(index + 1) % corners.length] ?? corner]);
  return sides.some(([a, b], i) =>
    sides.some(([c, d], j) => j > i + 1 && !(i === 0 && j === sides.length - 1) && cross(a, b, c, d)),
  );
}

function side(a: Corner, b: Corner, c: Corner): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

function cross(a: Corner, b: Corner, c: Corner, d: Corner): boolean {
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

/** A closed GeoJSON ring, counter-clockwise as RFC 7946 asks. */
export function toPolygon(corners: Corner[]): GeoJSON.Polygon {
  const twice = corners.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = corners[(index + 1) % corners.length] ?? [x, y];
    return sum + (x * nextY - nextX * y);
  }, 0);
  const ring = twice < 0 ? [...corners].reverse() : corners;
  return { type: 'Polygon', coordinates: [[...ring, ...ring.slice(0, 1)]] };
}
