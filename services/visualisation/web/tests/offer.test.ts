import { describe, expect, it } from 'vitest';
import type { SpelledPolicy, Template, Verdict } from '../src/api';
import { createI18n } from '../src/i18n';
import { isTurn, sidesOf, stepsOf, toldReason, whyFor, whyOf } from '../src/pages/nodes/standing';
import { filledFor, isForEveryone, keywordsIn, offerable, parametersOf, questions, wrongIn } from '../src/pages/offer/parameters';
import { enter, type Begun } from '../src/pages/offer/entering';
import { brokenAt, judgedEntry, renamed } from '../src/pages/offer/judged';
import { entryOf, keptFor, nothingTold, platformAgreement, wrongEntry } from '../src/pages/offer/told';
import { toldApart } from '../src/rights/apart';
import { documentOf, policyOf } from '../src/rights/spelled';
import { compacted, spelledOut } from '../src/rights/spelling';
import { agreementOf } from '../src/rights/templates';
import { termsOf, withTerms } from '../src/rights/terms';
import { proposalInWords } from '../src/rights/words';
import type { Names } from '../src/app/names';

const owner = 'urn:dmi:participant:gemeente';
const dataset = 'urn:dmi:dataset:gemeente:drukte-bij-de-stalling';
const spatial = { bbox: [5, 52, 6, 53] as [number, number, number, number] };
const parameter = (name: string, kind: string, required = true) => ({ name, kind, required, label: { nl: name, en: name } });
const template: Template = {
  id: 'dmi:template:sensor-data', label: '', description: '',
  parameters: [
    parameter('uid', 'uuid'), parameter('rulebook', 'version'), parameter('assigner', 'participant'), parameter('assignee', 'participant'), parameter('datasets', 'datasets'),
    parameter('actions', 'actions'), parameter('purpose', 'purpose'), parameter('start', 'moment', false), parameter('until', 'moment'), parameter('area', 'area', false), parameter('days', 'number', false),
  ],
};

describe('a template that is filled in', () => {
  it('asks for what the owner has to say, and only that', () => {
    expect(questions(template).map((one) => one.name)).toEqual(['actions', 'purpose', 'start', 'until', 'area', 'days']);
    expect(isForEveryone(template)).toBe(false);
    expect(isForEveryone({ ...template, parameters: [parameter('assigner', 'participant')] })).toBe(true);
    expect(offerable([template, { ...template, id: 'dmi:template:consent' }]).map((one) => one.id)).toEqual([template.id]);
  });

  it('names what is missing or wrong', () => {
    expect(wrongIn(template, { lists: {}, texts: {} }, '2026-11-22')).toEqual({ actions: 'choose', purpose: 'choose', until: 'required' });
    expect(wrongIn(template, { lists: { actions: ['dmi:read'] }, texts: { purpose: 'p', until: '2026-11-21', days: '0' } }, '2026-11-22')).toEqual({ until: 'past', days: 'number' });
  });

  it('becomes parameters: days of the city as moments, a place as its box, nothing for what is empty', () => {
    const filled = { lists: { actions: ['dmi:read'] }, texts: { purpose: 'dmi:purpose:mobility', start: '2027-01-01', until: '2027-07-31', area: 'Binnenstad', days: ' 30 ' } };
    const made = parametersOf(template, filled, () => spatial);
    expect(made).toEqual({ actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', start: '2026-12-31T23:00:00Z', until: '2027-07-31T21:59:59Z', area: [5, 52, 6, 53], days: '30' });
    expect(parametersOf(template, { lists: {}, texts: { days: '' } }, () => spatial)).toEqual({ actions: [] });
    expect(filledFor(template, {}, owner, 'd')).toEqual({ assigner: owner, assignee: 'urn:dmi:participant:assignee', datasets: ['d'] });
    expect(filledFor(template, {}, owner, 'd', 'me')['assignee']).toBe('me');
  });
});

describe('an entry of the catalogue', () => {
  const told = { ...nothingTold, name: ' Drukte bij de stalling ', description: 'Hoe druk', keywords: 'fiets, drukte,, fiets', contact: 'data@stad.nl' };

  it('is told with place, theme and words, in the name space of its owner', () => {
    expect(entryOf(told, dataset, spatial)).toMatchObject({
      id: 'urn:dmi:dataset:gemeente:drukte-bij-de-stalling', title: { nl: 'Drukte bij de stalling', en: 'Drukte bij de stalling' }, personal: false, themes: ['TRAN'], spatial,
      keywords: { nl: ['fiets', 'drukte'] }, contact: 'mailto:data@stad.nl',
    });
    expect(keywordsIn(' , ')).toEqual([]);
  });

  it('has a name of its own, an address that is one, and a licence when it is for everyone', () => {
    expect(wrongEntry(told, owner, [], false)).toEqual({});
    expect(wrongEntry({ ...told, contact: 'bel ons', description: ' ' }, owner, ['urn:dmi:dataset:gemeente:drukte-bij-de-stalling'], true)).toEqual({
      name: 'taken', description: 'required', contact: 'contact', licence: 'licence',
    });
    expect(wrongEntry({ ...told, name: '…' }, owner, [], false)).toEqual({ name: 'required' });
  });

  it('lets the platform use what is about persons for one purpose and a term only', () => {
    const asked = { days: '90', until: '2027-02-01', otherwise: '2027-11-22' };
    const open = platformAgreement(told, dataset, owner, asked, '1.0.0', 'urn:dmi:participant:b-stack');
    expect([termsOf(open)?.purpose, termsOf(open)?.until, open.permission?.[0]?.duty, open.assignee]).toEqual(['dmi:purpose:any', '', undefined, 'urn:dmi:participant:b-stack']);
    const personal = platformAgreement({ ...told, personal: 'dmi:basis:consent' }, dataset, owner, asked, '1.0.0', 'urn:dmi:participant:b-stack');
    expect([termsOf(personal)?.purpose, termsOf(personal)?.days, termsOf(personal)?.until, personal['dmi:legalBasis']]).toEqual(['dmi:purpose:mobility', '90', '2027-02-01', 'dmi:basis:consent']);
    const unsaid = platformAgreement({ ...told, personal: 'dmi:basis:public-task' }, dataset, owner, { ...asked, days: '', until: '' }, '1.0.0', 'urn:dmi:participant:b-stack');
    expect([termsOf(unsaid)?.days, termsOf(unsaid)?.until]).toEqual(['30', '2027-11-22']);
  });
});

describe('what the platform is allowed', () => {
  const kept = { days: '', until: '', otherwise: '2027-11-22' };
  const names = { participant: String, dataset: String, purpose: String, keeps: () => true } as unknown as Names;
  const told = (change: Partial<typeof nothingTold>) =>
    proposalInWords(platformAgreement({ ...nothingTold, ...change }, dataset, owner, kept, '1.0.0', 'stack'), createI18n('nl', () => undefined), names).join(' ');

  it('is said whole before it is signed: what, for what, and until when or that it has no end', () => {
    const open = told({});
    for (const part of ['verwerken', 'opvragen', 'analyseren', 'maatregel publiceren', 'downloaden', 'dmi:purpose:any', 'Er is geen einddatum']) expect(open).toContain(part);
    const personal = told({ personal: 'dmi:basis:public-task' });
    for (const part of ['dmi:purpose:mobility', 'Alleen tot']) expect(personal).toContain(part);
    expect(personal).not.toContain('Er is geen einddatum');
  });
});

describe('how long the platform keeps data of persons', () => {
  it('is what the conditions say, not what was filled in under other ones', () => {
    const filled = { lists: {}, texts: { days: ' 90', until: '2027-02-01' } };
    expect(keptFor(template, filled, 'z')).toEqual({ days: '90', until: '2027-02-01', otherwise: 'z' });
    expect(keptFor({ ...template, parameters: [parameter('until', 'moment', false)] }, filled, 'z')).toEqual({ days: '', until: '2027-02-01', otherwise: 'z' });
  });
});

describe('policies of the protocol', () => {
  const constraint = [{ leftOperand: 'purpose', operator: 'isA', rightOperand: 'urn:dmi:purpose:mobility' }];
  const reading = { action: 'urn:dmi:read', constraint };
  const policy: SpelledPolicy = { '@id': 'urn:uuid:1', '@type': 'Offer', permission: [reading, { action: 'urn:dmi:export', constraint }, { action: 'urn:dmi:analyse' }] };
  const about = { assigner: owner, assignee: 'urn:dmi:participant:a', dataset: 'urn:dmi:dataset:b:c' };

  it('are read as documents: names short, ids whole, like rules together', () => {
    const document = documentOf(policy, about);
    expect(document.permission?.map((rule) => rule.action)).toEqual([['dmi:read', 'dmi:export'], ['dmi:analyse']]);
    expect(document.permission?.[0]).toMatchObject({ target: about.dataset, constraint: [{ rightOperand: 'dmi:purpose:mobility' }] });
    expect(compacted(['urn:dmi:participant:x', 'urn:dmi:dataset:a:b', 'urn:dmi:gridSize', 'purpose'])).toEqual(['urn:dmi:participant:x', 'urn:dmi:dataset:a:b', 'dmi:gridSize', 'purpose']);
  });

  it('keep what is owed for the whole, and the legal basis', () => {
    const owing: SpelledPolicy = { ...policy, 'urn:dmi:legalBasis': 'urn:dmi:basis:contract', obligation: [{ action: 'compensate' }] };
    const document = documentOf(owing, about);
    expect(document['dmi:legalBasis']).toBe('dmi:basis:contract');
    expect(document.obligation).toEqual([{ action: 'compensate' }]);
    expect(policyOf(owing, document)).toEqual(owing);
  });

  it('keep what a rule says that no form shows, such as what follows where it is broken', () => {
    const remedy = [{ action: 'urn:dmi:inform' }];
    const strict = { ...policy, prohibition: [{ action: 'urn:dmi:sell', remedy, 'urn:dmi:note': { level: 1 } }] };
    expect(policyOf(strict, documentOf(strict, about))).toEqual(strict);
  });

  it('are written again as they were, and with other terms', () => {
    expect(policyOf(policy, documentOf(policy, about))).toEqual(policy);
    expect(spelledOut({ 'dmi:bbox': ['dmi:read', 5] })).toEqual({ 'urn:dmi:bbox': ['urn:dmi:read', 5] });
    const one = documentOf({ permission: [reading] }, about);
    const changed = policyOf({ '@id': 'x' }, withTerms(one, { actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', until: '', grid: '', delay: '', days: '30' }));
    expect(changed).toEqual({ '@id': 'x', permission: [{ ...reading, duty: [{ action: 'urn:dmi:deleteAfter', constraint: [{ leftOperand: 'urn:dmi:days', operator: 'eq', rightOperand: { '@value': '30', '@type': 'xsd:integer' }, unit: 'd' }] }] }] });
  });
});

describe('a negotiation with another node', () => {
  const { t } = createI18n('nl', () => undefined);

  it('tells whose turn it is in each state, and what can be done then', () => {
    for (const role of ['consumer', 'provider'] as const) {
      for (const state of ['REQUESTED', 'OFFERED', 'ACCEPTED', 'AGREED', 'VERIFIED', 'FINALIZED', 'TERMINATED']) {
        for (const reason of ['waits for you: sign it', 'x', null]) {
          const one = { role, state, reason };
          expect(whyOf(one, t)).not.toBe('x');
          expect(whyOf(one, t).startsWith('U bent aan zet')).toBe(isTurn(one));
        }
      }
    }
    expect(stepsOf({ role: 'consumer', state: 'OFFERED', reason: null })).toEqual(['accept', 'offer', 'end']);
    expect(stepsOf({ role: 'provider', state: 'FINALIZED', reason: null })).toEqual([]);
  });

  it('asks nobody to sign while the node may still do so itself', () => {
    const signing = { role: 'consumer', state: 'AGREED' } as const;
    expect(stepsOf({ ...signing, reason: null })).toEqual(['end']);
    expect(stepsOf({ ...signing, reason: 'waits for you: sign the agreement with your key, or end it' })).toEqual(['signature', 'end']);
  });

  it('is told of by name to whoever is neither side', () => {
    const one = { role: 'consumer', state: 'OFFERED', reason: null, participant: 'Buurstad', other: 'Waterstad' } as const;
    const names = { participant: (id: string | null | undefined) => id ?? '' };
    expect(sidesOf(one, 'Buurstad', names, t)).toBe('U vraagt het aan Waterstad');
    expect(sidesOf(one, 'Sam', names, t)).toBe('Buurstad vraagt het aan Waterstad');
    expect(whyFor(one, 'Buurstad', names, t)).toBe(whyOf(one, t));
    expect(whyFor(one, 'Sam', names, t)).toBe('Wacht op Buurstad.');
    expect(whyFor({ ...one, state: 'REQUESTED' }, 'Sam', names, t)).toBe('Wacht op Waterstad.');
    expect(whyFor({ ...one, state: 'FINALIZED' }, 'Sam', names, t)).toBe('De afspraak geldt.');
    expect(whyFor({ ...one, state: 'VERIFIED' }, 'Sam', names, t)).toBe('Wacht op Waterstad.');
    expect(whyFor({ ...one, role: 'provider', state: 'VERIFIED' }, 'Sam', names, t)).toBe('Beide partijen hebben ondertekend. De afspraak wordt gesloten.');
  });

  it('gives the reason of the systems where it says more than whose turn it is', () => {
    expect(toldReason({ reason: 'waits for you: sign' })).toBeNull();
    expect(toldReason({ reason: 'the provider: not now' })).toBe('the provider: not now');
  });
});

describe('offers of the same data', () => {
  const plain = (id: string) => id.split(':').at(-1) ?? '';
  const names = { participant: plain, dataset: plain, purpose: plain, keeps: (id: string) => id.endsWith(':stack') } as unknown as Names;
  const dutch = createI18n('nl', () => undefined);
  const base = agreementOf({ assigner: owner, assignee: 'urn:dmi:participant:assignee', dataset: 'urn:dmi:dataset:gemeente:garages', actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', rulebook: '1.0.0' });
  const [rule] = base.permission ?? [];
  const called = (documents: typeof base[], titles = documents.map(() => 'Aanbod')) => toldApart(titles, documents, dutch, names);
  const pay = { action: 'dmi:pay', constraint: [['dmi:cents', '250'], ['dmi:per', '1'], ['dmi:chargedUnit', 'month']].map(([leftOperand = '', rightOperand]) => ({ leftOperand, operator: 'eq', rightOperand })) };
  const paid = rule ? { ...base, permission: [{ ...rule, duty: [pay] }] } : base;

  it('are told apart by what differs, and by that alone', () => {
    const terms = termsOf(base);
    const noise = terms ? withTerms(base, { ...terms, purpose: 'dmi:purpose:noise', days: '7' }) : base;
    const [first, second] = called([base, noise]);
    expect(first).toBe('Aanbod: voor mobility, zonder andere voorwaarden');
    expect(second).toMatch(/^Aanbod: voor noise, .*7 dagen/);
    expect(called([base, paid])).toEqual(['Aanbod: gratis', 'Aanbod: het gebruik kost €\u00a02,50 zonder btw per 1 maand']);
  });

  it('have a number when nothing differs, and their title alone when that is enough', () => {
    expect(called([base, base, paid])).toEqual(['Aanbod: gratis (1)', 'Aanbod: gratis (2)', 'Aanbod: het gebruik kost €\u00a02,50 zonder btw per 1 maand']);
    expect(called([base, base])).toEqual(['Aanbod (1)', 'Aanbod (2)']);
    expect(called([base, paid], ['Open', 'Betaald'])).toEqual(['Open', 'Betaald']);
  });
});

describe('entering data', () => {
  const document = (purpose: string) => agreementOf({ assigner: owner, assignee: 'urn:dmi:participant:stack', dataset, actions: ['dmi:read'], purpose, rulebook: '1.0.0' });
  const entry = (name: string) => entryOf({ ...nothingTold, name, description: 'd' }, `urn:dmi:dataset:gemeente:${name}`, spatial);
  const failing = { propose: 0 };
  const done: string[] = [];
  const exchange = {
    createDataset: (one: { id?: string; title?: unknown }) => { done.push(`dataset ${String(one.id)} ${JSON.stringify(one.title)}`); return Promise.resolve(); },
    propose: () => { if (failing.propose-- > 0) return Promise.reject(new Error('down')); done.push('proposed'); return Promise.resolve({ id: `a${done.length}` }); },
    end: (id: string) => { done.push(`ended ${id}`); return Promise.resolve(); },
  };
  const attempt = async (name: string, purposes: string[], begun: Begun | null): Promise<Begun | null> => {
    let kept = begun;
    done.length = 0;
    await enter(exchange, { entry: entry(name), agreements: purposes.map(document), changed: 'c' }, begun, (now) => { kept = now; }).catch(() => undefined);
    return kept;
  };

  it('goes on from the step that failed, and stores nothing twice', async () => {
    failing.propose = 1;
    const begun = await attempt('a', ['p'], null);
    expect(done).toEqual(['dataset urn:dmi:dataset:gemeente:a {"nl":"a","en":"a"}']);
    const entered = await attempt('a', ['p'], begun);
    expect(done).toEqual(['proposed']);
    await attempt('a', ['p'], entered);
    expect(done).toEqual([]);
  });

  it('changes what was stored when the form was changed in between: no second dataset, no proposal too many', async () => {
    failing.propose = 0;
    const begun = await attempt('a', ['p'], null);
    await attempt('b', ['q'], begun);
    expect(done).toEqual(['dataset urn:dmi:dataset:gemeente:a {"nl":"b","en":"b"}', 'ended a2', 'proposed']);
  });
});

describe('what the review says of an offer', () => {
  const rule = (name: string, path = '/permission/0/constraint') => ({ rule: `dmi:rule:${name}`, label: name, law: '', path, explanation: name, detail: '' });
  const verdict = (...reasons: ReturnType<typeof rule>[]): Verdict => ({ passes: false, rulebook: '1.0.0', reasons, change: null });

  const rules = (found: Record<string, { rule: string }[] | undefined>) => Object.fromEntries(Object.entries(found).map(([place, all]) => [place, all?.map((one) => one.rule)]));
  const fine = verdict();

  it('stands at the field that mends it, once', () => {
    const found = brokenAt([verdict(rule('retention'), rule('term')), verdict(rule('broad-purpose'), rule('purpose-basis'), rule('term'), rule('basis'))], ['purpose', 'until', 'days']);
    expect(rules(found.conditions)).toEqual({
      purpose: ['dmi:rule:broad-purpose', 'dmi:rule:purpose-basis'], until: ['dmi:rule:term'], days: ['dmi:rule:retention'], template: ['dmi:rule:basis'],
    });
    expect(found.entry).toEqual({});
  });

  it('stands at the entry where that is what the agreement with the platform says, and not at the conditions', () => {
    const found = brokenAt([{ ...verdict(rule('purpose-basis'), rule('basis')), entry: [rule('broad-purpose', '/purpose'), rule('purpose-basis', '/basis')] }, fine], ['purpose', 'until', 'days']);
    expect(rules(found.entry)).toEqual({ purpose: ['dmi:rule:broad-purpose', 'dmi:rule:purpose-basis'], personal: ['dmi:rule:basis'] });
    expect(found.conditions).toEqual({});
  });

  it('stands at no field that the template does not ask for, nor where no field would mend it', () => {
    expect(brokenAt([verdict(rule('retention'), rule('left')), verdict(rule('retention'))], ['purpose'])).toEqual({ entry: {}, conditions: {} });
  });

  it('stands nowhere before there is one', () => {
    expect(brokenAt([], ['purpose'])).toEqual({ entry: {}, conditions: {} });
  });

  it('is asked with the kind of data, and not anew for other words', () => {
    const id = 'urn:dmi:dataset:gemeente:nieuw';
    const asked = (name: string) => judgedEntry(entryOf({ ...nothingTold, name, personal: 'dmi:basis:public-task' }, `urn:dmi:dataset:gemeente:${name}`, spatial), id);
    expect(asked('a')).toEqual(asked('b'));
    expect(asked('a')).toMatchObject({ id, personal: true, basis: 'dmi:basis:public-task', purpose: 'dmi:purpose:mobility' });
    const made = agreementOf({ assigner: owner, assignee: owner, dataset, actions: ['dmi:read'], rulebook: '1.0.0', purpose: 'dmi:purpose:any' });
    expect(JSON.stringify(renamed(made, dataset, id))).toContain(id);
    expect(JSON.stringify(renamed(made, dataset, id))).not.toContain(dataset);
  });
});
