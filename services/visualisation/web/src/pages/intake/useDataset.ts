import { useState } from 'react';
import type { FeatureCollection } from 'geojson';
import type { Spatial } from '../../api';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { boundsOf } from '../../map/bounds';
import { enter, type Begun } from '../offer/entering';
import { documentsFor, type ConditionChoice } from '../../rights/templates';

/** Who may use a new dataset, on what terms, and where it is about. */
export interface Terms {
  choice: ConditionChoice;
  purpose: string;
  /** Of open data: nothing goes to everyone without one. */
  licence: string;
  /** The name of a neighbourhood, or empty for the whole city. */
  area: string;
}

export const firstTerms: Terms = { choice: 'city', purpose: 'dmi:purpose:mobility', licence: 'CC0-1.0', area: '' };
export const licences = ['CC0-1.0', 'CC-BY-4.0', 'CC-BY-SA-4.0'];
/** What surrounds the Netherlands, for a city whose map is not known yet. */
const country: Spatial['bbox'] = [3.3, 50.7, 7.3, 53.6];

/** Small letters, digits and dashes of a name, as ids want it. */
export function slugOf(name: string): string {
  return name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 60);
}

/** The id that a new dataset of an owner gets by its title. */
export function datasetId(owner: string, title: string): string {
  return `urn:dmi:dataset:${owner.split(':').at(-1) ?? ''}:${slugOf(title)}`;
}

/** Where something is about: a neighbourhood of the map, or all of it. */
export function spatialOf(map: FeatureCollection | null, area: string): Spatial {
  const all = (map?.features ?? []).filter((f) => f.properties?.['kind'] === undefined || f.properties['kind'] === 'neighbourhood');
  const chosen = area === '' ? all : all.filter((f) => f.properties?.['name'] === area);
  const codes = area === '' ? [] : chosen.map((f) => String(f.properties?.['code'] ?? f.id ?? '')).filter((code) => /^BU\d{8}$/.test(code));
  const bbox = boundsOf(chosen.map((f) => f.geometry)) ?? country;
  return { bbox, name: area === '' ? {} : { nl: area, en: area }, codes };
}

/** The names of the neighbourhoods of the map. */
export function areaNames(map: FeatureCollection | null): string[] {
  const names = (map?.features ?? []).filter((f) => f.properties?.['kind'] === undefined || f.properties['kind'] === 'neighbourhood').map((f) => String(f.properties?.['name'] ?? ''));
  return [...new Set(names)].filter((name) => name !== '').sort((a, b) => a.localeCompare(b));
}

/** The name of the neighbourhood of the map that a place (longitude, latitude) lies in; null outside of all. */
export function areaAt(map: FeatureCollection | null, [x, y]: [number, number]): string | null {
  // A ray to the east crosses the edges of an area that it begins in an odd number of times; holes count as edges too.
  const within = (rings: number[][][]) => rings.reduce((odd, ring) => ring.reduce((inside, [x1 = 0, y1 = 0], index) => {
    const [x2 = 0, y2 = 0] = ring[(index + 1) % ring.length] ?? [];
    return (y1 > y) !== (y2 > y) && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1 ? !inside : inside;
  }, odd), false);
  const found = (map?.features ?? []).find(({ geometry, properties }) => {
    if (properties?.['kind'] !== undefined && properties['kind'] !== 'neighbourhood') return false;
    if (geometry.type === 'MultiPolygon') return geometry.coordinates.some(within);
    return geometry.type === 'Polygon' && within(geometry.coordinates);
  });
  return found ? String(found.properties?.['name'] ?? '') || null : null;
}

/** Enters a new dataset of the signed-in participant with its conditions as agreements. */
export function useCreateDataset() {
  const { t } = useI18n();
  const api = useApi();
  const { identity } = useSession();
  const names = useNames();
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  // How far it came, when a later step failed and is tried again.
  const [begun, setBegun] = useState<Begun | null>(null);
  const create = async (title: string, terms: Terms): Promise<string> => {
    const owner = identity?.participant ?? '';
    const id = begun?.id ?? datasetId(owner, title);
    const spatial = spatialOf(background.data, terms.area);
    const entry = { id, title: { nl: title, en: title }, personal: false, layer: 'points', licence: terms.choice === 'open' ? terms.licence : '', spatial };
    const agreements = documentsFor(terms.choice, owner, id, terms.purpose, names.rulebook?.version ?? '1.0.0', names.stack);
    await enter(api.exchange, { entry, agreements, changed: t.offer.changedMeanwhile }, begun, setBegun);
    setBegun(null);
    names.reload();
    return id;
  };
  return { create, areas: areaNames(background.data) };
}
