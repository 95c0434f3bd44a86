import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';
import type { Agreement, Layer, LayerFeatures, LogEntry, Negotiation } from '../src/api';
import { ApiError } from '../src/api/problem';
import { useAction } from '../src/app/useAction';
import { useHeld } from '../src/app/useHeld';
import { useResource } from '../src/app/useResource';
import { Delivery } from '../src/pages/agreement/Delivery';
import { EndDialog } from '../src/pages/agreement/EndDialog';
import { Notices } from '../src/pages/agreement/Notices';
import { Standing } from '../src/pages/agreement/Standing';
import { nl } from '../src/i18n/nl';
import { OperatorHome } from '../src/pages/home/others';
import { Why } from '../src/pages/log/LogTable';
import { LayerItem, type LayerItemProps } from '../src/pages/map/LayerItem';
import MyDataPage from '../src/pages/MyDataPage';
import { useFirst } from '../src/pages/map/useFirst';
import NegotiationPage from '../src/pages/NegotiationPage';
import { Level, Scores } from '../src/pages/ForecastsPage';
import { Difference } from '../src/pages/negotiate/Difference';
import { agreementOf } from '../src/rights/templates';
import { ConfirmDialog } from '../src/ui/Dialog';
import { Failure } from '../src/ui/State';
import { shown, somebody } from './page';

const city = 'urn:dmi:participant:gemeente';
const vendor = 'urn:dmi:participant:parkwijs';
const garages = 'urn:dmi:dataset:gemeente:garages';
const officer = somebody(city);
const agreement = (change: Partial<Agreement> = {}, until?: string): Agreement => ({
  id: 'a', assigner: city, assignee: vendor, datasets: [garages], consent: false, state: 'proposed', signatures: {}, waiting_for: [city],
  document: agreementOf({ assigner: city, assignee: vendor, dataset: garages, actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', rulebook: '1.0.0', until }),
  concluded_at: null, ended_at: null, ended_by: null, end_reason: null, ...change,
});

describe('the difference of two proposals', () => {
  it('strikes through only what goes from a list', async () => {
    const changes = [
      { key: 'a', clause: 'Mag', before: 'analyseren', after: null, list: true },
      { key: 'b', clause: 'Doel', before: 'mobiliteit', after: 'geluid', list: false },
    ];
    const page = await shown(<Difference changes={changes} none="" />, officer);
    expect([...page.querySelectorAll('dd')].map((one) => one.textContent)).toEqual(['Vervalt analyseren', 'Komt erbij niets', 'Was mobiliteit', 'Wordt geluid']);
    expect([...page.querySelectorAll('del, ins')].map((one) => one.textContent)).toEqual(['analyseren', 'mobiliteit', 'geluid']);
  });
});

describe('a proposal', () => {
  it('waits for nobody once its last day has passed', async () => {
    const standing = async (until?: string) => (await shown(<Standing agreement={agreement({}, until)} />, officer)).textContent;
    expect(await standing('2020-01-01T22:59:59Z')).toContain('De laatste dag van dit voorstel is voorbij');
    expect(await standing()).toContain('U bent aan zet');
  });
});

describe('a layer of the map', () => {
  const none: LayerFeatures = { type: 'FeatureCollection', features: [] };
  const props = {
    layer: { id: 'bus', kind: 'vehicles', title: 'Bus', owner: city, latest: '2026-11-23T11:00:00Z' } as Layer,
    live: { features: null, gone: new Set<string>(), resource: { data: null, error: null, loading: false, at: null, reload: () => undefined }, stream: 'live', ended: null },
    error: null, shape: 'circle', shown: none, total: none, annotated: null, properties: [], property: '', on: true, opacity: 1, first: true, last: true,
    onTurn: () => undefined, onOpacity: () => undefined, onMove: () => undefined, onProperty: () => undefined, onTable: () => undefined, onRetry: () => undefined,
  } satisfies Omit<LayerItemProps, 'at'>;

  it('says of an earlier moment without measurements that it has none of then', async () => {
    const page = await shown(<LayerItem {...props} at={Date.parse('2026-11-22T12:00:00Z')} />, officer);
    expect(page.textContent).toContain('Stand van 22 nov 2026, 13:00');
    expect(page.textContent).toContain('Op dat moment is hier niets gemeten');
    expect(page.textContent).not.toMatch(/nog geen meting|op dit moment/);
  });
});

describe('a level of crowding', () => {
  it('carries the tick of what is calm only where it is, and a word of its own', async () => {
    const page = await shown(<>{['A', 'C', 'F', 'X', null].map((level) => <Level key={level} level={level} />)}</>, officer);
    const badges = [...page.querySelectorAll('.dmi-badge')];
    expect(badges.map((one) => one.textContent)).toEqual(['A: rustig', 'C: iets druk', 'F: gevaarlijk druk', 'X', 'geen gegevens']);
    expect(badges.map((one) => one.classList.contains('dmi-badge--good'))).toEqual([true, false, false, false, false]);
  });
});

describe('the errors of forecasts', () => {
  it('stand in their unit, with as many digits each', async () => {
    const score = { place: 'g', horizon_min: 15, mae: 3.31, mae_persistence: 19, mae_last_week: null, coverage: 0.884, count: 190 };
    const page = await shown(<Scores place="g" unit="{vehicle}" />, officer, { '/support-centre/v1/forecasts/scores': { items: [score] } });
    expect(page.querySelector('thead')?.textContent).toMatch(/Fout van de verwachting \(auto’s\).*“blijft zoals nu” \(auto’s\).*“vorige week” \(auto’s\)/);
    expect([...page.querySelectorAll('tbody td, tbody th')].map((one) => one.textContent).slice(1, 4)).toEqual(['3,3', '19,0', 'geen gegevens']);
  });
});

describe('an entry of the log about the own data of a person', () => {
  const noor = 'urn:dmi:person:noor';
  const entry = (assignee: string | null) => ({ assignee, crossing: 'query', action: 'dmi:read', reasons: ['own_data: it asks for its own data'], agreements: [], actor: null, mandate: null }) as unknown as LogEntry;

  it('is told as the reader’s own to that person alone', async () => {
    const told = async (who: string, assignee: string | null) => (await shown(<Why entry={entry(assignee)} />, somebody(who))).textContent;
    expect(await told(noor, noor)).toBe('Gegevens van uzelf.');
    expect(await told(city, noor)).toBe('Gegevens van de persoon zelf.');
    expect(await told(city, null)).toBe('Gegevens van de persoon zelf.');
  });
});

describe('the own data of a person without consents', () => {
  const noor = somebody('urn:dmi:person:noor', 'resident');
  const parking = 'urn:dmi:dataset:gemeente:parking';
  const row = { datastream: 'p', phenomenon_time: '2026-11-23T11:00:00Z', result: 1, unit: '1', flag: 1 };
  const answers = (needs_consent: boolean, rows: unknown[]) => ({
    '/exchange/v1/consents': { items: [], next: null },
    '/exchange/v1/my-data/datasets': { items: [{ id: parking, title: { nl: 'Parkeren' }, owner_name: 'Gemeente', purpose: 'dmi:purpose:public-task', needs_consent, consented: false, held: true }], next: null },
    '/platform/v1/latest': { items: rows, next: null },
  });
  const told = async (of: Record<string, unknown>) => (await shown(<MyDataPage />, noor, of)).textContent;

  it('tells what is kept on another basis, and that it may be used', async () => {
    const page = await told(answers(false, [row]));
    expect(page).toContain('U hebt geen toestemming gegeven. Sommige gegevens van u mogen zonder toestemming worden gebruikt.');
    expect(page).not.toMatch(/Er wordt niets van u gemeten|Niemand mag uw gegevens gebruiken/);
  });

  it('says that there is nothing, and that nobody may use it, only where that is known', async () => {
    expect(await told(answers(false, []))).toMatch(/Er wordt niets van u gemeten.*Niemand mag uw gegevens gebruiken/);
    expect(await told({ '/exchange/v1/consents': { items: [], next: null } })).not.toMatch(/Er wordt niets van u gemeten|Niemand mag uw gegevens gebruiken/);
  });
});

describe('the delivery of another city', () => {
  const abroad = { '/exchange/v1/participants': { items: [{ id: city, name: 'Gemeente', home: 'https://far/exchange', active: true }], next: null }, '/exchange/v1/transfers': { items: [], next: null } };

  it('is offered to be fetched while the agreement runs, and not after', async () => {
    const told = async (change: Partial<Agreement>, until?: string) => (await shown(<Delivery agreement={agreement({ waiting_for: [], ...change }, until)} />, somebody(vendor), abroad)).textContent;
    expect(await told({ state: 'active' })).toMatch(/Haal de gegevens op bij Gemeente.*Haal de gegevens op$/);
    for (const over of [await told({ state: 'ended' }), await told({ state: 'active' }, '2020-01-01T22:59:59Z')]) {
      expect(over).toContain('De afspraak loopt niet meer');
      expect(over).not.toContain('Haal de gegevens op');
    }
  });
});

describe('a signature that does not hold', () => {
  const failed = (field: string) => new ApiError('invalid', 400, { detail: `${field}: the signing key is not one of this participant's keys`, errors: [{ field, rule: 'the signing key is not one' }] });

  it('is told as a key that counts no more, and what to do, without words of the interface', async () => {
    for (const field of ['jws', 'hosted']) {
      const { textContent } = await shown(<Failure error={failed(field)} />, officer);
      expect(textContent).toContain('Er is niet ondertekend');
      expect(textContent).toContain('om met de nieuwe sleutel te ondertekenen');
      expect(textContent).not.toMatch(/jws|hosted|signing key|Kijk de velden na/);
    }
    expect((await shown(<Failure error={failed('title')} />, officer)).textContent).toContain('Kijk de velden na');
  });
});

describe('the question before something final', () => {
  it('keeps the focus on its button while it is done, and does it once', async () => {
    const confirmed = vi.fn();
    const page = await shown(<ConfirmDialog open busy title="t" confirm="Ja" onConfirm={confirmed} onClose={() => undefined}>x</ConfirmDialog>, officer);
    const button = page.querySelector<HTMLButtonElement>('button[type=submit]');
    expect([button?.disabled, button?.getAttribute('aria-disabled')]).toEqual([false, 'true']);
    await act(async () => {
      button?.click();
      await Promise.resolve();
    });
    expect(confirmed).not.toHaveBeenCalled();
  });
});

describe('what is wrong with a field', () => {
  it('is told once, where the sentence says no more than the list', async () => {
    const failed = (detail: string) => new ApiError('invalid', 400, { detail, errors: [{ field: 'area', rule: 'is leeg' }] });
    const told = async (detail: string) => (await shown(<Failure error={failed(detail)} />, officer)).textContent;
    expect((await told('area: is leeg')).match(/is leeg/g)).toHaveLength(1);
    expect(await told('zo kan het niet')).toContain('zo kan het niet');
  });
});

describe('the question before a stop', () => {
  it('names the other agreements by which the use goes on', async () => {
    const runs = (id: string, change: Partial<Agreement> = {}, until?: string) => agreement({ id, state: 'active', waiting_for: [], concluded_at: '2026-11-23T11:00:00Z', ...change }, until);
    const open = runs('open', { assignee: 'urn:dmi:party:everyone' });
    const none = [runs('ended', { state: 'ended' }), runs('passed', {}, '2020-01-01T22:59:59Z'), runs('other', { assignee: 'urn:dmi:participant:buurstad' }), runs('else', { datasets: ['urn:dmi:dataset:gemeente:bikes'] })];
    const page = async (items: Agreement[], ends = runs('a')) => shown(<EndDialog agreement={ends} onClose={() => undefined} onDone={() => undefined} />, officer, { '/exchange/v1/agreements': { items, next: null } });
    const links = (place: HTMLElement) => [...place.querySelectorAll('a')].map((one) => one.getAttribute('href'));
    const named = await page([runs('a'), runs('twin'), open, ...none]);
    expect(links(named)).toEqual(['/agreements/twin', '/agreements/open']);
    expect(named.textContent).toContain('het gebruik gaat door onder deze andere afspraken');
    expect((await page([runs('a'), ...none])).textContent).not.toContain('gaat door');
    expect(links(await page([runs('twin')], agreement()))).toEqual([]);
  });
});

describe('a focus that is lost by what was done', () => {
  function Part({ state, own }: { state: string; own?: boolean }) {
    useHeld(state);
    return <>{own || state === 'proposed' ? <button type="button">sign</button> : null}<h1>title</h1></>;
  }

  it('goes to the title of the page, and stays where it is not lost', () => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    for (const own of [false, true]) {
      document.body.replaceChildren();
      const root = createRoot(document.body.appendChild(document.createElement('div')));
      act(() => root.render(<Part state="proposed" own={own} />));
      document.querySelector('button')?.focus();
      act(() => root.render(<Part state="active" own={own} />));
      expect(document.activeElement?.tagName).toBe(own ? 'BUTTON' : 'H1');
    }
  });
});

describe('what a person asked of who received its data', () => {
  const noor = 'urn:dmi:person:noor';
  const notice = { id: 'n', right: 'erasure', state: 'active', dataset: garages, person: noor, named: true, given: [], until: null, made_at: '2026-11-23T11:00:00Z', corrections: [] };
  const answers = (named: boolean) => ({
    '/exchange/v1/notices': { items: [{ ...notice, named }], next: null },
    '/exchange/v1/participants': { items: [{ id: noor, name: 'Noor', active: true }], next: null },
  });

  it('is answered only by a choice, and by nobody beforehand', async () => {
    const asked: string[] = [];
    const page = await shown(<Notices />, officer, answers(true), 'nl', (path) => asked.push(path));
    expect([...page.querySelectorAll<HTMLInputElement>('input[type=radio]')].map((one) => one.checked)).toEqual([false, false]);
    await act(async () => {
      page.querySelector<HTMLButtonElement>('button[type=submit]')?.click();
      await Promise.resolve();
    });
    expect(page.querySelector('fieldset')?.textContent).toContain('Maak een keuze');
    expect(asked.filter((path) => path.endsWith('/answer'))).toEqual([]);
  });

  it('names the person where the rows do', async () => {
    const told = async (named: boolean) => (await shown(<Notices />, officer, answers(named))).querySelector('dd')?.textContent;
    expect(await told(true)).toBe(`Noor${noor}`);
    expect(await told(false)).not.toContain('Noor');
  });
});

describe('what waits for the operator', () => {
  const none = { items: [], next: null };
  const told = async (answers: Record<string, unknown>) => (await shown(<OperatorHome />, somebody('urn:dmi:participant:stack', 'operator'), answers)).querySelector('section')?.textContent;

  it('is nothing only where all of it could be asked', async () => {
    const all = { '/exchange/v1/agreements': none, '/exchange/v1/negotiations': none, '/exchange/v1/notices': none };
    expect(await told(all)).toContain(nl.home.waitingNone);
    for (const path of Object.keys(all)) {
      const page = await told(Object.fromEntries(Object.entries(all).filter(([one]) => one !== path)));
      expect(page).toContain('Dit overzicht is niet compleet');
      expect(page).not.toContain(nl.home.waitingNone);
    }
  });
});

describe('a refusal whose ground has ended', () => {
  const told = async (agreement: string) => (await shown(<Failure error={new ApiError('refused', 403, { agreement, reasons: [{ code: 'ended', detail: '' }] })} owner={city} />, somebody(vendor))).textContent;

  it('says how to make an agreement again, of an agreement alone', async () => {
    expect(await told('urn:uuid:a')).toContain('dezelfde afspraak opnieuw');
    expect(await told(garages)).not.toContain('dezelfde afspraak opnieuw');
  });
});

describe('the box that a map opens on', () => {
  it('is the first that is known, whatever comes in later', () => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    const root = createRoot(document.body.appendChild(document.createElement('div')));
    const seen: (string | null)[] = [];
    function Part({ box }: { box: string | null }) {
      seen.push(useFirst(box));
      return null;
    }
    for (const box of [null, 'a', 'b']) act(() => root.render(<Part box={box} />));
    expect([seen[0], ...new Set(seen.slice(1))]).toEqual([null, 'a']);
  });
});

describe('a service that is too busy', () => {
  const told = async (left: ApiError['left'], after: number | null = 5) => (await shown(<Failure error={new ApiError('busy', 503, {}, after).leaving(left)} />, officer)).textContent;

  it('is told after an action as nothing done, and to try again', async () => {
    expect(await told('undone')).toMatch(/Dit is niet uitgevoerd\.Probeer het over 5 seconden opnieuw\.$/);
    expect(await told('undone', null)).toMatch(/Dit is niet uitgevoerd\.Probeer het zo opnieuw\.$/);
  });

  it('is told of what is read as coming by itself, only where that is so', async () => {
    expect(await told('repeats')).toMatch(/bereikbaar\. Dit wordt vanzelf opnieuw opgehaald\.$/);
    expect(await told(null)).toMatch(/bereikbaar\.Probeer het over 5 seconden opnieuw\.$/);
  });

  it('is told so by what acts and by what reads', async () => {
    const found: Record<string, ApiError['left'] | undefined> = {};
    const busy = () => Promise.reject(new ApiError('busy', 503, {}, 5));
    function Both() {
      found['repeating'] = useResource('a', busy, 60_000).error?.left;
      found['once'] = useResource('b', busy).error?.left;
      const { run, error } = useAction(busy);
      found['action'] = error?.left;
      return <button type="button" onClick={() => void run()}>go</button>;
    }
    const page = await shown(<Both />, officer);
    await act(async () => {
      page.querySelector('button')?.click();
      await Promise.resolve();
    });
    expect(found).toEqual({ repeating: 'repeats', once: null, action: 'undone' });
  });
});

describe('conditions that another city proposes', () => {
  const offer = { '@id': 'urn:uuid:o', permission: [{ action: 'dmi:read', target: garages, constraint: [{ leftOperand: 'purpose', operator: 'isA', rightOperand: 'dmi:purpose:mobility' }] }] };
  const one = {
    id: 'n', participant: vendor, other: city, role: 'consumer', state: 'OFFERED', reason: 'waits for you: the provider offers its terms', dataset: garages, offer, offer_before: null,
    offered_by: 'provider', ended_by: null, stopped_at: null, pending: 0, kept: false, agreement: null, changed_at: '2026-11-23T11:00:00Z',
  } as unknown as Negotiation;
  const press = (page: HTMLElement, name: string) => act(async () => {
    [...page.querySelectorAll('button')].find((each) => each.textContent === name)?.click();
    await Promise.resolve();
  });

  it('are signed only after a question that says what is signed', async () => {
    const asked: string[] = [];
    const page = await shown(<NegotiationPage params={{ id: 'n' }} />, somebody(vendor), { '/exchange/v1/negotiations/n': one }, 'nl', (path) => asked.push(path));
    await press(page, 'Onderteken deze voorwaarden');
    expect(page.querySelector('dialog')?.textContent).toMatch(/Deze voorwaarden ondertekenen\?.*ondertekent het de afspraak daarna voor u.*Mag: opvragen/);
    expect(asked.filter((path) => path.endsWith('/accept'))).toEqual([]);
    await press(page, 'Ja, onderteken');
    await vi.waitFor(() => expect(asked.filter((path) => path.endsWith('/accept'))).toHaveLength(1));
  });
});
