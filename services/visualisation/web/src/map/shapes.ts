/** The marks of the map: each layer of points has a shape of its own, so that it is known without its colour. */

export const shapes = ['circle', 'square', 'diamond', 'hexagon', 'triangle'] as const;
export type Shape = (typeof shapes)[number];

/** Pixels from the middle to the edge, so that each shape holds the same letters. */
const reach: Record<Shape, number> = { circle: 15, square: 13.5, diamond: 19, hexagon: 14.5, triangle: 10.5 };
const side = 48;
/** Fields of distances as MapLibre reads them: the edge at three quarters, eight pixels from full to none. */
const edge = 0.75;
const spread = 8;

/** The distance in pixels from a point to the edge of a shape around the origin; negative inside. */
export function distanceTo(shape: Shape, x: number, y: number): number {
  const [ax, ay] = [Math.abs(x), Math.abs(y)];
  const size = reach[shape];
  switch (shape) {
    case 'circle':
      return Math.hypot(x, y) - size;
    case 'square':
      return Math.max(ax, ay) - size;
    case 'diamond':
      return (ax + ay - size) / Math.SQRT2;
    case 'hexagon':
      return Math.max(ay, ax * Math.sin(Math.PI / 3) + ay / 2) - size;
    case 'triangle':
      // It stands on its point, so that the letters stand where it is wide.
      return Math.max(-y - 12, (33 * ax + 19 * y) / 38.08 - size);
  }
}

/** An image of distances: MapLibre fills it with any colour and draws a rim around it, sharp at every size. */
export function distanceField(shape: Shape): { width: number; height: number; data: Uint8ClampedArray } {
  const data = new Uint8ClampedArray(side * side * 4);
  const middle = (side - 1) / 2;
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const distance = distanceTo(shape, column - middle, row - middle);
      data[(row * side + column) * 4 + 3] = Math.round(255 * (edge - distance / spread));
    }
  }
  return { width: side, height: side, data };
}

/** The outline of a shape in a box of 20 by 20, for keys of a legend. */
export const outlines: Record<Shape, string> = {
  circle: 'M10 2a8 8 0 110 16 8 8 0 010-16z',
  square: 'M3 3h14v14H3z',
  diamond: 'M10 1l9 9-9 9-9-9z',
  hexagon: 'M1 10l4.5-7.8h9L19 10l-4.5 7.800h-9z',
  triangle: 'M1 3h18L10 18.500z',
};

const still: Shape[] = ['circle', 'square', 'diamond', 'triangle'];

/**
 * A shape for each layer of points; vehicles are always hexagons. A layer keeps the shape under which it is `known`;
 * a new one takes, in the order of ids, the shape that the fewest layers have.
 */
export function shapesOf(layers: { id: string; kind: string }[], known: ReadonlyMap<string, Shape> = new Map()): Map<string, Shape> {
  const shapes = new Map<string, Shape>(known);
  const points = layers.filter((layer) => layer.kind === 'points').map((layer) => layer.id).sort();
  const taken = points.flatMap((id) => known.get(id) ?? []);
  for (const id of points) {
    if (shapes.has(id)) continue;
    const uses = (shape: Shape) => taken.filter((one) => one === shape).length;
    const least = still.reduce((best, shape) => (uses(shape) < uses(best) ? shape : best));
    taken.push(least);
    shapes.set(id, least);
  }
  for (const layer of layers) if (layer.kind === 'vehicles') shapes.set(layer.id, 'hexagon');
  return shapes;
}

const storageKey = 'dmi.shapes';

/** The shapes that this browser has shown before; what cannot be read counts as none. */
export function storedShapes(): Map<string, Shape> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return new Map();
    return new Map(Object.entries(stored).filter((one): one is [string, Shape] => shapes.includes(one[1] as Shape)));
  } catch {
    return new Map();
  }
}

export function storeShapes(found: ReadonlyMap<string, Shape>) {
  localStorage.setItem(storageKey, JSON.stringify(Object.fromEntries(found)));
}
