/** The moments that the time slider can stand on: every quarter of an hour of the last day, and now. Milliseconds. */

export const step = 15 * 60_000;
export const reach = 24 * 60 * 60_000;

export interface Moments {
  first: number;
  /** The begin of the running quarter of an hour. */
  last: number;
  /** Position of "live" on the slider, one after the last moment. */
  live: number;
}

export function momentsAt(now: number): Moments {
  const last = Math.floor(now / step) * step;
  const first = Math.ceil((now - reach) / step) * step;
  return { first, last, live: (last - first) / step + 1 };
}

/** The moment at a position; null is live. */
export function momentOf(position: number, { first, live }: Moments): number | null {
  return position >= live ? null : first + Math.max(0, position) * step;
}

export function positionOf(at: number | null, { first, live }: Moments): number {
  if (at === null) return live;
  return Math.min(live, Math.max(0, Math.round((at - first) / step)));
}

/** A moment from the address of the page: on a quarter of an hour, or null when it is none or out of reach. */
export function readMoment(text: string | null, moments: Moments): number | null {
  const at = text === null ? NaN : Date.parse(text);
  if (Number.isNaN(at)) return null;
  const rounded = Math.floor(at / step) * step;
  return rounded < moments.first || rounded > moments.last ? null : rounded;
}

export function writeMoment(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A moment to compare with at first: six hours before the other, or as far back as there is. */
export function earlierThan(at: number | null, { first, last }: Moments): number {
  return Math.max(first, (at ?? last) - 6 * 60 * 60_000);
}
