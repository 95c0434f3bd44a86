/// <reference types="node" />
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { timeTicks } from '../src/chart/scales';
import { createI18n } from '../src/i18n';
import { fromCityInput, isElsewhere, offsetAt, toCityInput } from '../src/i18n/cityTime';
import { endOfDay } from '../src/rights/terms';

const full = '2026-11-21T18:45:00Z';
const at = (text: string) => new Date(text).getTime();
const hours = (text: string, zone?: string) => offsetAt(at(text), zone) / 3_600_000;

describe('times of city data', () => {
  it.each(['Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'UTC'])('stand on the city’s clock for a browser in %s', (zone) => {
    const dutch = createI18n('nl', () => undefined, zone);
    const english = createI18n('en', () => undefined, zone);
    expect(dutch.time(full)).toContain('19:45');
    expect(dutch.moment(full)).toContain('21 nov 2026, 19:45');
    expect(english.moment(full, true)).toContain('21 Nov 2026, 19:45:00');
    expect(dutch.date('2026-12-31T23:30:00Z')).toBe('1 januari 2027');
    expect(english.clock(full)).toBe('19:45');
  });

  it('name their zone for who has another clock, and for nobody else', () => {
    const there = createI18n('en', () => undefined, 'America/New_York');
    expect([there.elsewhere, there.time(full), there.moment('2026-07-01T12:00:00Z')]).toEqual([true, '19:45 CET', '1 Jul 2026, 14:00 CEST']);
    const here = createI18n('en', () => undefined, 'Europe/Brussels');
    expect([here.elsewhere, here.time(full), here.moment(full)]).toEqual([false, '19:45', '21 Nov 2026, 19:45']);
    // The same clock in winter is another one in summer.
    expect(isElsewhere('Africa/Lagos')).toBe(true);
  });

  it('are typed and read on the city’s clock, in winter and in summer', () => {
    expect([hours('2026-01-15T12:00:00Z'), hours('2026-07-15T12:00:00Z'), hours('2026-01-15T12:00:00Z', 'America/New_York')]).toEqual([1, 2, -5]);
    for (const text of ['2026-11-21T19:45', '2026-07-01T14:00', '2026-10-25T01:30', '2026-03-29T03:30']) expect(toCityInput(fromCityInput(text))).toBe(text);
    expect(fromCityInput('2026-11-21T19:45')).toBe(at(full));
    // The hour that the clock skips in spring.
    expect(toCityInput(fromCityInput('2026-03-29T02:30'))).toBe('2026-03-29T03:30');
    expect(fromCityInput('')).toBeNaN();
    expect(endOfDay('2026-12-31')).toBe('2026-12-31T22:59:59Z');
  });

  it('give charts round hours of the city', () => {
    const ticks = timeTicks(at('2026-07-01T05:07:00Z'), at('2026-07-02T05:07:00Z'), 4);
    expect(ticks.map((one) => toCityInput(one).slice(11))).toEqual(['12:00', '18:00', '00:00', '06:00']);
  });

  it('are written by one part of the application, which knows the zone', () => {
    const own = /i18n\/(format|cityTime)\.ts$/;
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && !own.test(name));
    expect(files.length).toBeGreaterThan(100);
    const clocks = /DateTimeFormat|toLocale(Date|Time)?String\(|getTimezoneOffset|\.get(Hours|Minutes|Date|Day|Month|FullYear)\(|\.set(Hours|Minutes|Date|Month|FullYear)\(/;
    expect(files.filter((name) => clocks.test(readFileSync(`src/${name}`, 'utf8')))).toEqual([]);
  });
});
