import { describe, expect, it } from 'vitest';
import { matchPath } from '../src/app/router';
import { bandPath, linear, linePath, nearest, niceTicks, timeTicks, withGaps } from '../src/chart/scales';
import { canFinish, crossesItself, draw, noDrawing, toPolygon, type Corner } from '../src/map/draw';
import { classOf, differenceBreaks, differenceClass, measure, rampFor } from '../src/map/ramp';
import { hectares, toRdNew } from '../src/map/rd';
import { merge, valuesOf, without } from '../src/pages/map/useLiveLayer';
import { setShare, toMix, total } from '../src/pages/scenario/mix';
import { codeOf } from '../src/api/problem';
import { licenceName, thingName } from '../src/i18n/format';
import { grouped } from '../src/pages/intake/rejects';
import { strange } from '../src/pages/intake/strange';
import { slugOf } from '../src/pages/intake/useDataset';
import { compare } from '../src/ui/DataTable';

describe('chart scales', () => {
  const one = linear([0, 1], [0, 1]);

  it('map linearly and do not divide by zero', () => {
    expect(linear([0, 10], [0, 100])(5)).toBe(50);
    expect(linear([3, 3], [0, 100])(3)).toBe(50);
  });

  it('choose round ticks that cover the range', () => {
    expect(niceTicks(0, 430, 4)).toEqual([0, 200, 400, 600]);
    expect(niceTicks(0, 0).length).toBeGreaterThanOrEqual(2);
  });

  it('choose round times', () => {
    const from = Date.parse('2026-11-21T12:03:00Z');
    const ticks = timeTicks(from, from + 2 * 3_600_000, 6);
    expect(ticks.length).toBeLessThanOrEqual(6);
    for (const tick of ticks) expect(tick % 900_000).toBe(0);
  });

  it('leave a gap where a value is missing', () => {
    const path = linePath([{ x: 0, y: 1 }, { x: 1, y: 2 }, { x: 2, y: null }, { x: 3, y: 4 }], one, one);
    expect(path).toBe('M0.0 1.0L1.0 2.0M3.0 4.0h0.1');
  });

  it('close one band for each unbroken run', () => {
    const points = [{ x: 0, low: 1, high: 2 }, { x: 1, low: 1, high: 2 }, { x: 2, low: null, high: null }, { x: 3, low: 1, high: 2 }];
    expect(bandPath(points, one, one).match(/Z/g)).toHaveLength(1);
  });

  it('show a hole in a series as an empty moment', () => {
    const rows = [0, 10, 20, 30, 90, 100].map((at) => ({ at, value: 1 }));
    const filled = withGaps<{ at: number; value: number | null }>(rows, (at) => ({ at, value: null }));
    expect(filled.filter((row) => row.value === null)).toEqual([{ at: 40, value: null }]);
  });

  it('find the nearest point', () => {
    expect(nearest([0, 10, 20], 14)).toBe(1);
    expect(nearest([], 14)).toBeNull();
  });
});

describe('drawing a polygon', () => {
  const corners: Corner[] = [[0, 0], [1, 0], [1, 1], [0, 1]];
  const drawn = corners.reduce((state, corner) => draw(state, { type: 'add', corner }), draw(noDrawing, { type: 'start' }));

  it('adds corners, drops a repeated one, and finishes from three', () => {
    expect(draw(drawn, { type: 'add', corner: [0, 1] }).corners).toHaveLength(4);
    expect(draw(drawn, { type: 'finish' }).mode).toBe('done');
    expect(draw(draw(noDrawing, { type: 'start' }), { type: 'finish' }).mode).toBe('drawing');
  });

  it('undoes the last corner, also after finishing, and cancels', () => {
    expect(draw(draw(drawn, { type: 'finish' }), { type: 'undo' })).toEqual({ mode: 'drawing', corners: corners.slice(0, 3) });
    expect(draw(drawn, { type: 'cancel' })).toEqual(noDrawing);
  });

  it('does not finish a ring that crosses itself', () => {
    const bow: Corner[] = [[0, 0], [1, 1], [1, 0], [0, 1]];
    expect(crossesItself(bow)).toBe(true);
    expect(crossesItself(corners)).toBe(false);
    expect(canFinish({ mode: 'drawing', corners: bow })).toBe(false);
  });

  it('closes the ring counter-clockwise', () => {
    const ring = toPolygon([...corners].reverse()).coordinates[0];
    expect(ring).toHaveLength(5);
    expect(ring?.[0]).toEqual(ring?.at(-1));
    expect(ring).toEqual([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]);
  });
});

describe('shares of a mix', () => {
  it('always sum to 100, whichever is moved', () => {
    let shares = { housing: 60, green: 40, office: 0 } as Record<string, number>;
    for (const [name, value] of [['housing', 33], ['green', 100], ['office', 7], ['housing', 1], ['green', -5], ['office', 250]] as const) {
      shares = setShare(shares, name, value);
      expect(total(shares)).toBe(100);
      for (const share of Object.values(shares)) expect(share).toBeGreaterThanOrEqual(0);
    }
  });

  it('keep the proportion of the others', () => {
    expect(setShare({ a: 50, b: 30, c: 20 }, 'a', 0)).toEqual({ a: 0, b: 60, c: 40 });
  });

  it('leave as fractions, without empty parts', () => {
    expect(toMix({ housing: 60, green: 40, office: 0 })).toEqual({ housing: 0.6, green: 0.4 });
  });
});

describe('coordinates', () => {
  it('give RD New within a metre at known points', () => {
    const [x, y] = toRdNew(5.38720621, 52.1551744) ?? [];
    expect(x).toBeCloseTo(155000, 0);
    expect(y).toBeCloseTo(463000, 0);
    const [wx, wy] = toRdNew(4.88352559, 52.37453253) ?? [];
    expect(wx).toBeCloseTo(120700.723, -1);
    expect(wy).toBeCloseTo(487525.501, -1);
  });

  it('give none outside the Netherlands, and areas in hectares', () => {
    expect(toRdNew(0, 51)).toBeNull();
    expect(hectares([[5.1, 52.1], [5.1, 52.101], [5.1014, 52.101], [5.1014, 52.1]])).toBeCloseTo(1.07, 1);
  });
});

describe('classes of values', () => {
  const ramp = rampFor('occupancy', [], '');

  it('look at the share of the capacity and keep missing apart', () => {
    expect(classOf(ramp, measure(ramp, 408, 420))).toBe(4);
    expect(classOf(ramp, measure(ramp, 0, 420))).toBe(0);
    expect(classOf(ramp, measure(ramp, null, 420))).toBe(-1);
    expect(classOf(ramp, measure(ramp, 10, 0))).toBe(-1);
  });

  it('hold no difference in the middle of a symmetric ramp', () => {
    const breaks = differenceBreaks([-10, 0, 40]);
    expect(breaks).not.toBeNull();
    expect([-40, -5, 0, 5, 40].map((value) => differenceClass(value, breaks ?? [0, 0]))).toEqual([0, 1, 2, 3, 4]);
    expect(differenceBreaks([0, 0])).toBeNull();
  });
});

describe('live values', () => {
  it('replace older ones, move points and add what is new with a place', () => {
    const features = { type: 'FeatureCollection' as const, features: [{ type: 'Feature' as const, geometry: { type: 'Point' as const, coordinates: [5, 52] }, properties: { id: 'a', result: 1 } }] };
    const merged = merge(features, new Map([['a', { id: 'a', result: 2, lon: 5.1, lat: 52.1 }], ['b', { id: 'b', result: 3, lon: 5, lat: 52 }], ['c', { id: 'c', result: 4 }]]));
    expect(merged.features.map((f) => [f.properties.id, f.properties.result])).toEqual([['a', 2], ['b', 3]]);
    expect(merged.features[0]?.geometry).toEqual({ type: 'Point', coordinates: [5.1, 52.1] });
    expect(without(merged, new Set(['a'])).features.map((f) => f.properties.id)).toEqual(['b']);
    expect(without(merged, new Set())).toBe(merged);
  });
});

describe('events of a stream', () => {
  it('are read as bare properties and as GeoJSON features', () => {
    const bare = JSON.stringify([{ id: 'a', result: 1, lon: 5, lat: 52 }]);
    const feature = JSON.stringify([{ type: 'Feature', geometry: { type: 'Point', coordinates: [5, 52] }, properties: { id: 'a', result: 1 } }]);
    expect(valuesOf(bare)).toEqual([{ id: 'a', result: 1, lon: 5, lat: 52 }]);
    expect(valuesOf(feature)).toEqual(valuesOf(bare));
  });
});

describe('small rules', () => {
  it('match paths with ids that hold colons', () => {
    expect(matchPath('/catalogue/:id', '/catalogue/urn:dmi:dataset:a:b')).toEqual({ id: 'urn:dmi:dataset:a:b' });
    expect(matchPath('/catalogue/:id', '/catalogue')).toBeNull();
    expect(matchPath('/', '/')).toEqual({});
  });

  it('sort missing values last in both directions', () => {
    expect([3, null, 1].sort((a, b) => compare(a, b, false))).toEqual([1, 3, null]);
    expect([3, null, 1].sort((a, b) => compare(a, b, true))).toEqual([3, 1, null]);
  });

  it('make ids of names', () => {
    expect(slugOf('Garage Café  Noord!')).toBe('garage-cafe-noord');
  });
});

describe('what stands for a code', () => {
  it('is a name for a known licence, and the bare address for another', () => {
    expect(licenceName('https://creativecommons.org/publicdomain/zero/1.0/')).toBe('CC0 1.0');
    expect(licenceName('https://example.org/terms/')).toBe('example.org/terms');
  });

  it('is the name of the thing for a datastream', () => {
    expect(thingName('Meetfiets 1 pm2_5', 'pm2_5')).toBe('Meetfiets 1');
    expect(thingName('Garage Centrum', 'occupancy')).toBe('Garage Centrum');
  });

  it('is the first reason of a refusal, so that another purpose is not taken for a stop', () => {
    expect(codeOf({ reasons: [{ code: 'wrong_purpose', detail: '' }] })).toBe('wrong_purpose');
    expect(codeOf({ type: 'urn:dmi:problem:wrong-purpose' })).toBe('wrong_purpose');
    expect(codeOf({})).toBe('');
  });
});

describe('rejects', () => {
  it('stand together by dataset and reason, with their rows counted and their ids kept', () => {
    const one = { id: '1', dataset: 'a', reason: 'conflict', rows: 2, at: '2026-01-01T00:00:00Z' };
    const found = grouped([one, { ...one, id: '2', rows: 3, at: '2026-01-02T00:00:00Z' }, { ...one, id: '3', dataset: 'b' }]);
    expect(found.map((g) => [g.dataset, g.rows, g.at, g.ids])).toEqual([
      ['a', 5, '2026-01-02T00:00:00Z', ['1', '2']],
      ['b', 2, '2026-01-01T00:00:00Z', ['3']],
    ]);
  });
});

describe('a file of another kind', () => {
  const occupancy = { name: 'occupancy', unit: '{vehicle}' };
  const stream = { observed_property: 'occupancy', unit: '{vehicle}' };

  it('brings what the dataset does not measure, or in another unit', () => {
    expect(strange([occupancy, { name: 'pm10', unit: 'ug/m3' }], [stream, stream])).toEqual({ fresh: [{ name: 'pm10', unit: 'ug/m3' }], held: [occupancy] });
    expect(strange([{ name: 'occupancy', unit: '%' }], [stream])?.fresh).toEqual([{ name: 'occupancy', unit: '%' }]);
  });

  it('is nothing strange where all of it is measured already, or nothing is', () => {
    expect(strange([occupancy], [stream, { observed_property: 'free_spaces', unit: '{vehicle}' }])).toBeNull();
    expect(strange([occupancy], [])).toBeNull();
    expect(strange([], [stream])).toBeNull();
  });
});
