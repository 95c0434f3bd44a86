import { describe, expect, it } from 'vitest';
import { machineIn } from '../src/app/names';
import { explained, law } from '../src/pages/log/proof';
import { actingIn, codesOf, isMandate } from '../src/pages/log/who';

const city = 'urn:dmi:participant:gemeente';
const vendor = 'urn:dmi:participant:meetlat';
const mandate = 'urn:uuid:6f3e12a1-0000-4000-8000-000000000000';
const entry = { assignee: city as string | null, crossing: 'export', reasons: ['owner: it owns the data'] };

describe('who an entry of the log names', () => {
  it('is who acted and for whom, where it was done by a mandate', () => {
    expect(actingIn({ ...entry, actor: vendor, mandate })).toEqual({ by: [vendor], behalf: city, mandate });
    expect(actingIn({ ...entry, actor: null, mandate: null })).toEqual({ by: [city], behalf: null, mandate: null });
    expect(actingIn({ ...entry, actor: null, mandate })).toEqual({ by: [null], behalf: city, mandate });
  });

  it('is who signed or stopped an agreement, not whom it was made with', () => {
    const stopped = { ...entry, crossing: law, assignee: vendor, reasons: [`stopped: ${city}`] };
    expect(actingIn(stopped).by).toEqual([city]);
    expect(actingIn({ ...stopped, reasons: ['expired'] }).by).toEqual([vendor]);
  });
});

describe('the proof of an entry', () => {
  const told = (reason: string, crossing = 'query') => explained({ crossing, reasons: [reason] });

  it('can be asked of decisions and of what was let through, not of what became of an agreement or a request', () => {
    expect([told('agreement: x'), told('no_consent: x'), told('delivered: 3 rows of 1 persons'), told('given: 3 rows')]).toEqual([true, true, true, true]);
    expect([told('signed: x', law), told('exercised: r1: 3 rows in platform')]).toEqual([false, false]);
  });
});

describe('a machine', () => {
  it('is told by its id as what it is called and whose it is', () => {
    expect(machineIn('urn:dmi:machine:gemeente:slagboom-noord')).toEqual({ name: 'slagboom-noord', owner: city });
    expect([machineIn(city), machineIn(null), machineIn(mandate)]).toEqual([null, null, null]);
  });
});

describe('a mandate among the grounds of a decision', () => {
  const ended = { mandate: null, reasons: [`ended: the mandate ${mandate} has been ended`] };

  it('is told and linked as one', () => {
    expect(isMandate(mandate, ended)).toBe(true);
    expect(isMandate(mandate, { mandate, reasons: [] })).toBe(true);
    expect(isMandate(mandate, { mandate: null, reasons: [`no_mandate: ${mandate} does not let its mandatary give it on`] })).toBe(true);
    expect(isMandate('urn:uuid:1', ended)).toBe(false);
    expect(isMandate(mandate, { mandate: null, reasons: [`ended: the agreement ${mandate} has been ended`] })).toBe(false);
  });

  it('is not called an agreement in the reason', () => {
    expect(codesOf(ended)).toEqual(['mandate_ended']);
    expect(codesOf({ reasons: ['ended: the agreement x has ended', 'ended: again', 'owner'] })).toEqual(['ended', 'owner']);
  });
});
