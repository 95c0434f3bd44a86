import { describe, expect, it } from 'vitest';
import { nl } from '../src/i18n/nl';
import { doneBy } from '../src/pages/mydata/done';
import { hoursOf, isPast, periodOf } from '../src/pages/mydata/period';
import { partiesOf } from '../src/app/parties';

describe('whom one can agree something with', () => {
  it('is neither who left, nor the exchange, nor a person', () => {
    const one = (id: string, active = true) => ({ id, name: id, active });
    const all = [one('urn:dmi:participant:a'), one('urn:dmi:participant:b', false), one('urn:dmi:participant:exchange'), one('urn:dmi:person:noor')];
    expect(partiesOf(all).map((each) => each.id)).toEqual(['urn:dmi:participant:a']);
  });
});

describe('the period in which a person looks for a measurement', () => {
  it('is a day on the clock of the city, also when the clock moves', () => {
    const lasts = (day: string) => {
      const { from, to } = periodOf(day, '');
      return (to.getTime() - from.getTime()) / 3_600_000;
    };
    expect(periodOf('2026-11-21', '').from.toISOString()).toBe('2026-11-20T23:00:00.000Z');
    expect([lasts('2026-11-21'), lasts('2026-03-29'), lasts('2026-10-25')]).toEqual([24, 23, 25]);
    expect(hoursOf('2026-10-25')).toHaveLength(25);
  });

  it('can be one hour of it', () => {
    const [, second] = hoursOf('2026-11-21');
    expect(periodOf('2026-11-21', String(second))).toEqual({ from: new Date('2026-11-21T00:00:00Z'), to: new Date('2026-11-21T01:00:00Z') });
  });

  it('does not lie ahead, and is written as a day', () => {
    const now = Date.parse('2026-11-22T23:30:00Z');
    expect(['2026-11-22', '2026-11-23', '2026-11-24', '', '2026-13-01'].map((day) => isPast(day, now))).toEqual([true, true, false, false, false]);
  });
});

describe('what a layer did about a request', () => {
  const i18n = { t: nl, number: String } as Parameters<typeof doneBy>[2];
  const by = (service: string, rows: number) => ({ service, rows, at: '2026-11-21T10:00:00Z' });

  it('is of an objection that it stopped, and no number of rows where there were none', () => {
    expect(doneBy(by('x', 0), 'objection', i18n)).toBe('x: gestopt met uw gegevens');
    expect(doneBy(by('x', 2), 'objection', i18n)).toBe('x: gestopt met uw gegevens, 2 rijen gewist');
    expect(doneBy(by('x', 2), 'erasure', i18n)).toBe('x: 2 rijen aangepast of gewist');
  });

  it('names whose use was stopped', () => {
    expect(nl.rights.stopped('onderzoek', 'Fietsen', 'Universiteit')).toBe('Stoppen van onderzoek door Universiteit: Fietsen');
  });
});
