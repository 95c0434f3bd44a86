import { describe, expect, it } from 'vitest';
import type { Agreement } from '../src/api';
import { en } from '../src/i18n/en';
import { nl } from '../src/i18n/nl';
import { usersOf } from '../src/pages/MyDataPage';
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

describe('who may use the data of a consent', () => {
  const names = { participant: (id: string | null | undefined) => id ?? '?', datasets: [{ id: 'd', owner: 'Gemeente' }] } as unknown as Parameters<typeof usersOf>[2];
  const consent = (...recipients: string[]) => ({
    assignee: 'urn:dmi:party:everyone', datasets: ['d'],
    document: { permission: [{ target: 'd', action: 'dmi:read', constraint: recipients.length > 0 ? [{ leftOperand: 'recipient', operator: 'isAnyOf', rightOperand: recipients }] : [] }] },
  }) as unknown as Agreement;

  it('is told without an agreement of owners with themselves, and says "only" once', () => {
    expect(usersOf(consent('Gemeente'), nl, names)).toBe('Alleen Gemeente.');
    expect(usersOf(consent('Meetlat'), nl, names)).toBe('Alleen Meetlat, onder een afspraak met Gemeente voor dit doel.');
    expect(usersOf(consent('Meetlat', 'Gemeente'), nl, names)).toBe('Alleen Gemeente, en onder een afspraak met Gemeente voor dit doel ook Meetlat.');
    expect(usersOf(consent('Meetlat', 'Gemeente'), en, names)).toBe('Only Gemeente, and under an agreement with Gemeente for this purpose also Meetlat.');
    expect(usersOf(consent(), nl, names)).toBe(nl.mydata.everyone('Gemeente'));
  });
});
