/** What can be chosen as the place of an edit: neighbourhoods by id, named areas by their outline. */
import type { Feature, FeatureCollection } from 'geojson';
import type { ScenarioEdit } from '../../api';

export function idOf(feature: Feature): string {
  return String(feature.properties?.['id'] ?? feature.id ?? '');
}

function kindOf(feature: Feature): string {
  return String(feature.properties?.['kind'] ?? 'neighbourhood');
}

/** Named areas first, then neighbourhoods, each by name; single buildings are too many to choose from. */
export function areaChoices(areas: FeatureCollection): { value: string; label: string }[] {
  return areas.features
    .filter((feature) => kindOf(feature) !== 'building')
    .map((feature) => ({ value: idOf(feature), label: String(feature.properties?.['name'] ?? idOf(feature)), named: kindOf(feature) !== 'neighbourhood' }))
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
export function placeName(areas: FeatureCollection, place: Place): string | null {
  const outline = place.geometry ? JSON.stringify(place.geometry) : null;
  const feature = areas.features.find((one) => (outline ? JSON.stringify(one.geometry) === outline : idOf(one) === place.neighbourhood));
  return feature ? String(feature.properties?.['name'] ?? idOf(feature)) : (place.neighbourhood ?? null);
}

/** Only the areas that a result has figures of. */
export function withFigures(areas: FeatureCollection, ids: Set<string>): FeatureCollection {
  return { ...areas, features: areas.features.filter((feature) => ids.has(idOf(feature))) };
}
