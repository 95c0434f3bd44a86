/** Puts on every feature what the map draws: its colour, the ink over it, its value and its name. */
import type { FeatureCollection } from 'geojson';
import type { LayerFeatures } from '../../api';
import type { I18n } from '../../i18n';
import { classOf, ink, measure, missingColour, rampFor, sequential, type Ramp } from '../../map/ramp';

export interface Annotated {
  data: FeatureCollection;
  ramp: Ramp;
  property: string;
}

/** Which observed properties the features have, in order of first appearance. */
export function propertiesOf(features: LayerFeatures): string[] {
  if (features.features.every((f) => f.properties.observed_property === undefined)) return figuresOf(features);
  return [...new Set(features.features.map((f) => f.properties.observed_property ?? ''))].filter(Boolean);
}

/** The numeric properties of areas, which carry figures instead of one result. */
function figuresOf(features: LayerFeatures): string[] {
  const keys = features.features.flatMap((f) => Object.entries(f.properties).filter(([, value]) => typeof value === 'number'));
  return [...new Set(keys.map(([key]) => key))];
}

/** Areas coloured by one of their figures; they are drawn from tiles, so only the ramp is made here. */
export function annotateAreas(features: LayerFeatures, property: string): Annotated {
  const values = features.features.map((f) => f.properties[property]).filter((v): v is number => typeof v === 'number');
  return { ramp: rampFor(property, values, ''), property, data: { type: 'FeatureCollection', features: [] } };
}

export function annotate(features: LayerFeatures, property: string, i18n: I18n): Annotated {
  const chosen = features.features.filter((f) => property === '' || f.properties.observed_property === property);
  const values = chosen.map((f) => f.properties.result).filter((v): v is number => typeof v === 'number');
  const ramp = rampFor(property, values, chosen[0]?.properties.unit ?? '');
  return {
    ramp,
    property,
    data: {
      type: 'FeatureCollection',
      features: chosen.flatMap((feature) => {
        // What has no place stays in the table; the map cannot show it.
        if (!feature.geometry) return [];
        const { result, capacity, name, label, id } = feature.properties;
        const value = measure(ramp, result, capacity);
        const step = classOf(ramp, value);
        return [{
          type: 'Feature' as const,
          geometry: feature.geometry,
          properties: {
            id, name,
            _colour: sequential[step] ?? missingColour,
            _ink: ink[step] ?? '#16262a',
            _text: value === null ? '–' : ramp.share ? i18n.percent(value) : i18n.number(value, 0),
            _label: label ? i18n.say(label) : (name ?? id),
          },
        }];
      }),
    },
  };
}

/** The classes of a ramp in words, for the legend. */
export function classes(ramp: Ramp, i18n: I18n): { colour: string; words: string }[] {
  const write = (bound: number) => (ramp.share ? i18n.percent(bound) : i18n.number(bound));
  const unit = ramp.share ? '' : ` ${i18n.unit(ramp.unit)}`;
  if (ramp.breaks.length === 0) return [];
  return sequential.slice(0, ramp.breaks.length + 1).map((colour, index) => {
    const low = ramp.breaks[index - 1];
    const high = ramp.breaks[index];
    const words = low === undefined ? `< ${write(high ?? 0)}${unit}` : high === undefined ? `≥ ${write(low)}${unit}` : `${write(low)} – ${write(high)}${unit}`;
    return { colour, words };
  });
}
