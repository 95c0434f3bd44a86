/** The properties of places, such as neighbourhoods and buildings: which there are, in what order, and in words. */
import type { LayerFeature } from '../../api';
import type { I18n } from '../../i18n';

type Properties = LayerFeature['properties'];

/** Of what every feature has, and of measurements; no properties of a place. */
const others = new Set(['id', 'name', 'kind', 'label', 'agreement', 'lon', 'lat', 'datastream', 'observed_property', 'result', 'unit', 'flag', 'phenomenon_time']);

/** What a place is, who lives and works there, how large it is. Properties that are not named here follow. */
const first = [
  'character', 'use', 'class', 'neighbourhood', 'inhabitants', 'inhabitants_0_15', 'inhabitants_15_65', 'inhabitants_65_plus', 'dwellings', 'jobs', 'mean_income',
  'buildings', 'capacity', 'floors', 'floor_m2', 'year', 'length_m', 'area_m2', 'green_m2', 'water_m2',
];
/** What only the administration needs. */
const last = ['code', 'cbs_code', 'district_id', 'city_id', 'version', 'registered', 'document'];

const kindsInOrder = ['neighbourhood', 'area', 'building', 'line', 'stop', 'address'];

function rank(order: string[], one: string): number {
  const at = order.indexOf(one);
  return at === -1 ? order.length : at;
}

/** The kinds of place of a layer with what there is of each, the most general first; layers of measurements have one. */
export function byKind(rows: LayerFeature[]): Map<string, LayerFeature[]> {
  const kinds = new Map<string, LayerFeature[]>();
  for (const row of rows) {
    const { kind } = row.properties;
    const key = typeof kind === 'string' ? kind : '';
    const same = kinds.get(key);
    if (same) same.push(row);
    else kinds.set(key, [row]);
  }
  return new Map([...kinds].sort(([a], [b]) => rank(kindsInOrder, a) - rank(kindsInOrder, b)));
}

function holds(value: unknown): boolean {
  return Array.isArray(value) || typeof value === 'boolean' || (typeof value === 'string' && value !== '') || (typeof value === 'number' && !Number.isNaN(value));
}

/** The properties that at least one of the places has, in an order that a reader expects. */
export function propertiesOfPlaces(places: Properties[]): string[] {
  const found = new Set(places.flatMap((place) => Object.entries(place).filter(([key, value]) => !others.has(key) && holds(value)).map(([key]) => key)));
  const place = (key: string) => (last.includes(key) ? first.length + 1 + rank(last, key) : rank(first, key));
  return [...found].sort((a, b) => place(a) - place(b));
}

/** What a property sorts by and counts as: of a list, how many are in it. Null when it holds nothing. */
export function valueOf(place: Properties, key: string): number | string | null {
  const value = place[key];
  if (!holds(value)) return null;
  if (Array.isArray(value)) return value.length;
  return typeof value === 'boolean' ? Number(value) : (value as number | string);
}

/** A property in words; a number with its unit, or `bare` where the head of its column tells the unit. */
export function placeWords(place: Properties, key: string, areas: Map<string, string>, i18n: I18n, bare = false): string | null {
  const value = valueOf(place, key);
  if (value === null) return null;
  if (typeof place[key] === 'boolean') return value ? i18n.t.common.yes : i18n.t.common.no;
  if (typeof value === 'number') return bare ? i18n.bareFigure(key, value) : i18n.figure(key, value);
  if (key === 'neighbourhood') return areas.get(value) ?? value;
  return (i18n.t.placeTerms as Record<string, string>)[value] ?? value;
}
