/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LayerFeature } from '../src/api';
import { createI18n } from '../src/i18n';
import { columnsOfMeasurements, columnsOfPlaces } from '../src/pages/map/columns';
import { byKind, placeWords, propertiesOfPlaces } from '../src/pages/map/places';

const i18n = createI18n('nl', () => undefined, 'Europe/Amsterdam');
const areas = new Map([['BU01', 'Binnenstad']]);
const place = (properties: Record<string, unknown>): LayerFeature => ({ type: 'Feature', geometry: null, properties: { id: String(properties['name']), agreement: 'urn:a', ...properties } });
const heads = (columns: { head: string }[]) => columns.map((column) => column.head);

const neighbourhood = place({ name: 'Binnenstad', kind: 'neighbourhood', code: 'BU01', area_m2: 1_095_647, jobs: 1935, inhabitants: 2658, character: 'centre', mean_income: 29.9, water_m2: 0, use: null });
const building = place({ name: 'Binnenstad 1', kind: 'building', year: 1964, floor_m2: 6500, neighbourhood: 'BU01', use: 'shop', dwellings: null });
const home = place({ name: 'Binnenstad 2', kind: 'building', year: 1986, floor_m2: 900, neighbourhood: 'BU01', use: 'housing', dwellings: 12 });
const street = place({ name: 'Binnenring', kind: 'line', use: 'street', class: 'main', length_m: 2462 });
const offices = place({ name: 'Kantoren', kind: 'area', buildings: ['a', 'b'], odd_figure: 3 });

describe('the table of places', () => {
  it('shows one kind at a time, the most general first', () => {
    const kinds = byKind([building, street, neighbourhood, home]);
    expect([...kinds].map(([kind, rows]) => [kind, rows.length])).toEqual([['neighbourhood', 1], ['building', 2], ['line', 1]]);
    expect([...byKind([place({ name: 'x' })]).keys()]).toEqual(['']);
  });

  it('has the columns that hold something, with the unit in the head, in the order of a reader', () => {
    const columns = (...rows: LayerFeature[]) => heads(columnsOfPlaces({ rows, areas, i18n }));
    expect(columns(neighbourhood)).toEqual(['Soort buurt', 'Inwoners', 'Banen', 'Gemiddeld inkomen per inwoner (× € 1.000)', 'Oppervlakte (m²)', 'Water (m²)', 'Code']);
    expect(columns(building, home)).toEqual(['Gebruik', 'Buurt', 'Woningen', 'Vloeroppervlakte (m²)', 'Bouwjaar']);
    expect(columns(street)).toEqual(['Gebruik', 'Soort', 'Lengte (m)']);
    expect(columns(offices)).toEqual(['Gebouwen', 'Odd figure']);
    expect(columns()).toEqual([]);
  });

  it('leaves the unit out of the cells, and says where a place lacks what others have', () => {
    const byKey = new Map(columnsOfPlaces({ rows: [building, home], areas, i18n }).map((column) => [column.key, column]));
    expect(byKey.get('floor_m2')?.cell(building)).toBe('6.500');
    expect(byKey.get('year')?.cell(building)).toBe('1964');
    expect(byKey.get('use')?.cell(building)).toBe('winkels');
    expect(byKey.get('neighbourhood')?.cell(building)).toBe('Binnenstad');
    expect(byKey.get('dwellings')?.sort?.(building)).toBeNull();
    expect(JSON.stringify(byKey.get('dwellings')?.cell(building))).toContain('geen gegevens');
    expect([...byKey].filter(([, column]) => column.numeric).map(([key]) => key)).toEqual(['dwellings', 'floor_m2', 'year']);
  });

  it('counts lists, keeps zero, and tells a property on its own with its unit', () => {
    expect(placeWords(offices.properties, 'buildings', areas, i18n)).toBe('2');
    expect(placeWords(neighbourhood.properties, 'water_m2', areas, i18n)).toBe('0 m²');
    expect(placeWords({ id: 'x', is_paid: false }, 'is_paid', areas, i18n)).toBe('nee');
    expect(propertiesOfPlaces([{ id: 'x', use: '', code: null, is_paid: false, shape: { a: 1 } }])).toEqual(['is_paid']);
  });

  it('has a word for every kind of use and of neighbourhood of the demonstration city', () => {
    const demo = (name: string) => readFileSync(`../../../infra/command/dmi_command/demo/${name}.py`, 'utf8');
    const used = [...demo('buildings').matchAll(/"use": "([a-z]+)"/g), ...demo('streets').matchAll(/"(?:use|class)": "([a-z]+)"/g)].map((one) => one[1] ?? '');
    const characters = [...demo('buildings').matchAll(/^ {4}"([a-z]+)": \(/gm)].map((one) => one[1] ?? '');
    expect([...new Set(used)]).toContain('park');
    expect(characters).toContain('residential');
    for (const language of ['nl', 'en'] as const) for (const word of [...used, ...characters]) expect(createI18n(language, () => undefined).t.placeTerms).toHaveProperty(word);
  });
});

describe('the table of measurements', () => {
  const sensor = (name: string, more: Record<string, unknown> = {}) =>
    place({ name, observed_property: 'occupancy', result: 380, unit: '{vehicle}', capacity: 900, flag: 1, phenomenon_time: '2026-11-21T18:15:00Z', neighbourhood: 'BU01', ...more });
  const columns = (...rows: LayerFeature[]) => columnsOfMeasurements({ rows, areas, i18n });

  it('names the one thing that is measured, with its unit, and has no column for it', () => {
    expect(heads(columns(sensor('a'), sensor('b', { result: null })))).toEqual(['Bezetting (auto’s)', 'Vol (%)', 'Gemeten', 'Kwaliteit', 'Buurt']);
    expect(columns(sensor('a'))[0]?.cell(sensor('a'))).toBe('380');
    expect(columns(sensor('a'))[1]?.cell(sensor('a'))).toBe('42');
  });

  it('keeps the unit beside the value where rows differ, and leaves out what no row has', () => {
    const air = sensor('air', { observed_property: 'pm2_5', unit: 'ug/m3', result: 4.25, capacity: null, neighbourhood: null });
    const heat = sensor('heat', { observed_property: 'temperature', unit: 'Cel', result: 8, capacity: null, neighbourhood: null });
    expect(heads(columns(air, heat))).toEqual(['Wat wordt gemeten', 'Waarde', 'Gemeten', 'Kwaliteit']);
    expect(columns(air, heat)[1]?.cell(air)).toBe('4,25 µg/m³');
  });
});
