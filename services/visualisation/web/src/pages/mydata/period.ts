/** The part of a day, on the city's clock, in which one looks for a measurement. */
import { fromCityInput, toCityInput } from '../../i18n/cityTime';

const hour = 3_600_000;

/** Beginning and end of a day (2026-11-22), or of the hour in it that begins at `from` (milliseconds, as text). */
export function periodOf(day: string, from: string): { from: Date; to: Date } {
  if (from !== '') return { from: new Date(Number(from)), to: new Date(Number(from) + hour) };
  const start = fromCityInput(`${day}T00:00`);
  // Noon of the next day lies 35 to 37 hours on, whichever way the clock moves; its date is the next one.
  const next = toCityInput(fromCityInput(`${day}T12:00`) + 24 * hour).slice(0, 10);
  return { from: new Date(start), to: new Date(fromCityInput(`${next}T00:00`)) };
}

/** The hours of a day that can be chosen, by their beginning in milliseconds: 23, 24 or 25 of them. */
export function hoursOf(day: string): number[] {
  const { from, to } = periodOf(day, '');
  return Array.from({ length: (to.getTime() - from.getTime()) / hour }, (_, at) => from.getTime() + at * hour);
}

/** Whether this is a day, and none that is still to come. */
export function isPast(day: string, now: number): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day)) && day <= toCityInput(now).slice(0, 10);
}
