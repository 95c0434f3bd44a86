/**
 * The clock of the city. Times of its data are shown in its own zone, whatever the browser's is: an advice that says
 * "full at 19:45", the card around it and the person who reads both elsewhere then speak of one moment.
 */

/** People park and travel by its wall clock; the support centre's advice is written in the same zone (`DMI_ZONE`). */
export const cityZone = 'Europe/Amsterdam';

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  });
  clocks.set(zone, made);
  return made;
}

/** How far a zone's wall clock is ahead of UTC at a moment; milliseconds. */
export function offsetAt(at: number, zone = cityZone): number {
  const parts = Object.fromEntries(clockOf(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)])) as Record<string, number>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** Whether a zone's clock is another than the city's, in winter or in summer; Brussels' is the same. */
export function isElsewhere(zone: string, year = new Date().getUTCFullYear()): boolean {
  return [0, 6].some((month) => offsetAt(Date.UTC(year, month, 1), zone) !== offsetAt(Date.UTC(year, month, 1)));
}

/** A moment as a field for date and time wants it, on the city's clock. */
export function toCityInput(at: number): string {
  return new Date(at + offsetAt(at)).toISOString().slice(0, 16);
}

/** The moment (milliseconds) of a date and time on the city's clock; NaN when the text is none. */
export function fromCityInput(text: string): number {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return NaN;
  // The offset holds at the moment itself, which is near enough to find it; what the clock skips in spring becomes an hour later.
  return wall - offsetAt(wall - offsetAt(wall));
}
