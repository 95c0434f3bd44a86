/** Numbers, units, dates and names in the language's own form. Missing is a word, never a zero. */
import type { Text } from '../api/types';
import { cityZone } from './cityTime';

export type Language = 'nl' | 'en';
export const languages: Language[] = ['nl', 'en'];

const locale: Record<Language, string> = { nl: 'nl-NL', en: 'en-GB' };

const makers = new Map<string, Intl.NumberFormat>();

/** Formatters are kept: to make one costs more than to write ten thousand numbers with it. */
function numbers(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = makers.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat(locale[language], options);
  makers.set(key, made);
  return made;
}

/** Text as a service gave it, in the asked language, or in the other one when it is the only one. */
export function say(text: Text | null | undefined, language: Language): string {
  if (text === null || text === undefined) return '';
  if (typeof text === 'string') return text;
  return text[language] ?? text.nl ?? text.en ?? Object.values(text)[0] ?? '';
}

export function formatNumber(value: number, language: Language, digits = 0): string {
  return numbers(language, {
    maximumFractionDigits: digits,
    minimumFractionDigits: 0,
  }).format(value);
}

/** With exactly so many digits, for figures that stand above each other. */
export function formatFixed(value: number, language: Language, digits: number): string {
  return numbers(language, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

/** Whole cents as euros, with both digits of the cents. */
export function formatMoney(cents: number, language: Language): string {
  return numbers(language, { style: 'currency', currency: 'EUR' }).format(cents / 100);
}

/** A place of the Netherlands as it is written on paper, latitude first; five digits are a metre. */
export function formatPlace([longitude, latitude]: [number, number], language: Language): string {
  const degrees = (value: number) => `${numbers(language, { minimumFractionDigits: 5, maximumFractionDigits: 5 }).format(value)}°`;
  return language === 'nl' ? `${degrees(latitude)} N.B., ${degrees(longitude)} O.L.` : `${degrees(latitude)} N, ${degrees(longitude)} E`;
}

/** Rounds to what a reader can use: three figures below 100, whole numbers from there. */
export function digitsFor(value: number): number {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return 0;
  return size >= 10 ? 1 : 2;
}

export function formatSigned(value: number, language: Language, digits = digitsFor(value)): string {
  return numbers(language, {
    maximumFractionDigits: digits,
    signDisplay: 'exceptZero',
  }).format(value);
}

export function formatPercent(share: number, language: Language, digits = 0, signed = false): string {
  return numbers(language, {
    style: 'percent',
    maximumFractionDigits: digits,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(share);
}

const units: Record<string, { nl: string; en: string }> = {
  '{vehicle}': { nl: 'auto’s', en: 'cars' },
  '{person}': { nl: 'personen', en: 'people' },
  '{person}/min': { nl: 'personen per minuut', en: 'people a minute' },
  'ug/m3': { nl: 'µg/m³', en: 'µg/m³' },
  Cel: { nl: '°C', en: '°C' },
  '%': { nl: '%', en: '%' },
  'dB[SPL]': { nl: 'dB', en: 'dB' },
  hPa: { nl: 'hPa', en: 'hPa' },
  V: { nl: 'V', en: 'V' },
  s: { nl: 's', en: 's' },
  m: { nl: 'm', en: 'm' },
  m2: { nl: 'm²', en: 'm²' },
  'm2/{person}': { nl: 'm² per inwoner', en: 'm² a person' },
  kEUR: { nl: '× € 1.000', en: '× €1,000' },
  '1': { nl: '', en: '' },
};

/** A UCUM unit as people write it. */
export function formatUnit(unit: string | null | undefined, language: Language): string {
  if (!unit) return '';
  return units[unit]?.[language] ?? unit.replaceAll(/[{}]/g, '');
}

export function formatBytes(size: number, language: Language): string {
  const scales: [number, string][] = [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']];
  const [scale, unit] = scales.find(([one]) => size >= one) ?? [1, 'bytes'];
  return `${formatNumber(size / scale, language, 1)} ${unit}`;
}

/** The unit that the key of a property of a place tells; empty for a count. */
export function unitOfFigure(key: string): string {
  if (key === 'mean_income') return 'kEUR';
  return key.endsWith('_m2') ? 'm2' : key.endsWith('_m') ? 'm' : '';
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** A moment on the city's clock; formatters are kept, as those of numbers are. */
function onClock(at: string | Date, language: Language, options: Intl.DateTimeFormatOptions): string {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = clocks.get(key) ?? new Intl.DateTimeFormat(locale[language], { timeZone: cityZone, ...options });
  clocks.set(key, known);
  return known.format(new Date(at));
}

const hourAndMinute = { hour: '2-digit', minute: '2-digit' } as const;

/** With `named` the zone stands behind the time, for who is elsewhere: 19:24 CET. */
export function formatTime(at: string | Date, language: Language, named = false): string {
  return onClock(at, language, { ...hourAndMinute, ...(named ? { timeZoneName: 'short' } : {}) });
}

export function formatDate(at: string | Date, language: Language): string {
  return onClock(at, language, { day: 'numeric', month: 'long', year: 'numeric' });
}

export function formatMoment(at: string | Date, language: Language, seconds = false, named = false): string {
  return onClock(at, language, {
    day: 'numeric', month: 'short', year: 'numeric', ...hourAndMinute,
    ...(seconds ? { second: '2-digit' } : {}),
    ...(named ? { timeZoneName: 'short' } : {}),
  });
}

/** How long ago, in one unit: "3 minuten geleden". */
export function formatAge(at: string | Date, now: Date, language: Language): string {
  const seconds = Math.round((new Date(at).getTime() - now.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(locale[language], { numeric: 'auto' });
  const size = Math.abs(seconds);
  if (size < 60) return words.format(seconds, 'second');
  if (size < 3_600) return words.format(Math.trunc(seconds / 60), 'minute');
  if (size < 86_400) return words.format(Math.trunc(seconds / 3_600), 'hour');
  return words.format(Math.trunc(seconds / 86_400), 'day');
}

const licences: [RegExp, string][] = [
  [/creativecommons\.org\/publicdomain\/zero\/1\.0|^CC0-1\.0$/, 'CC0 1.0'],
  [/creativecommons\.org\/licenses\/by\/4\.0|^CC-BY-4\.0$/, 'CC BY 4.0'],
  [/creativecommons\.org\/licenses\/by-sa\/4\.0|^CC-BY-SA-4\.0$/, 'CC BY-SA 4.0'],
];

/** A licence by the name that people know; another address stays as it is, without its scheme. */
export function licenceName(licence: string): string {
  return licences.find(([known]) => known.test(licence))?.[1] ?? licence.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** The source of a dataset; that of the demonstration city is a single text, and is read in both languages. */
export function sourceName(source: string, language: Language): string {
  return language === 'nl' ? source.replace(/, demonstration$/, ', demonstratie') : source;
}

/** The name of a thing from that of its datastream, which may end in the slug of what is observed. */
export function thingName(name: string, property: string | null | undefined): string {
  return property && name.endsWith(` ${property}`) ? name.slice(0, -property.length - 1) : name;
}

/** The last, readable part of an id, for when no title is known. */
export function shortId(id: string): string {
  const last = id.split(':').at(-1) ?? id;
  return /^[0-9a-f]{8}-/.test(last) ? last.slice(0, 8) : last;
}

/** A word or sentence with its first letter large, as at the head of a column. */
export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
