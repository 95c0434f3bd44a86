import { describe, expect, it } from 'vitest';
import type { FeatureCollection } from 'geojson';
import type { CatalogueItem } from '../src/api';
import { around, coverage } from '../src/pages/catalogue/Coverage';
import { namesOfAreas } from '../src/pages/catalogue/Facets';
import { covering } from '../src/pages/catalogue/Picked';
import { areaAt, areaNames, spatialOf } from '../src/pages/intake/useDataset';

const item = (id: string, bbox: [number, number, number, number] | null): CatalogueItem => ({
  id, kind: 'data', direction: 'supply', owner: 'o', title: { nl: id }, licence: '', access: 'open', personal: false, address: '', layer: '', withdrawn: false,
  about: bbox && { spatial: { bbox }, themes: [], keywords: {}, contact: '', page: '', languages: [], modified_at: null },
});
const square = (west: number, south: number) => ({ type: 'Polygon' as const, coordinates: [[[west, south], [west + 1, south], [west + 1, south + 1], [west, south]]] });
const map: FeatureCollection = {
  type: 'FeatureCollection',
  features: [
    { type: 'Feature', id: 'BU99990100', properties: { name: 'Binnenstad', kind: 'neighbourhood' }, geometry: square(5, 52) },
    { type: 'Feature', id: 'x', properties: { name: 'Havenbuurt', kind: 'neighbourhood' }, geometry: square(6, 53) },
    { type: 'Feature', id: 'w', properties: { name: 'Waterloop', kind: 'water' }, geometry: square(9, 59) },
  ],
};

describe('coverage', () => {
  it('draws one rectangle for all that is about the same place, the largest below, and leaves out what has no place', () => {
    const demand = { ...item('asked', [5.2, 52.2, 5.3, 52.3]), direction: 'demand' as const };
    const drawn = coverage([item('small', [5, 52, 5.1, 52.1]), item('large', [4, 51, 6, 53]), item('same', [4, 51, 6, 53]), item('none', null), demand], (text) => (typeof text === 'string' ? text : (text.nl ?? '')));
    const frames = drawn.features.filter((one) => one.geometry.type === 'Polygon');
    expect(frames.map((one) => one.properties?.['_label'] as string)).toEqual(['large (+1)', 'small', 'asked']);
    expect(frames.map((one) => one.properties?.['_second'] as boolean)).toEqual([false, false, true]);
    // The name stands at the corner of its frame, where no frame within it has its own.
    expect(drawn.features.flatMap(({ geometry }) => (geometry.type === 'Point' ? [geometry.coordinates] : []))).toEqual([[4, 53], [5, 52.1], [5.2, 52.3]]);
  });

  it('is called by the place that several entries are about', () => {
    const named = (id: string) => { const one = item(id, [4, 51, 6, 53]); return { ...one, about: one.about && { ...one.about, spatial: { ...one.about.spatial, name: { nl: 'Waterstad' } } } }; };
    expect(coverage([named('a'), named('b')], (text) => (typeof text === 'string' ? text : (text.nl ?? ''))).features[0]?.properties?.['_label']).toBe('Waterstad (2)');
  });

  it('has a box around all of it', () => {
    expect(around([item('a', [5, 52, 5.1, 52.1]), item('b', [4, 51.5, 4.5, 53]), item('c', null)])).toEqual([4, 51.5, 5.1, 53]);
    expect(around([item('c', null)])).toBeNull();
  });
});

describe('a place on the map', () => {
  it('has all entries that cover it, the smallest first', () => {
    const items = [item('large', [4, 51, 6, 53]), item('small', [5, 52, 5.1, 52.1]), item('elsewhere', [6, 53, 7, 54]), item('none', null)];
    expect(covering(items, [5.05, 52.05]).map((one) => one.id)).toEqual(['small', 'large']);
    expect(covering(items, [4.5, 52]).map((one) => one.id)).toEqual(['large']);
    expect(covering(items, [3, 50])).toEqual([]);
  });
});

describe('where a new dataset is about', () => {
  it('is the whole city by default, or the neighbourhood that was chosen', () => {
    expect(areaNames(map)).toEqual(['Binnenstad', 'Havenbuurt']);
    expect(spatialOf(map, '').bbox).toEqual([5, 52, 7, 54]);
    expect(spatialOf(map, 'Binnenstad')).toEqual({ bbox: [5, 52, 6, 53], name: { nl: 'Binnenstad', en: 'Binnenstad' }, codes: ['BU99990100'] });
    expect(spatialOf(map, 'Havenbuurt').codes).toEqual([]);
  });

  it('is told as the neighbourhood that a place lies in, not the water in it', () => {
    expect([areaAt(map, [5.7, 52.1]), areaAt(map, [6.9, 53.5]), areaAt(map, [5.1, 52.9]), areaAt(map, [9.7, 59.1]), areaAt(null, [5, 52])]).toEqual(['Binnenstad', 'Havenbuurt', null, null, null]);
  });

  it('is the country while the city is not known', () => {
    expect(spatialOf(null, '').bbox).toEqual([3.3, 50.7, 7.3, 53.6]);
  });
});

describe('the names of areas by which the catalogue is narrowed down', () => {
  it('are those of the map, else of a dataset that is about that one area', () => {
    const told = (nl: string, ...codes: string[]) => ({ about: { themes: [], keywords: {}, contact: '', page: '', languages: [], modified_at: null, spatial: { bbox: [0, 0, 1, 1] as [number, number, number, number], name: { nl }, codes } } });
    const names = namesOfAreas(map, [told('Waterstad', 'GM9999'), told('Twee buurten', 'BU1', 'BU2'), told('Oude naam', 'BU99990100'), { about: null }], (text) => (typeof text === 'string' ? text : (text.nl ?? '')));
    expect(['GM9999', 'BU1', 'BU99990100'].map((code) => names.get(code))).toEqual(['Waterstad', undefined, 'Binnenstad']);
  });
});
