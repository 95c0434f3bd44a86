import { describe, expect, it } from 'vitest';
import type { FeatureCollection } from 'geojson';
import type { CatalogueItem } from '../src/api';
import { around, coverage } from '../src/pages/catalogue/Coverage';
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
