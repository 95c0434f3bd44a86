/** Which measurements the map, its tables and its counts show. The filters live in the page's address. */
import type { LayerFeature, LayerFeatures } from '../../api';
import { isArchive, isLate } from '../../app/useNow';
import { measure, rampFor } from '../../map/ramp';

export interface Filters {
  /** Observed properties to show; none: all. */
  properties: string[];
  quality: 'flagged' | 'unflagged' | null;
  age: 'fresh' | 'late' | null;
  /** Bounds on the value, both included, of the one chosen property; a share counts in percent. */
  low: number | null;
  high: number | null;
}

export const noFilters: Filters = { properties: [], quality: null, age: null, low: null, high: null };

/** Flags that say that something is wrong: suspect, fail, missing (IOOS QARTOD). */
const wrong = new Set(['3', '4', '9']);

export function isFlagged(feature: LayerFeature): boolean {
  return wrong.has(String(feature.properties.flag ?? ''));
}

/** The value that bounds look at: the result, or its share of the capacity in percent. */
export function boundedValue({ properties: p }: LayerFeature): number | null {
  const ramp = rampFor(p.observed_property ?? '', [], '');
  const value = measure(ramp, p.result, p.capacity);
  return value !== null && ramp.share ? value * 100 : value;
}

export function countFilters(f: Filters): number {
  return f.properties.length + (f.quality ? 1 : 0) + (f.age ? 1 : 0) + (f.low !== null || f.high !== null ? 1 : 0);
}

/** `now` is the moment that the map shows: what was late then, is late there. */
export function passes(feature: LayerFeature, f: Filters, now: Date): boolean {
  const { observed_property: property, phenomenon_time: at } = feature.properties;
  // Areas are no measurements; they have no quality, age or value of their own.
  if (property === undefined) return true;
  if (f.properties.length > 0 && !f.properties.includes(property)) return false;
  if (f.quality !== null && isFlagged(feature) !== (f.quality === 'flagged')) return false;
  // An archive is neither on time nor late.
  if (f.age !== null && at && isArchive(at, now)) return false;
  if (f.age !== null && (!at || isLate(at, now)) !== (f.age === 'late')) return false;
  if (f.low === null && f.high === null) return true;
  const value = boundedValue(feature);
  return value !== null && (f.low === null || value >= f.low) && (f.high === null || value <= f.high);
}

export function filtered(features: LayerFeatures, f: Filters, now: Date): LayerFeatures {
  if (countFilters(f) === 0) return features;
  return { ...features, features: features.features.filter((one) => passes(one, f, now)) };
}

export function readFilters(query: URLSearchParams): Filters {
  const properties = query.get('property')?.split(',').filter(Boolean) ?? [];
  const quality = query.get('quality');
  const age = query.get('age');
  const single = properties.length === 1;
  return {
    properties,
    quality: quality === 'flagged' || quality === 'unflagged' ? quality : null,
    age: age === 'fresh' || age === 'late' ? age : null,
    low: single ? readNumber(query.get('low')) : null,
    high: single ? readNumber(query.get('high')) : null,
  };
}

export function writeFilters(f: Filters): Record<string, string | null> {
  const single = f.properties.length === 1;
  return {
    property: f.properties.join(',') || null,
    quality: f.quality,
    age: f.age,
    low: single && f.low !== null ? String(f.low) : null,
    high: single && f.high !== null ? String(f.high) : null,
  };
}

/** A number as people write it, also with a decimal comma; null when it is none. */
export function readNumber(text: string | null): number | null {
  const plain = (text ?? '').trim().replace(',', '.');
  const value = Number(plain);
  return plain === '' || !Number.isFinite(value) ? null : value;
}
