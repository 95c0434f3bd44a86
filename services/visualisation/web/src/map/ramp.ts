/** How a value becomes a colour and a class in words: steps of a colour-blind-safe ramp, per observed property. */

/** Light to dark, readable by all forms of colour blindness and in grey. */
export const sequential = ['#f3f2c0', '#a9d8b0', '#52acb8', '#2f6fa8', '#26306f'] as const;
export const ink = ['#16262a', '#16262a', '#16262a', '#ffffff', '#ffffff'] as const;
/** Less to more around no difference; orange and purple stay apart for all. */
export const diverging = ['#b35806', '#f1a340', '#f2f2f2', '#998ec3', '#542788'] as const;
export const missingColour = '#b9c2c4';

export interface Ramp {
  /** Upper bounds of all classes but the last. */
  breaks: number[];
  unit: string;
  /** Whether the value is first divided by the capacity. */
  share: boolean;
}

const ramps: Record<string, Ramp> = {
  occupancy: { breaks: [0.4, 0.6, 0.8, 0.95], unit: '%', share: true },
  free_spaces: { breaks: [25, 100, 200, 400], unit: '{vehicle}', share: false },
  crowd_count: { breaks: [20, 50, 100, 200], unit: '{person}', share: false },
  pm2_5: { breaks: [5, 10, 15, 25], unit: 'ug/m3', share: false },
  pm10: { breaks: [10, 20, 30, 45], unit: 'ug/m3', share: false },
  pm1_0: { breaks: [3, 6, 10, 20], unit: 'ug/m3', share: false },
  temperature: { breaks: [0, 8, 16, 24], unit: 'Cel', share: false },
  relative_humidity: { breaks: [40, 55, 70, 85], unit: '%', share: false },
  vehicle_position: { breaks: [30, 120, 300, 600], unit: 's', share: false },
};

const ranks = new Map(Object.keys(ramps).map((property, index) => [property, index]));

/** The order in which properties are offered: those with a fixed ramp first, then by name. */
export function byRank(a: string, b: string): number {
  return (ranks.get(a) ?? ranks.size) - (ranks.get(b) ?? ranks.size) || a.localeCompare(b);
}

/** The ramp of a property; for one without a fixed ramp, five equal classes of the values at hand. */
export function rampFor(property: string, values: number[], unit: string): Ramp {
  const known = ramps[property];
  if (known) return known;
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (!Number.isFinite(low) || low === high) return { breaks: [], unit, share: false };
  const step = (high - low) / sequential.length;
  return { breaks: [1, 2, 3, 4].map((n) => low + n * step), unit, share: false };
}

/** What the ramp looks at: the value itself, or its share of the capacity. Null when missing. */
export function measure(ramp: Ramp, result: unknown, capacity: unknown): number | null {
  if (typeof result !== 'number' || Number.isNaN(result)) return null;
  if (!ramp.share) return result;
  return typeof capacity === 'number' && capacity > 0 ? result / capacity : null;
}

/** The class of a value, 0 to 4; -1 for a missing one. */
export function classOf(ramp: Ramp, value: number | null): number {
  if (value === null) return -1;
  const at = ramp.breaks.findIndex((bound) => value < bound);
  return at === -1 ? Math.min(ramp.breaks.length, sequential.length - 1) : at;
}

/** Bounds around zero for differences, symmetric, so that no difference is always the middle. */
export function differenceBreaks(values: number[]): [number, number] | null {
  const most = Math.max(0, ...values.map(Math.abs));
  return most === 0 ? null : [most / 2, most / 1000];
}

/** The class of a difference, 0 to 4, with 2 for none. */
export function differenceClass(value: number, [half, tiny]: [number, number]): number {
  if (Math.abs(value) <= tiny) return 2;
  if (value < 0) return value < -half ? 0 : 1;
  return value > half ? 4 : 3;
}
