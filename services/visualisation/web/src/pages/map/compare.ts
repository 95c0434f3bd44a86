/** Which sensors are compared in one chart: at most four, of one kind. */
import type { LayerFeature } from '../../api';
import { mostSeries } from '../../chart/SeriesChart';

export type Hindrance = 'in' | 'full' | 'unit' | null;

/** Why a sensor cannot be added to those that are compared; null when it can. */
export function hindranceOf(feature: LayerFeature, compared: string[], known: (datastream: string) => LayerFeature | undefined): Hindrance {
  const { datastream, observed_property: property, unit } = feature.properties;
  if (datastream !== undefined && compared.includes(datastream)) return 'in';
  if (compared.length >= mostSeries) return 'full';
  const first = compared.map(known).find((one) => one !== undefined);
  if (first && (first.properties.observed_property !== property || first.properties.unit !== unit)) return 'unit';
  return null;
}

export function readSeries(text: string | null): string[] {
  return [...new Set(text?.split(',').filter(Boolean) ?? [])].slice(0, mostSeries);
}
