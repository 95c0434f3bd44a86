/** What a search on the map offers: typed coordinates, sensors of the layers at hand, and what the service found. */
import type { FoundPlace, Layer, LayerFeatures } from '../../api';
import { boundsOf } from '../../map/bounds';
import { readCoordinates } from '../../map/coordinates';
import { toRdNew } from '../../map/rd';

export interface Found {
  key: string;
  name: string;
  kind: FoundPlace['kind'] | 'coordinates';
  /** Where it lies or what it measures, in a word or two; an observed property still has to be put into words. */
  hint: { text: string } | { property: string } | null;
  bbox: [number, number, number, number] | null;
  /** Layer and feature to open, for a sensor. */
  sensor: { layer: string; id: string } | null;
}

/** Where the map goes for it: `now` is where its feature is at the moment shown, as the service knows no place of what moves. */
export function boxOf(found: Pick<Found, 'bbox'>, now: [number, number] | null): Found['bbox'] {
  return now ? [...now, ...now] : found.bbox;
}

/** A search needs two letters; fewer would find half the city. */
export const least = 2;

export function typed(text: string): Found[] {
  const place = readCoordinates(text);
  if (!place) return [];
  const [x, y] = place.point;
  const rd = toRdNew(x, y);
  const wgs = `${x.toFixed(6)}, ${y.toFixed(6)}`;
  const rdText = rd ? `${Math.round(rd[0])}, ${Math.round(rd[1])}` : '';
  const [name, other] = place.system === 'rd' ? [`RD ${rdText}`, `WGS84 ${wgs}`] : [`WGS84 ${wgs}`, `RD ${rdText}`];
  return [{ key: 'coordinates', name, kind: 'coordinates', hint: { text: other }, bbox: [x, y, x, y], sensor: null }];
}

/** Sensors whose name or id holds each word, also those of persons, which the service does not find by name. */
export function sensors(text: string, layers: { layer: Layer; features: LayerFeatures | null }[], most = 8): Found[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (text.trim().length < least) return [];
  const found: Found[] = [];
  for (const { layer, features } of layers) {
    if (layer.kind === 'areas') continue;
    for (const { properties: p, geometry } of features?.features ?? []) {
      const names = `${p.name ?? ''} ${p.id}`.toLocaleLowerCase();
      if (!words.every((word) => names.includes(word))) continue;
      found.push({
        key: `${layer.id} ${p.id}`, name: p.name ?? p.id, kind: 'datastream', hint: p.observed_property ? { property: p.observed_property } : null,
        bbox: boundsOf([geometry]), sensor: { layer: layer.id, id: p.id },
      });
      if (found.length === most) return found;
    }
  }
  return found;
}

export function fromService(places: FoundPlace[], layers: Layer[]): Found[] {
  const drawn = new Set(layers.map((layer) => layer.id));
  return places.map((place) => ({
    key: `${place.dataset} ${place.id}`, name: place.name, kind: place.kind,
    hint: place.observed_property ? { property: place.observed_property } : place.neighbourhood ? { text: place.neighbourhood } : null,
    bbox: place.bbox,
    sensor: place.kind === 'datastream' && drawn.has(place.dataset) ? { layer: place.dataset, id: place.id } : null,
  }));
}

/** One list without repetitions: typed coordinates, then the service's order, then sensors that it does not know. */
export function together(...lists: Found[][]): Found[] {
  const known = new Set<string>();
  return lists.flat().filter((one) => {
    if (known.has(one.key)) return false;
    known.add(one.key);
    return true;
  }).slice(0, 10);
}
