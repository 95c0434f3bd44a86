import { describe, expect, it } from 'vitest';
import type { FeatureCollection } from 'geojson';
import type { CatalogueItem } from '../src/api';
import { around, coverage } from '../src/pages/catalogue/Coverage';
import { namesOfAreas } from '../src/pages/catalogue/Facets';
import { covering } from '../src/pages/catalogue/Picked';
import { areaNames, spatialOf } from '../src/pages/intake/useDataset';

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
  it('draws a rectangle an entry, the largest below, and leaves out what has no place', () => {
    const drawn = coverage([item('small', [5, 52, 5.1, 52.1]), item('large', [4, 51, 6, 53]), item('none', null)], (one) => one.id);
    expect(drawn.features.map((one) => one.id)).toEqual(['large', 'small']);
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
