/** What can be chosen as the place of an edit: neighbourhoods by id, named areas by their outline. */
import type { Feature, FeatureCollection } from 'geojson';
import type { ScenarioEdit } from '../../api';
import type { Messages } from '../../i18n/nl';

export function idOf(feature: Feature): string {
  return String(feature.properties?.['id'] ?? feature.id ?? '');
}

function kindOf(feature: Feature): string {
  return String(feature.properties?.['kind'] ?? 'neighbourhood');
}

function nameOf(feature: Feature): string {
  return String(feature.properties?.['name'] ?? idOf(feature));
}

/** The names of places by id, without single buildings; a park that is called as a neighbourhood is told apart from it by its kind. */
function calledIn(areas: FeatureCollection, t: Messages): Map<string, string> {
  const kinds: Record<string, string> = t.map.searchKinds;
  const places = areas.features.filter((feature) => kindOf(feature) !== 'building');
  const counts = new Map<string, number>();
  for (const place of places) counts.set(nameOf(place), (counts.get(nameOf(place)) ?? 0) + 1);
  return new Map(places.map((feature) => {
    const name = nameOf(feature);
    return [idOf(feature), counts.get(name) === 1 ? name : `${name} (${kinds[kindOf(feature)] ?? idOf(feature)})`];
  }));
}

/** Named areas first, then neighbourhoods, each by name; single buildings are too many to choose from. */
export function areaChoices(areas: FeatureCollection, t: Messages): { value: string; label: string }[] {
  const called = calledIn(areas, t);
  return areas.features
    .filter((feature) => called.has(idOf(feature)))
    .map((feature) => ({ value: idOf(feature), label: called.get(idOf(feature)) ?? '', named: kindOf(feature) !== 'neighbourhood' }))
    .sort((a, b) => Number(b.named) - Number(a.named) || a.label.localeCompare(b.label))
    .map(({ value, label }) => ({ value, label }));
}

type Place = Extract<ScenarioEdit, { type: 'redevelop' }>['area'];

/** The place of an edit for a choice. */
export function placeOf(areas: FeatureCollection, choice: string): Place {
  const feature = areas.features.find((one) => idOf(one) === choice);
  return feature && kindOf(feature) !== 'neighbourhood' ? { geometry: feature.geometry } : { neighbourhood: choice };
}

/** The name of an edit's place; null for an outline that somebody drew. */
export function placeName(areas: FeatureCollection, place: Place, t: Messages): string | null {
  const outline = place.geometry ? JSON.stringify(place.geometry) : null;
  const feature = areas.features.find((one) => (outline ? JSON.stringify(one.geometry) === outline : idOf(one) === place.neighbourhood));
  return feature ? (calledIn(areas, t).get(idOf(feature)) ?? nameOf(feature)) : (place.neighbourhood ?? null);
}

/** Only the areas that a result has figures of. */
export function withFigures(areas: FeatureCollection, ids: Set<string>): FeatureCollection {
  return { ...areas, features: areas.features.filter((feature) => ids.has(idOf(feature))) };
}
