import { describe, expect, it } from 'vitest';
import type { Agreement, CrowdLookBack, LookBackPart, Measure, Negotiation, SubjectNotice, Use } from '../src/api';
import { lagIn } from '../src/api/operations';
import { ApiError } from '../src/api/problem';
import { awaited } from '../src/pages/dataset/Awaited';
import { toAnswer } from '../src/pages/home/answers';
import { contributeExample, readExample } from '../src/pages/home/examples';
import { toAsk, toSign } from '../src/pages/home/parts';
import { tokenExample } from '../src/pages/intake/sensor';
import { createI18n } from '../src/i18n';
import { agreementOf } from '../src/rights/templates';
import { connectionsOf, totalsOf, usesByWhom, usesOf } from '../src/pages/home/usage';
import { undecided } from '../src/pages/measures/undecided';
import { chartRows, crowdRows, verdictOf } from '../src/pages/measures/lookBack';
import { fieldError } from '../src/ui/problems';

const now = new Date('2026-11-23T12:00:00Z');
const use = (more: Partial<Use>): Use => ({
  dataset: 'd', assignee: 'vendor', crossing: 'query', action: 'dmi:read', purposes: [], agreements: ['a1'],
  allowed: 0, refused: 0, rows: 0, last_allowed: null, last_refused: null, last_reasons: [], ...more,
});

describe('the use of data of a person', () => {
  it('is counted by who used it, over all that each did with it', () => {
    const own = (participant: string, action: string, times: number) => ({ dataset: 'd', participant, name: participant, purpose: 'p', purpose_label: 'p', action, times, first: '', last: '', agreements: [] });
    expect(usesByWhom([own('city', 'dmi:contribute', 11), own('stack', 'dmi:process', 30), own('stack', 'dmi:read', 3)])).toEqual([
      { participant: 'stack', name: 'stack', dataset: 'd', times: 33 }, { participant: 'city', name: 'city', dataset: 'd', times: 11 },
    ]);
  });
});

describe('the use of data', () => {
  const all = [
    use({ allowed: 3, last_allowed: '2026-11-21T10:00:00Z', rows: 30 }),
    use({ assignee: 'stack', allowed: 2, last_allowed: '2026-11-21T11:00:00Z', agreements: ['a2'] }),
    use({ assignee: 'owner', allowed: 9, last_allowed: '2026-11-21T12:00:00Z' }),
    use({ crossing: 'x', refused: 2, agreements: [], last_reasons: ['ended: the agreement was ended'] }),
    use({ dataset: 'other', allowed: 100 }),
  ];

  it('counts others than the owner, with the newest use', () => {
    expect(usesOf(all, 'd', 'owner')).toEqual({ times: 5, refused: 2, last: '2026-11-21T11:00:00Z' });
  });

  it('is told of a dataset once, however many agreements there are about it', () => {
    expect(totalsOf(all, 'd', 'vendor')).toEqual({ last: '2026-11-21T10:00:00Z', rows: 30, refused: 2, reasons: ['ended'] });
    expect(totalsOf(all, 'd', 'nobody').last).toBeNull();
    const made = (id: string, state: string, datasets: string[]) => ({ id, state, datasets }) as Agreement;
    const found = connectionsOf([made('a1', 'ended', ['d']), made('a2', 'active', ['d', 'e']), made('a3', 'proposed', ['d'])]);
    expect(found.map(({ dataset, agreements }) => [dataset, agreements.map((one) => one.id)])).toEqual([['d', ['a2', 'a3', 'a1']], ['e', ['a2']]]);
  });

  it('leaves out proposals that were never concluded', () => {
    const made = (id: string, state: string, concluded_at: string | null) => ({ id, state, concluded_at, datasets: ['d'] }) as Agreement;
    const at = '2026-11-21T10:00:00Z';
    const [found] = connectionsOf([made('replaced', 'ended', null), made('stopped', 'ended', at), made('open', 'proposed', null), made('runs', 'active', at)]);
    expect(found?.agreements.map((one) => one.id)).toEqual(['runs', 'open', 'stopped']);
    expect(connectionsOf([made('replaced', 'ended', null)])).toEqual([]);
  });
});

describe('new data', () => {
  const made = (more: Partial<Agreement>) => ({ id: 'a', assigner: 'owner', assignee: 'stack', datasets: ['d'], state: 'proposed', waiting_for: ['stack'], ...more }) as Agreement;

  it('waits for the operator until it has signed, and for nobody else', () => {
    expect(awaited([made({})], 'd', 'stack')?.id).toBe('a');
    expect(awaited([made({}), made({ state: 'active', waiting_for: [] })], 'd', 'stack')).toBeNull();
    expect(awaited([made({ waiting_for: ['owner'] }), made({ assignee: 'vendor' }), made({ datasets: ['e'] })], 'd', 'stack')).toBeNull();
  });
});

describe('the lag of a service', () => {
  it('is read from its metrics, by topic', () => {
    const text = '# HELP dmi_platform_lag Messages not yet read\n# TYPE dmi_platform_lag gauge\ndmi_platform_lag{topic="dmi.observations.raw.v1"} 12.0\ndmi_support_centre_lag{topic="x"} 1e+03\ndmi_platform_rows_total{outcome="a"} 5\n';
    expect(lagIn('platform', text)).toEqual([
      { service: 'platform', topic: 'dmi.observations.raw.v1', messages: 12 },
      { service: 'platform', topic: 'x', messages: 1000 },
    ]);
  });
});

describe('data of another city', () => {
  const { t } = createI18n('nl', () => undefined);
  const names = { participant: (id: string | null | undefined) => id ?? '', dataset: (id: string | null | undefined) => id ?? '', isAbroad: (id: string | null | undefined) => id === 'away' };
  const made = (more: Partial<Agreement>) => ({ id: 'a', assigner: 'away', assignee: 'city', datasets: ['d'], state: 'active', ...more }) as Agreement;
  const asks = (agreements: Agreement[], negotiations: Partial<Negotiation>[] = []) => toAsk(agreements, negotiations as Negotiation[], 'stack', t, names).map((one) => one.title);

  it('waits for the operator while the platform may not process what somebody here may use', () => {
    expect(asks([made({}), made({ id: 'b', assignee: 'vendor' })])).toEqual(['Vraag d ook aan bij away']);
    expect(asks([made({}), made({ assignee: 'stack', state: 'ended' })])).toHaveLength(1);
    expect(asks([made({})], [{ participant: 'city', role: 'consumer', state: 'REQUESTED', dataset: 'd' }])).toHaveLength(1);
  });

  it('waits no more once the operator has asked or agreed, or where nobody here uses it', () => {
    expect(asks([made({}), made({ assignee: 'stack' })])).toEqual([]);
    expect(asks([made({})], [{ participant: 'stack', role: 'consumer', state: 'REQUESTED', dataset: 'd' }])).toEqual([]);
    expect(asks([made({ state: 'ended' }), made({ assigner: 'city', assignee: 'away' }), made({ assigner: 'city', assignee: 'vendor' })])).toEqual([]);
  });
});

describe('what waits for an answer', () => {
  const { t } = createI18n('nl', () => undefined);
  const names = { participant: (id: string | null | undefined) => id ?? '', dataset: (id: string | null | undefined) => id ?? '' };
  const made = (more: Partial<Negotiation>) => ({ id: 'n', participant: 'city', other: 'away', role: 'provider', state: 'REQUESTED', reason: 'waits for you: sign', dataset: 'd', offer: {}, ...more }) as Negotiation;
  const asked = (dataset: string) => ({ dataset }) as SubjectNotice;

  it('is a negotiation with another city in which it is my turn, and nobody else’s', () => {
    const found = toAnswer([made({}), made({ id: 'over', state: 'FINALIZED' }), made({ id: 'theirs', role: 'consumer' }), made({ id: 'other', participant: 'vendor' })], [], 'city', now, t, names);
    expect(found.map((one) => [one.title, one.to])).toEqual([[t.nodes.provider('away'), '/negotiations/n']]);
    expect(found[0]?.text).toMatch(/^d\. ./);
  });

  it('is no negotiation whose last day has passed', () => {
    const until = (day: string) => ({ permission: [{ action: 'read', constraint: [{ leftOperand: 'dateTime', operator: 'lteq', rightOperand: { '@value': `${day}T22:59:59Z` } }] }] }) as Negotiation['offer'];
    const found = toAnswer([made({ id: 'past', offer: until('2026-11-22') }), made({ offer: until('2026-11-23') })], [], 'city', now, t, names);
    expect(found.map((one) => one.key)).toEqual(['n']);
  });

  it('is what persons asked, told once', () => {
    const found = toAnswer([], [asked('d'), asked('e'), asked('d')], 'city', now, t, names);
    expect(found.map((one) => [one.title, one.text, one.to])).toEqual([['3 verzoeken van personen wachten op antwoord', 'd, e', '/agreements']]);
    expect(toAnswer([], [], 'city', now, t, names)).toEqual([]);
  });
});

describe('an example', () => {
  const wish = { origin: 'http://h', identity: 'vendor', dataset: 'urn:dmi:dataset:a:b', purpose: 'dmi:purpose:x', words: { token: 't', read: 'r', contribute: 'c' } };

  it('says how one gets a token: the demonstration lends one, whoever has a key proves it', () => {
    const lent = tokenExample('http://h', { id: 'officer', participant: 'urn:dmi:participant:city' });
    expect(lent).toContain("http://h/exchange/v1/demo/token");
    expect(lent).toContain('{"identity": "officer"}');
    expect(lent).not.toContain('\\\\');
    expect(tokenExample('http://h', { id: 'own', participant: 'urn:dmi:participant:city' })).toBe('export DMI_TOKEN=$(dmi token --key sleutel.jwk --participant urn:dmi:participant:city --url http://h)');
  });

  it('names the dataset, the purpose and the sensor of the agreement', () => {
    expect(readExample(wish)).toContain('/platform/v1/latest?dataset=urn:dmi:dataset:a:b');
    expect(readExample(wish)).toContain('"DMI-Purpose": "dmi:purpose:x"');
    expect(contributeExample(wish, 'b.c.d')).toContain('"datastream": ["b.c.d"]');
  });
});

describe('a look back', () => {
  const moment = { at: '2026-11-21T10:00:00Z', actual: 90, p10: 95, p50: 99, p90: 104 };

  it('shows what was seen beside the forecast, also where only one is known', () => {
    const part = { moments: [{ ...moment, p10: null, p50: null, p90: null }, moment] } as LookBackPart;
    expect(chartRows(part)).toEqual([
      { at: Date.parse(moment.at), value: null, low: null, high: null, second: 90 },
      { at: Date.parse(moment.at), value: 99, low: 95, high: 104, second: 90 },
    ]);
  });

  it('shows the time of a measure against crowding as a line of its own', () => {
    const during = { start: '2026-11-21T10:00:00Z', end: '2026-11-21T10:30:00Z' };
    const moments = ['09:59', '10:00', '10:29', '10:30'].map((at, n) => ({ at: `2026-11-21T${at}:00Z`, flow: n, level: null }));
    const rows = crowdRows({ during, moments } as unknown as CrowdLookBack);
    expect(rows.map((row) => row.value)).toEqual([0, null, null, 3]);
    expect(rows.map((row) => row.second)).toEqual([null, 1, 2, null]);
    expect(verdictOf({ look_back: { kind: 'crowd', verdict: 'below' } } as Measure)).toBe('below');
  });

  it('claims nothing that the service did not say', () => {
    expect(verdictOf({ look_back: null } as Measure)).toBeNull();
    expect(verdictOf({ look_back: { destination: null, hub: null, hub_change: null, caveat: '' } } as Measure)).toBe('unknown');
  });
});

describe('an error of a form', () => {
  const error = new ApiError('invalid', 400, { errors: [{ field: 'body.url', rule: 'is no address' }] });

  it('stands at the field that it is about', () => {
    expect(fieldError(error, 'url')).toBe('is no address');
    expect(fieldError(error, 'title')).toBeNull();
    expect(fieldError(null, 'url')).toBeNull();
    expect(fieldError(new ApiError('refused', 403, error.problem), 'url')).toBeNull();
  });
});

describe('proposals that wait for a signature', () => {
  it('are told to whom they wait for alone', () => {
    const { t } = createI18n('nl', () => undefined);
    const names = { participant: (id: unknown) => `naam ${String(id)}`, dataset: () => 'Geluid', purpose: () => 'elk doel' };
    const document = agreementOf({ assigner: 'city', assignee: 'stack', dataset: 'd', actions: ['dmi:read'], rulebook: '1.0.0', purpose: 'dmi:purpose:any' });
    const proposal = (state: string, waiting: string[]) => ({ id: state + waiting.join(''), assigner: 'city', assignee: 'stack', datasets: ['d'], state, waiting_for: waiting, document } as unknown as Agreement);
    const all = [proposal('proposed', ['stack']), proposal('proposed', ['city']), proposal('active', []), proposal('ended', ['stack'])];
    expect(toSign(all, 'stack', now, t, names).map(({ key, title, to }) => [key, title, to])).toEqual([['proposedstack', 'Voorstel van naam city', '/agreements/proposedstack']]);
  });

  it('are told no more once their last day has passed', () => {
    const { t } = createI18n('nl', () => undefined);
    const names = { participant: String, dataset: () => 'Geluid', purpose: () => 'elk doel' };
    const until = (day: string) => agreementOf({ assigner: 'city', assignee: 'stack', dataset: 'd', actions: ['dmi:read'], rulebook: '1.0.0', purpose: 'dmi:purpose:any', until: `${day}T22:59:59Z` });
    const proposal = (day: string) => ({ id: day, assigner: 'city', assignee: 'stack', datasets: ['d'], state: 'proposed', waiting_for: ['stack'], document: until(day) } as unknown as Agreement);
    expect(toSign([proposal('2026-11-22'), proposal('2026-11-23')], 'stack', now, t, names).map((one) => one.key)).toEqual(['2026-11-23']);
  });
});

describe('measures that wait for a decision', () => {
  it('are those whose time is not over', () => {
    const measure = (id: string, state: string, valid_to: string) => ({ id, state, valid_to }) as Measure;
    const all = [measure('over', 'proposed', '2026-11-23T12:00:00Z'), measure('decided', 'published', '2026-11-23T13:00:00Z'), measure('waits', 'proposed', '2026-11-23T13:00:00Z')];
    expect(undecided(all, now).map((one) => one.id)).toEqual(['waits']);
  });

  it('wait on the first screen only until the moment that they foretell', () => {
    const foretold = (id: string, valid_at: string) => ({ id, state: 'proposed', valid_to: '2026-11-23T13:00:00Z', properties: { valid_at } }) as unknown as Measure;
    expect(undecided([foretold('past', '2026-11-23T11:52:00Z'), foretold('ahead', '2026-11-23T12:30:00Z')], now).map((one) => one.id)).toEqual(['ahead']);
  });
});
