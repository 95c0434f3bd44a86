import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { browserZone, isElsewhere } from './cityTime';
import { en } from './en';
import * as format from './format';
import type { Language } from './format';
import { nl, type Messages } from './nl';

const messages: Record<Language, Messages> = { nl, en };
const storageKey = 'dmi.language';

export interface I18n {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Messages;
  number: (value: number | null | undefined, digits?: number) => string;
  /** With exactly so many digits, so that figures of a column stand alike: 19,0 above 10,1. */
  fixed: (value: number | null | undefined, digits: number) => string;
  /** Whole cents as euros: € 12,34. */
  money: (cents: number | null | undefined) => string;
  signed: (value: number | null | undefined, digits?: number) => string;
  percent: (share: number | null | undefined, digits?: number, signed?: boolean) => string;
  unit: (unit: string | null | undefined) => string;
  /** Value and unit together; says "no data" when the value is missing. */
  quantity: (value: number | string | null | undefined, unit: string | null | undefined) => string;
  /** A property of a place with its unit; a year stands without a separator of thousands. */
  figure: (key: string, value: number | null | undefined) => string;
  /** The same without its unit, where the head of a column tells it. */
  bareFigure: (key: string, value: number | null | undefined) => string;
  /** A size in the largest binary unit that it fills: 1 GiB, 1.5 MiB. */
  bytes: (size: number) => string;
  /** Whether the browser's clock is another than the city's; then times name their zone. */
  elsewhere: boolean;
  /** A time on the city's clock, as all below. */
  time: (at: string | Date) => string;
  /** The same without its zone, for an axis with many. */
  clock: (at: string | Date) => string;
  date: (at: string | Date) => string;
  moment: (at: string | Date | null | undefined, seconds?: boolean) => string;
  age: (at: string | Date | null | undefined, now?: Date) => string;
  /** The source of a dataset as people name it. */
  source: (name: string) => string;
  say: (text: Parameters<typeof format.say>[0]) => string;
  /** The words for an id of an action, purpose, property, role …; the id's last part when unknown. */
  term: (id: string | null | undefined) => string;
}

const Context = createContext<I18n | null>(null);

export function createI18n(language: Language, setLanguage: (language: Language) => void, zone = browserZone()): I18n {
  const t = messages[language];
  const elsewhere = isElsewhere(zone);
  const known = <V,>(value: V | null | undefined, write: (value: V) => string) =>
    value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))
      ? t.common.noData
      : write(value);
  const number: I18n['number'] = (value, digits) =>
    known(value, (n) => format.formatNumber(n, language, digits ?? format.digitsFor(n)));
  const bareFigure: I18n['bareFigure'] = (key, value) => known(value, (n) => (key === 'year' ? String(n) : number(n)));
  return {
    language,
    setLanguage,
    t,
    number,
    fixed: (value, digits) => known(value, (n) => format.formatFixed(n, language, digits)),
    money: (cents) => known(cents, (n) => format.formatMoney(n, language)),
    signed: (value, digits) => known(value, (n) => format.formatSigned(n, language, digits)),
    percent: (share, digits, signed) => known(share, (n) => format.formatPercent(n, language, digits, signed)),
    unit: (unit) => format.formatUnit(unit, language),
    quantity: (value, unit) => {
      if (typeof value === 'string') return value;
      const words = format.formatUnit(unit, language);
      return known(value, (n) => (words === '' ? number(n) : `${number(n)} ${words}`));
    },
    figure: (key, value) => known(value, (n) => [bareFigure(key, n), format.formatUnit(format.unitOfFigure(key), language)].filter(Boolean).join(' ')),
    bareFigure,
    bytes: (size) => format.formatBytes(size, language),
    elsewhere,
    time: (at) => format.formatTime(at, language, elsewhere),
    clock: (at) => format.formatTime(at, language),
    date: (at) => format.formatDate(at, language),
    moment: (at, seconds) => known(at, (moment) => format.formatMoment(moment, language, seconds, elsewhere)),
    age: (at, now = new Date()) => known(at, (moment) => format.formatAge(moment, now, language)),
    source: (name) => format.sourceName(name, language),
    say: (text) => format.say(text, language),
    term: (id) => {
      if (!id) return '';
      const key = id.replace(/^urn:dmi:/, 'dmi:');
      return (t.terms as Record<string, string>)[key] ?? (t.figures as Record<string, string>)[key] ?? format.shortId(id).replaceAll(/[-_]/g, ' ');
    },
  };
}

/** The language that was chosen before, else Dutch for a Dutch browser and English for any other. */
export function firstLanguage(chosen: string | null, browser: string): Language {
  if (chosen === 'nl' || chosen === 'en') return chosen;
  return /^nl\b/i.test(browser) ? 'nl' : 'en';
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => firstLanguage(localStorage.getItem(storageKey), navigator.language));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  // Only a choice is kept; without one the browser's language goes on to decide.
  const choose = useCallback((chosen: Language) => {
    localStorage.setItem(storageKey, chosen);
    setLanguage(chosen);
  }, []);
  const value = useMemo(() => createI18n(language, choose), [language, choose]);
  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('useI18n needs an I18nProvider');
  return value;
}
