import { act, createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';
import type { Layer, LayerFeature, LayerFeatures } from '../src/api';
import { isArchive } from '../src/app/useNow';
import { createI18n } from '../src/i18n';
import { openingBox } from '../src/map/bounds';
import { readCoordinates } from '../src/map/coordinates';
import { fromRdNew, toRdNew } from '../src/map/rd';
import { distanceField, distanceTo, shapes, shapesOf, storedShapes, storeShapes } from '../src/map/shapes';
import { baseStyle, inDrawingOrder, pointLayers, valueLayer } from '../src/map/style';
import { annotate, annotateAreas, classes } from '../src/pages/map/annotate';
import { hindranceOf, readSeries } from '../src/pages/map/compare';
import { boundedValue, countFilters, filtered, noFilters, passes, readFilters, readNumber, writeFilters, type Filters } from '../src/pages/map/filters';
import { boxOf, fromService, sensors, together, typed } from '../src/pages/map/find';
import { useSought } from '../src/pages/map/useSought';
import { earlierThan, momentOf, momentsAt, positionOf, readMoment, step, writeMoment } from '../src/pages/map/moment';

const now = new Date('2026-11-21T12:07:00Z');

function sensor(id: string, more: Partial<LayerFeature['properties']> = {}): LayerFeature {
  return {
    type: 'Feature', geometry: { type: 'Point', coordinates: [5.1, 52.1] },
    properties: { id, datastream: id, name: `Garage ${id}`, observed_property: 'occupancy', result: 50, unit: '{vehicle}', capacity: 100, flag: 1, phenomenon_time: '2026-11-21T12:06:00Z', ...more },
  };
}
const collection = (...features: LayerFeature[]): LayerFeatures => ({ type: 'FeatureCollection', features });
const layer = (id: string, kind: Layer['kind']): Layer => ({ id, kind, title: id, properties: [], owner: 'x', latest: null, refused: null });

describe('the moments of the slider', () => {
  const moments = momentsAt(now.getTime());

  it('are the quarters of the last day, and live after them', () => {
    expect(moments.live).toBe(96);
    expect(new Date(moments.last).toISOString()).toBe('2026-11-21T12:00:00.000Z');
    expect(now.getTime() - moments.first).toBeLessThanOrEqual(24 * 3_600_000);
    expect(momentOf(96, moments)).toBeNull();
    expect(momentOf(0, moments)).toBe(moments.first);
    for (const position of [0, 7, 95, 96]) expect(positionOf(momentOf(position, moments), moments)).toBe(position);
  });

  it('are read from the address, and not when they are too old, to come, or no time at all', () => {
    expect(readMoment('2026-11-21T09:20:00Z', moments)).toBe(Date.parse('2026-11-21T09:15:00Z'));
    expect(readMoment('2026-11-20T09:20:00Z', moments)).toBeNull();
    expect(readMoment('2026-11-22T09:20:00Z', moments)).toBeNull();
    expect(readMoment('soon', moments)).toBeNull();
    expect(readMoment(null, moments)).toBeNull();
    expect(writeMoment(moments.last)).toBe('2026-11-21T12:00:00Z');
  });

  it('compare with six hours before, or with the first there is', () => {
    expect(earlierThan(null, moments)).toBe(moments.last - 24 * step);
    expect(earlierThan(moments.first + step, moments)).toBe(moments.first);
  });
});

describe('what the map opens on', () => {
  const at = (x: number, y: number) => ({ type: 'Feature' as const, geometry: { type: 'Point' as const, coordinates: [x, y] }, properties: {} });

  it('is the background, and where that holds nothing what the layers show', () => {
    expect(openingBox([at(5, 52), at(6, 53)], [at(4, 51)])).toEqual([5, 52, 6, 53]);
    expect(openingBox([], [at(4, 51), at(4.5, 51.5)])).toEqual([4, 51, 4.5, 51.5]);
    expect(openingBox([], [])).toBeNull();
  });
});

describe('filters', () => {
  const late = sensor('late', { phenomenon_time: '2026-11-21T11:00:00Z' });
  const failed = sensor('failed', { flag: 4, result: 90 });
  const missing = sensor('missing', { result: null, flag: 9 });
  const crowd = sensor('crowd', { observed_property: 'crowd_count', result: 90, capacity: null });
  const area: LayerFeature = { type: 'Feature', geometry: null, properties: { id: 'area' } };
  const all = collection(sensor('good'), late, failed, missing, crowd, area);
  const ids = (f: Partial<Filters>) => filtered(all, { ...noFilters, ...f }, now).features.map((one) => one.properties.id);

  it('leave everything as it is when there are none', () => {
    expect(filtered(all, noFilters, now)).toBe(all);
  });

  it('choose by kind, quality and age, and never hide areas', () => {
    expect(ids({ properties: ['crowd_count'] })).toEqual(['crowd', 'area']);
    expect(ids({ quality: 'flagged' })).toEqual(['failed', 'missing', 'area']);
    expect(ids({ quality: 'unflagged' })).toEqual(['good', 'late', 'crowd', 'area']);
    expect(ids({ age: 'late' })).toEqual(['late', 'area']);
    expect(ids({ age: 'fresh', properties: ['occupancy'] })).toEqual(['good', 'failed', 'missing', 'area']);
  });

  it('count bounds on a share in percent, both bounds included, and pass nothing without a value', () => {
    expect(boundedValue(sensor('x', { result: 40, capacity: 80 }))).toBe(50);
    expect(ids({ properties: ['occupancy'], low: 50, high: 89 })).toEqual(['good', 'late', 'area']);
    expect(ids({ properties: ['occupancy'], high: 90 })).toEqual(['good', 'late', 'failed', 'area']);
  });

  it('count as late what was late at the shown moment', () => {
    expect(passes(late, { ...noFilters, age: 'fresh' }, new Date('2026-11-21T11:05:00Z'))).toBe(true);
  });

  it('count an archive as neither fresh nor late', () => {
    const old = sensor('old', { phenomenon_time: '2016-11-21T11:00:00Z' });
    expect(passes(old, { ...noFilters, age: 'fresh' }, now)).toBe(false);
    expect(passes(old, { ...noFilters, age: 'late' }, now)).toBe(false);
    expect(passes(old, noFilters, now)).toBe(true);
    expect([isArchive('2026-10-23T12:07:00Z', now), isArchive('2026-10-22T12:06:00Z', now)]).toEqual([false, true]);
  });

  it('survive the address, where bounds belong to one property', () => {
    const some: Filters = { properties: ['occupancy'], quality: 'flagged', age: 'late', low: 1.5, high: null };
    const query = new URLSearchParams(Object.entries(writeFilters(some)).filter((one): one is [string, string] => one[1] !== null));
    expect(readFilters(query)).toEqual(some);
    expect(readFilters(new URLSearchParams('property=a,b&low=3&quality=odd'))).toEqual({ ...noFilters, properties: ['a', 'b'] });
    expect(countFilters(some)).toBe(4);
  });

  it('read a number with a decimal comma, and nothing from what is none', () => {
    expect(readNumber(' 1,5 ')).toBe(1.5);
    expect(readNumber('')).toBeNull();
    expect(readNumber('veel')).toBeNull();
  });
});

describe('coordinates', () => {
  it('come back from RD New to where they were, within a decimetre', () => {
    for (const [x, y] of [[155000, 463000], [121687, 487326], [207603, 474037], [30000, 390000]] as const) {
      const back = fromRdNew(x, y);
      const again = back && toRdNew(...back);
      expect(Math.hypot((again?.[0] ?? 0) - x, (again?.[1] ?? 0) - y)).toBeLessThan(0.1);
    }
    expect(fromRdNew(-900_000, 463_000)).toBeNull();
  });

  it.each([
    ['5.1, 52.1', 'wgs84', 5.1], ['52.1 5.1', 'wgs84', 5.1], ['52,1; 5,1', 'wgs84', 5.1], ['5.100000, 52.100000', 'wgs84', 5.1],
    ['52.1 N, 5.1 E', 'wgs84', 5.1], ['155000, 463000', 'rd', 5.3872], ['155000 463000', 'rd', 5.3872],
  ])('are read from "%s"', (text, system, longitude) => {
    const found = readCoordinates(text);
    expect(found?.system).toBe(system);
    expect(found?.point[0]).toBeCloseTo(longitude, 4);
  });

  it.each(['Merelstraat 12', '12', '0, 0', '48.85, 2.35', '155000', '1, 2, 3', ''])('are not read from "%s"', (text) => {
    expect(readCoordinates(text)).toBeNull();
  });
});

describe('search', () => {
  it('goes to where a sensor is now, also one that moves, and else to the place that was found', () => {
    expect(boxOf({ bbox: null }, [5.1, 52.1])).toEqual([5.1, 52.1, 5.1, 52.1]);
    expect(boxOf({ bbox: [5, 52, 6, 53] }, null)).toEqual([5, 52, 6, 53]);
    expect(boxOf({ bbox: null }, null)).toBeNull();
  });

  it('goes to a sensor of a layer that was off once its place is known, and only while it is the chosen one', () => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    const places = new Map<string, [number, number]>();
    const went: [number, number][] = [];
    let seek: (sensor: string | null) => void = () => undefined;
    const root = createRoot(document.createElement('div'));
    const Probe = ({ chosen }: { chosen: string; turn: number }) => {
      const go = useSought(chosen, (sensor) => places.get(sensor) ?? null, (point) => went.push(point));
      useEffect(() => { seek = go; }, [go]);
      return null;
    };
    let turn = 0;
    const show = (chosen: string) => act(() => root.render(createElement(Probe, { chosen, turn: (turn += 1) })));
    show('buses 1');
    act(() => seek('buses 7'));
    places.set('buses 1', [1, 1]);
    show('buses 1');
    show('buses 7');
    expect(went).toEqual([]);
    places.set('buses 7', [5.1, 52.1]);
    show('buses 7');
    show('buses 7');
    expect(went).toEqual([[5.1, 52.1]]);
    vi.unstubAllGlobals();
  });

  const layers = [{ layer: layer('urn:garages', 'points'), features: collection(sensor('centrum'), sensor('markt')) }];

  it('offers typed coordinates in both systems', () => {
    expect(typed('155000, 463000')[0]).toMatchObject({ kind: 'coordinates', name: 'RD 155000, 463000', hint: { text: 'WGS84 5.387206, 52.155174' } });
  });

  it('finds sensors of the layers at hand by all words, from two letters on', () => {
    expect(sensors('garage cen', layers).map((one) => one.sensor?.id)).toEqual(['centrum']);
    expect(sensors('g', layers)).toEqual([]);
    expect(sensors('garage', layers, 1)).toHaveLength(1);
  });

  it('opens a sensor of the service only when its layer can be drawn, and shows each once', () => {
    const place = { id: 'centrum', dataset: 'urn:garages', kind: 'datastream' as const, name: 'Garage centrum', observed_property: 'occupancy', neighbourhood: null, bbox: null };
    const found = fromService([place, { ...place, dataset: 'urn:other' }], [layer('urn:garages', 'points')]);
    expect(found.map((one) => one.sensor?.layer ?? null)).toEqual(['urn:garages', null]);
    expect(together(found, sensors('centrum', layers))).toHaveLength(2);
  });
});

describe('marks', () => {
  it('have an edge at the same distance from the middle on every axis, and differ between', () => {
    for (const shape of shapes) {
      expect(distanceTo(shape, 0, 0)).toBeLessThan(-10);
      expect(distanceTo(shape, 23, 23)).toBeGreaterThan(0);
    }
    const { data, width } = distanceField('circle');
    expect(data[(24 * width + 24) * 4 + 3]).toBe(255);
    expect(data[3]).toBe(0);
    expect(new Set(shapes.map((shape) => distanceTo(shape, 11, 12).toFixed(2))).size).toBe(shapes.length);
  });

  it('stay as they are when a layer is added or goes, and a new layer takes one that is free', () => {
    const before = shapesOf([layer('b', 'points'), layer('c', 'points')]);
    expect([...before]).toEqual([['b', 'circle'], ['c', 'square']]);
    const after = shapesOf([layer('a', 'points'), layer('b', 'points'), layer('c', 'points')], before);
    expect([after.get('a'), after.get('b'), after.get('c')]).toEqual(['diamond', 'circle', 'square']);
    expect(shapesOf([layer('c', 'points')], after).get('c')).toBe('square');
    storeShapes(after);
    expect(storedShapes()).toEqual(after);
    localStorage.setItem('dmi.shapes', 'no JSON');
    expect(storedShapes()).toEqual(new Map());
    localStorage.removeItem('dmi.shapes');
  });

  it('of clusters have two rings and a times sign, unlike a value', () => {
    const palette = { ground: '#fff', area: '#fff', line: '#000', text: '#000', halo: '#fff', accent: '#00f', second: '#a8480a', bad: '#f00' };
    const layers = pointLayers('x', palette, 1, 'circle');
    expect(layers.map((one) => one.id)).toEqual(['x/ring', 'x/cluster', 'x/point', 'x/flag', 'x/label']);
    expect(JSON.stringify(layers[1]?.layout)).toContain('"×"');
    expect(JSON.stringify(layers[2]?.layout)).not.toContain('×');
  });

  it('take their room, and labels find one that no mark or other label stands on', () => {
    const palette = { ground: '#fff', area: '#fff', line: '#000', text: '#000', halo: '#fff', accent: '#00f', second: '#a8480a', bad: '#f00' };
    const layout = (one: { layout?: unknown } | undefined) => (one?.layout ?? {}) as Record<string, unknown>;
    const [ring, , point, , label] = pointLayers('x', palette, 1, 'circle').map(layout);
    for (const mark of [ring, point]) expect([mark?.['icon-allow-overlap'], mark?.['icon-ignore-placement']]).toEqual([true, undefined]);
    const names = layout(baseStyle(palette, null).layers.find((one) => one.id === 'background-name'));
    for (const words of [label, names, layout(valueLayer('x', palette))]) {
      expect([words?.['text-allow-overlap'], words?.['text-ignore-placement']]).toEqual([undefined, undefined]);
      expect((words?.['text-variable-anchor-offset'] as unknown[]).length).toBeGreaterThan(4);
    }
  });

  it('stand over the labels, and labels over all that is filled', () => {
    const points = (id: string) => ({ ids: [`${id}/ring`, `${id}/point`, `${id}/label`], filled: false });
    const area = { ids: ['area/area', 'area/value'], filled: true };
    expect(inDrawingOrder([points('a'), points('b'), area])).toEqual([
      'area/area', 'area/value', 'b/label', 'a/label', 'background-name', 'b/ring', 'b/point', 'a/ring', 'a/point',
    ]);
    // Somebody moved the areas between the two: what lies under them is no reason for a label to give way.
    expect(inDrawingOrder([points('a'), area, points('b')])).toEqual([
      'b/ring', 'b/point', 'area/area', 'b/label', 'area/value', 'a/label', 'background-name', 'a/ring', 'a/point',
    ]);
    expect(inDrawingOrder([])).toEqual(['background-name']);
  });

  it('differ by layer whatever the order of the list', () => {
    const layers = [layer('b', 'points'), layer('a', 'points'), layer('v', 'vehicles')];
    expect([...shapesOf(layers)]).toEqual([['a', 'circle'], ['b', 'square'], ['v', 'hexagon']]);
    expect(shapesOf([...layers].reverse()).get('a')).toBe('circle');
  });
});

describe('what the map draws', () => {
  const i18n = createI18n('nl', () => undefined);

  it('counts each class, and what has no value apart', () => {
    const found = annotate(collection(sensor('a', { result: 10 }), sensor('b', { result: 96 }), sensor('c', { result: 97 }), sensor('d', { result: null, flag: 9 })), 'occupancy', i18n);
    expect(found.counts).toEqual([1, 0, 0, 0, 2]);
    expect(found.missing).toBe(1);
    expect(classes(found.ramp, i18n)).toHaveLength(5);
    expect(found.data.features.map((f) => f.properties?.['_flagged'] as boolean)).toEqual([false, false, false, true]);
  });

  it('writes the figure of an area in its middle', () => {
    const square = { type: 'Polygon' as const, coordinates: [[[5, 52], [5.2, 52], [5.2, 52.2], [5, 52.2], [5, 52]]] };
    const area: LayerFeature = { type: 'Feature', geometry: square, properties: { id: 'x', inhabitants: 1200 } };
    const [label] = annotateAreas(collection(area), 'inhabitants', i18n).data.features;
    expect(label?.geometry).toEqual({ type: 'Point', coordinates: [5.1, 52.1] });
    expect(label?.properties).toEqual({ id: 'x', _text: '1.200' });
    const named = (kind: string) => annotateAreas(collection({ ...area, properties: { ...area.properties, name: 'Binnenstad', kind } }), 'inhabitants', i18n).data.features[0]?.properties?.['_name'] as string | undefined;
    expect([named('neighbourhood'), named('building')]).toEqual(['Binnenstad', undefined]);
  });
});

describe('sensors in one chart', () => {
  const known = new Map([sensor('a'), sensor('b'), sensor('c'), sensor('d')].map((one) => [one.properties.id, one]));
  const find = (id: string) => known.get(id);

  it('are at most four, each once, and of one kind', () => {
    expect(hindranceOf(sensor('b'), ['a'], find)).toBeNull();
    expect(hindranceOf(sensor('a'), ['a'], find)).toBe('in');
    expect(hindranceOf(sensor('e'), ['a', 'b', 'c', 'd'], find)).toBe('full');
    expect(hindranceOf(sensor('t', { observed_property: 'temperature', unit: 'Cel' }), ['a'], find)).toBe('unit');
    expect(readSeries('a,b,a,,c,d,e')).toEqual(['a', 'b', 'c', 'd']);
  });
});
