import { describe, expect, it } from 'vitest';
import type { Agreement, Duty, OdrlDocument } from '../src/api';
import type { Names } from '../src/app/names';
import { createI18n } from '../src/i18n';
import { dutyCounts } from '../src/pages/agreement/counts';
import { endWords } from '../src/pages/agreement/EndDialog';
import { nearest } from '../src/pages/negotiate/FromOffer';
import { actionsOffered } from '../src/pages/negotiate/TermsForm';
import { madeBy } from '../src/pages/negotiate/Rounds';
import { difference } from '../src/rights/difference';
import { sameAgain, standing } from '../src/rights/again';
import { at } from '../src/rights/pointer';
import { agreementOf, working } from '../src/rights/templates';
import { termsOf, withTerms, wrongTerms, type Terms } from '../src/rights/terms';

const dutch = createI18n('nl', () => undefined);
const plain = (id: string | null | undefined) => (id ?? '').split(':').at(-1) ?? '';
const names = { participant: plain, dataset: plain, purpose: plain, keeps: (id: string) => id.endsWith(':stack'), isAbroad: () => false } as unknown as Names;
const base = agreementOf({
  assigner: 'urn:dmi:participant:gemeente', assignee: 'urn:dmi:participant:parkwijs', dataset: 'urn:dmi:dataset:gemeente:garages', actions: ['dmi:read'],
  purpose: 'dmi:purpose:mobility', until: '2027-03-31T21:59:59Z', grid: 100, rulebook: '1.0.0',
});
const rule = base.permission?.[0] ?? { target: '', action: '' };
const [purpose] = rule.constraint ?? [];
const terms = (change: Partial<Terms> = {}): Terms => ({ actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', until: '2027-03-31', grid: '100', delay: '', days: '', ...change });
const changed = (change: Partial<Terms>) => difference(base, withTerms(base, terms(change)), dutch, names).map(({ clause, before, after }) => [clause, before, after]);

describe('terms of a document', () => {
  it('are read from it, and put back they change nothing', () => {
    expect(termsOf(base)).toEqual(terms());
    const again = withTerms(base, terms());
    expect(again.permission).toEqual(base.permission);
    expect(again.uid).not.toBe(base.uid);
  });

  it('keep what a form does not speak of', () => {
    const area = { leftOperand: 'spatial', operator: 'isPartOf', rightOperand: { 'dmi:bbox': [5, 52, 6, 53] } };
    const more: OdrlDocument = { ...base, permission: [{ ...rule, constraint: [...(rule.constraint ?? []), area], duty: [...(rule.duty ?? []), { action: 'attribute' }] }] };
    const after = withTerms(more, terms({ until: '', grid: '', days: '30', actions: ['dmi:read', 'dmi:export'] }));
    expect(after.permission?.[0]?.constraint).toEqual([purpose, area]);
    expect(after.permission?.[0]?.duty?.map((one) => one.action)).toEqual(['attribute', 'dmi:deleteAfter']);
    expect(termsOf(after)).toEqual(terms({ until: '', grid: '', days: '30', actions: ['dmi:read', 'dmi:export'] }));
  });

  it('are not read from what a form cannot hold', () => {
    expect(termsOf({ ...base, permission: [rule, rule] })).toBeNull();
    expect(termsOf({ ...base, permission: [{ ...rule, constraint: [] }] })).toBeNull();
    expect(termsOf({ ...base, permission: [{ ...rule, constraint: [{ leftOperand: 'purpose', operator: 'isAnyOf', rightOperand: ['a', 'b'] }] }] })).toBeNull();
    const before = { leftOperand: 'dateTime', operator: 'lt', rightOperand: '2027-01-01T00:00:00Z' };
    expect(termsOf({ ...base, permission: [{ ...rule, constraint: purpose ? [purpose, before] : [] }] })).toBeNull();
    expect(termsOf({ ...base, permission: [] })).toBeNull();
  });

  it('name what cannot be sent', () => {
    expect(wrongTerms(terms(), '2026-11-22')).toEqual({});
    expect(wrongTerms(terms({ actions: [], purpose: '', until: '2026-11-21', grid: '0', delay: '1,5', days: ' 30 ' }), '2026-11-22')).toEqual({
      actions: 'choose', purpose: 'choose', until: 'past', grid: 'number', delay: 'number',
    });
  });
});

describe('what can be asked for', () => {
  it('is all that layers do for who operates them', () => {
    expect(actionsOffered(false)).not.toContain('dmi:process');
    expect(actionsOffered(true)).toEqual(expect.arrayContaining(working));
    expect(actionsOffered(false, ['dmi:publish'])).toContain('dmi:publish');
  });
});

describe('the same agreement again', () => {
  const before = Date.parse('2027-01-01T12:00:00Z');
  const after = Date.parse('2027-06-01T12:00:00Z');
  const long = (document: OdrlDocument) => ({ document, concluded_at: '2025-01-01T12:00:00Z' });

  it('has the same terms and a name of its own, under the rulebook of now', () => {
    const { document, until } = sameAgain(long(base), before, '1.1.0');
    expect(document).toEqual({ ...base, uid: document.uid, 'dmi:rulebook': '1.1.0' });
    expect([document.uid === base.uid, until]).toEqual([false, null]);
  });

  it('lasts a year from now where the last day has passed, and says so', () => {
    const { document, until } = sameAgain(long(base), after);
    expect(until).toBe('2028-05-31');
    expect(termsOf(document)).toEqual(terms({ until: '2028-05-31' }));
    const unread: OdrlDocument = { ...base, permission: [{ ...rule, constraint: [{ leftOperand: 'dateTime', operator: 'lt', rightOperand: 'soon' }] }] };
    expect(sameAgain(long(unread), after).until).toBe('2028-05-31');
  });

  it('lasts no longer than it did where that was less than a year', () => {
    const emergency = { document: base, concluded_at: '2027-03-01T21:59:59Z' };
    const { document, until } = sameAgain(emergency, after);
    expect(until).toBe('2027-06-30');
    expect(Date.parse(termsOf(document)?.until ?? '') - after).toBeLessThan(30 * 86_400_000);
    expect(sameAgain({ document: base, concluded_at: '2027-03-31T20:59:59Z' }, after).until).toBe('2027-06-01');
  });

  it('is not made a second time', () => {
    const made = (state: string, document: OdrlDocument) => ({ id: state, state, document }) as Agreement;
    const again = sameAgain(long(base), after).document;
    expect(standing(base, [made('ended', again), made('active', withTerms(base, terms({ grid: '' })))])).toBeNull();
    expect(standing(base, [made('active', { ...again, assignee: 'urn:dmi:participant:other' })])).toBeNull();
    expect(standing(base, [made('proposed', again)])?.id).toBe('proposed');
  });
});

describe('the difference of two proposals', () => {
  it('is told clause by clause, and is empty for the same terms', () => {
    expect(changed({})).toEqual([]);
    expect(changed({ purpose: 'dmi:purpose:noise' })).toEqual([['Doel', 'mobility', 'noise']]);
    expect(changed({ actions: ['dmi:export', 'dmi:read'] })).toEqual([['Mag', null, 'downloaden']]);
    expect(changed({ until: '' }).map(([clause, , after]) => [clause, after])).toEqual([['Tot', null]]);
    expect(changed({ grid: '250', days: '30' })).toEqual([
      ['Plicht', 'De plaats wordt afgerond op 100 meter.', 'De plaats wordt afgerond op 250 meter.'],
      ['Plicht', null, 'Metingen van meer dan 30 dagen oud krijgt de gebruiker niet.'],
    ]);
  });

  it('tells of a list what goes and what comes, and nothing of what stays', () => {
    const more = withTerms(base, terms({ actions: ['dmi:read', 'dmi:display', 'dmi:analyse'] }));
    const [actions] = difference(more, withTerms(more, terms({ actions: ['dmi:read', 'dmi:display', 'dmi:export'] })), dutch, names);
    expect(actions).toMatchObject({ clause: 'Mag', before: 'analyseren', after: 'downloaden', list: true });
    expect(difference(more, { ...more, permission: [] }, dutch, names)[0]).toMatchObject({ before: 'analyseren, opvragen, tonen op kaart en in grafiek', after: null });
  });

  it('tells another legal basis and another prohibition', () => {
    const other: OdrlDocument = { ...base, 'dmi:legalBasis': 'dmi:basis:contract', prohibition: [{ target: 'urn:dmi:dataset:gemeente:garages', action: 'dmi:export' }] };
    expect(difference(base, other, dutch, names).map(({ clause, before, after }) => [clause, before, after])).toEqual([
      ['Mag niet', null, 'downloaden'], ['Gegevens', null, 'garages'], ['Grondslag', 'publieke taak', 'overeenkomst'],
    ]);
  });
});

const agreement = (change: Partial<Agreement>): Agreement => ({
  id: 'a', assigner: base.assigner, assignee: base.assignee, datasets: ['urn:dmi:dataset:gemeente:garages'], consent: false, state: 'proposed', document: base, signatures: {},
  waiting_for: [], concluded_at: null, ended_at: null, ended_by: null, end_reason: null, ...change,
});

describe('a negotiation', () => {
  it('begins with the difference from the offer that is nearest to the proposal', () => {
    const proposal = withTerms(base, terms({ actions: ['dmi:read', 'dmi:export'] }));
    const offers = [{ offer: 'far', document: withTerms(base, terms({ purpose: 'dmi:purpose:noise', until: '' })) }, { offer: 'near', document: base }];
    const found = nearest(offers, (one) => difference(one, proposal, dutch, names));
    expect(found).toEqual({ offer: 'near', changes: [{ key: 'permission 0 action', clause: 'Mag', before: null, after: 'downloaden', list: true }] });
    expect(nearest([], () => [])).toBeNull();
  });

  it('tells who made each proposal', () => {
    const rounds = [agreement({ signatures: { [base.assignee]: 'x' }, ended_by: base.assigner }), agreement({ signatures: { [base.assigner]: 'x', [base.assignee]: 'y' } })];
    expect([madeBy(rounds, 0), madeBy(rounds, 1)]).toEqual([base.assignee, base.assigner]);
  });

  it('is ended in the words of what ending means', () => {
    const says = (change: Partial<Agreement>) => endWords(agreement(change), base.assigner, dutch.t, names).confirm;
    expect(says({ signatures: { [base.assigner]: 'x' } })).toBe('Voorstel intrekken');
    expect(says({ signatures: { [base.assignee]: 'x' } })).toBe('Weigeren');
    expect(says({ state: 'active' })).toBe('Ja, stop nu');
  });

  it('promises of a stop what there is after it: with another city, who wants the data asks again', () => {
    const says = (...abroad: string[]) => endWords(agreement({ state: 'active' }), base.assigner, dutch.t, { ...names, isAbroad: (id) => abroad.includes(id ?? '') }).text;
    expect(says()).toContain('op deze pagina dezelfde afspraak opnieuw maken');
    expect(says(base.assignee)).toMatch(/niet terugdraaien\. Wel kan de andere stad het later opnieuw vragen\.$/);
    expect(says(base.assigner)).toMatch(/niet terugdraaien\. Wel kunt u de gegevens later opnieuw vragen, bij “Andere steden”\.$/);
  });
});

describe('duties', () => {
  it('are counted by who carries them out, and found in the document', () => {
    const duty = (change: Partial<Duty>): Duty => ({ agreement: 'a', duty: '/permission/0/duty/0', action: '', carried_out: 'party', performed: null, ...change });
    const all = [duty({}), duty({ carried_out: 'node' }), duty({ performed: { at: '', by: '' } }), duty({ agreement: 'b' })];
    expect(dutyCounts(all, 'a')).toEqual({ open: 1, done: 1, automatic: 1 });
    expect(at(base, '/permission/0/duty/0')).toEqual(base.permission?.[0]?.duty?.[0]);
    expect(at({ 'a/b': { '~': 1 } }, '/a~1b/~0')).toBe(1);
    expect(at(base, '/permission/7/duty')).toBeUndefined();
  });
});
