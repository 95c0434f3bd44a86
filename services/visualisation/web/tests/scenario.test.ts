import { describe, expect, it, vi } from 'vitest';
import type { FeatureCollection } from 'geojson';
import type { AreaResult, Beside, Scenario, ScenarioResult } from '../src/api';
import { HttpClient } from '../src/api/http';
import { supportApi } from '../src/api/support';
import { createI18n } from '../src/i18n';
import { areaRows, changes, rowOf } from '../src/pages/scenario/figures';
import { areaChoices } from '../src/pages/scenario/areas';
import { editWords } from '../src/pages/scenario/editWords';
import { paint } from '../src/pages/scenario/mapData';
import { shareLink } from '../src/pages/scenario/ScenarioHead';
import { sharedId } from '../src/pages/scenario/shared';
import { missingColour } from '../src/map/ramp';
import { filtered } from '../src/ui/DataTable';

const beside = (before: number | null, after: number | null, change: number | null): Beside => ({
  baseline: { jobs: before }, scenario: { jobs: after }, change: { jobs: change }, change_percent: { jobs: null },
  change_range: { jobs: change === null ? null : { low: change - 1, mid: change, high: change + 1 } },
});
const area = (id: string, one: Beside, suppressed = false): AreaResult => ({ id, name: `Buurt ${id}`, edits: [], suppressed, ...one });
const result = (title: string, areas: AreaResult[], total: Beside): ScenarioResult =>
  ({ title, areas, totals: { ...total, missing: {} }, split: [], sensitivity: [], notes: [], credits: [], coefficients: [], edits: [] }) as unknown as ScenarioResult;
const mine = result('Wonen', [area('a', beside(100, 80, -20)), area('b', beside(null, null, 5)), area('c', beside(null, null, null), true)], beside(100, 80, -20));
const other = result('Groen', [area('a', beside(100, 110, 10)), area('b', beside(null, null, 2))], beside(100, 110, 10));

describe('a comparison', () => {
  it('with the city shows change, share and range', () => {
    expect(rowOf({ result: mine, other: null }, 'jobs', null, 'stad')).toMatchObject({ left: 100, right: 80, change: -20, share: -0.2, range: { low: -21, high: -19 } });
  });

  it('with another scenario is right minus left, without a range', () => {
    const [first] = areaRows({ result: mine, other }, 'jobs');
    expect(first).toMatchObject({ left: 110, right: 80, change: -30, range: null });
    expect(first?.share).toBeCloseTo(-30 / 110);
  });

  it('knows what is added where the figure itself is not known', () => {
    const [, second] = areaRows({ result: mine, other: null }, 'jobs');
    expect(second).toMatchObject({ left: null, right: null, change: 5, share: null });
    expect(areaRows({ result: mine, other }, 'jobs')[1]?.change).toBe(3);
  });

  it('does not take a figure that is not shown for no change', () => {
    const [, , third] = areaRows({ result: mine, other: null }, 'jobs');
    expect(third).toMatchObject({ change: null, suppressed: true });
    expect(third && changes(third)).toBe(false);
  });
});

describe('the map of a comparison', () => {
  const areas: FeatureCollection = {
    type: 'FeatureCollection',
    features: ['a', 'c'].map((id) => ({ type: 'Feature', id, properties: { id }, geometry: { type: 'Point', coordinates: [5, 52] } })),
  };
  const i18n = createI18n('nl', () => undefined);
  const colours = (one: FeatureCollection) => one.features.map((f) => f.properties?.['_colour'] as string);

  it('has one legend for both sides, and grey for what is not shown', () => {
    const painted = paint(areas, areaRows({ result: mine, other }, 'jobs'), 'jobs', i18n);
    expect(colours(painted.left)[0]).not.toBe(colours(painted.right)[0]);
    expect(colours(painted.right)[1]).toBe(missingColour);
    expect(painted.values.at(-1)).toEqual([missingColour, i18n.t.scenarios.legendMissing]);
    const legend = painted.values.map(([colour]) => colour);
    for (const colour of [...colours(painted.left), ...colours(painted.right)]) expect(legend).toContain(colour);
  });

  it('shows less and more in two directions', () => {
    const painted = paint(areas, areaRows({ result: mine, other: null }, 'jobs'), 'jobs', i18n);
    expect(colours(painted.change)).toEqual([painted.changes[0]?.[0], missingColour]);
  });
});

describe('a link to a scenario', () => {
  const scenario = { id: 'x', share: 'share-abcdefghijklmnopqrst', version: 4 } as Scenario;

  it('keeps what is seen, and names the version so that it still opens when there are newer ones', () => {
    expect(shareLink('https://stad', scenario, new URLSearchParams('with=share-y&view=swipe'))).toBe('https://stad/scenarios/share-abcdefghijklmnopqrst?with=share-y&view=swipe&version=4');
    expect(shareLink('https://stad', scenario, new URLSearchParams('version=2'))).toContain('version=2');
  });

  it.each([
    ['https://stad/scenarios/share-abcdefghijklmnopqrst?version=4', 'share-abcdefghijklmnopqrst'],
    [' share-abcdefghijklmnopqrst ', 'share-abcdefghijklmnopqrst'],
    ['5ce00000-0000-4000-8000-000000000001', '5ce00000-0000-4000-8000-000000000001'],
    ['https://stad/map', null],
    ['../../me', null],
    ['', null],
  ])('is read back from what was pasted: %s', (text, id) => expect(sharedId(text)).toBe(id));
});

describe('an edit in words', () => {
  const i18n = createI18n('nl', () => undefined);
  const none: FeatureCollection = { type: 'FeatureCollection', features: [] };

  it('names what goes, where and what comes', () => {
    expect(editWords({ type: 'redevelop', area: { neighbourhood: 'BU1' }, from: 'office', mix: { housing: 0.6, green: 0.4 } }, none, [], i18n)).toBe('kantoren in BU1 worden 60% woningen, 40% groen');
  });

  it('tells a park apart from the neighbourhood of the same name, as the list of places does', () => {
    const place = (id: string, name: string, kind: string, at: number) => ({ type: 'Feature' as const, geometry: { type: 'Point' as const, coordinates: [at, 52] }, properties: { id, name, kind } });
    const areas: FeatureCollection = { type: 'FeatureCollection', features: [place('BU1', 'Westerpark', 'neighbourhood', 1), place('BU2', 'Molenhoek', 'neighbourhood', 2), place('p', 'Westerpark', 'area', 3), place('b', 'Molenhoek', 'building', 4)] };
    expect(areaChoices(areas, i18n.t)).toEqual([{ value: 'p', label: 'Westerpark (gebied)' }, { value: 'BU2', label: 'Molenhoek' }, { value: 'BU1', label: 'Westerpark (buurt)' }]);
    expect(areaChoices(areas, createI18n('en', () => undefined).t).map((one) => one.label)).toContain('Westerpark (neighbourhood)');
    expect(editWords({ type: 'redevelop', area: { neighbourhood: 'BU1' }, from: 'office', mix: { housing: 1 } }, areas, [], i18n)).toBe('kantoren in Westerpark (buurt) worden 100% woningen');
  });

  it('names an assumption by its label and unit', () => {
    const known = [{ name: 'x', label: { nl: 'Vloer per woning' }, unit: { nl: 'm²' }, value: 1, default: 1, low: 0, high: 2, source: '' }];
    expect(editWords({ type: 'coefficient', name: 'x', value: 85 }, none, known, i18n)).toBe('Aanname “Vloer per woning” wordt 85 m²');
  });
});

describe('the filter of a table', () => {
  it('finds rows that hold every word, in any order and case', () => {
    const rows = ['Garage Centrum', 'Garage Haven', 'P+R Noord'];
    expect(filtered(rows, ' haven garage', (one) => one)).toEqual(['Garage Haven']);
    expect(filtered(rows, '  ', (one) => one)).toEqual(rows);
    expect(filtered(rows, 'x', undefined)).toEqual(rows);
  });
});

describe('the list of scenarios', () => {
  function api(answers: unknown[]) {
    const send = vi.fn<typeof fetch>(() => Promise.resolve(new Response(JSON.stringify(answers.shift()), { headers: { 'content-type': 'application/json' } })));
    const http = new HttpClient({ token: () => Promise.resolve('a'), renew: () => Promise.resolve(null), purpose: () => '' }, send);
    return { support: supportApi(http), send, paths: () => send.mock.calls.map(([path]) => path) };
  }

  it('is read to its end, in parts of a hundred', async () => {
    const { support, paths } = api([{ items: [{ id: 'a' }], next: '5~a' }, { items: [{ id: 'b' }], next: null }]);
    expect((await support.scenarios()).map((one) => one.id)).toEqual(['a', 'b']);
    expect(paths()).toEqual(['/support-centre/v1/scenarios?limit=100', '/support-centre/v1/scenarios?limit=100&cursor=5%7Ea']);
  });

  it('is rid of one that is deleted', async () => {
    const { support, send } = api([]);
    send.mockResolvedValueOnce(new Response(null, { status: 204 }));
    await support.deleteScenario('a/b');
    expect(send.mock.calls.map(([path, sent]) => [sent?.method, path])).toEqual([['DELETE', '/support-centre/v1/scenarios/a%2Fb']]);
  });

  it('begins with the newest, of which a first page shows a few', async () => {
    const { support, paths } = api([{ items: [{ id: 'a' }], next: '5~a' }]);
    expect((await support.newestScenarios(6)).map((one) => one.id)).toEqual(['a']);
    expect(paths()).toEqual(['/support-centre/v1/scenarios?limit=6']);
  });
});
