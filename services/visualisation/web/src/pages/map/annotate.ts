/** Puts on every feature what the map draws: its colour, the ink over it, its value and its name. */
import type { FeatureCollection } from 'geojson';
import type { LayerFeatures } from '../../api';
import type { I18n } from '../../i18n';
import { unitOfFigure } from '../../i18n/format';
import { boundsOf } from '../../map/bounds';
import { byRank, classOf, ink, measure, missingColour, rampFor, sequential, type Ramp } from '../../map/ramp';
import { isFlagged } from './filters';
import { propertiesOfPlaces } from './places';

export interface Annotated {
  data: FeatureCollection;
  ramp: Ramp;
  property: string;
  /** How many have a value of each class of the ramp. */
  counts: number[];
  /** How many have no value. */
  missing: number;
}

/** Which observed properties the features have, in an order that does not change with the values. */
export function propertiesOf(features: LayerFeatures): string[] {
  if (features.features.every((f) => f.properties.observed_property === undefined)) return figuresOf(features);
  return [...new Set(features.features.map((f) => f.properties.observed_property ?? ''))].filter(Boolean).sort(byRank);
}

/** The numeric properties of areas, which carry figures instead of one result. */
function figuresOf(features: LayerFeatures): string[] {
  const places = features.features.map((f) => f.properties);
  return propertiesOfPlaces(places).filter((key) => places.some((place) => typeof place[key] === 'number'));
}

/** Areas coloured by one of their figures; they are drawn from tiles, so here are the ramp and points with the values. */
export function annotateAreas(features: LayerFeatures, property: string, i18n: I18n): Annotated {
  const known = features.features.filter((f) => typeof f.properties[property] === 'number');
  const values = known.map((f) => f.properties[property] as number);
  const ramp = rampFor(property, values, unitOfFigure(property));
  const points = known.flatMap((f) => {
    const box = f.geometry?.type.endsWith('Polygon') ? boundsOf([f.geometry]) : null;
    if (!box) return [];
    const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    const { id, name, kind } = f.properties;
    // Of what is small, such as a building, the number alone.
    const named = name !== undefined && (kind === undefined || kind === 'neighbourhood') ? { _name: name } : {};
    return [{ type: 'Feature' as const, geometry: { type: 'Point' as const, coordinates: middle }, properties: { id, ...named, _text: i18n.bareFigure(property, f.properties[property] as number) } }];
  });
  return { ramp, property, data: { type: 'FeatureCollection', features: points }, ...count(ramp, values), missing: 0 };
}

export function annotate(features: LayerFeatures, property: string, i18n: I18n): Annotated {
  const chosen = features.features.filter((f) => property === '' || f.properties.observed_property === property);
  const results = chosen.map((f) => f.properties.result).filter((v): v is number => typeof v === 'number');
  const ramp = rampFor(property, results, chosen[0]?.properties.unit ?? '');
  const values = chosen.map((f) => measure(ramp, f.properties.result, f.properties.capacity));
  return {
    ramp,
    property,
    ...count(ramp, values),
    data: {
      type: 'FeatureCollection',
      features: chosen.flatMap((feature, index) => {
        // What has no place stays in the table; the map cannot show it.
        if (!feature.geometry) return [];
        const { name, label, id } = feature.properties;
        const value = values[index] ?? null;
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
            _flagged: isFlagged(feature),
          },
        }];
      }),
    },
  };
}

function count(ramp: Ramp, values: (number | null)[]): Pick<Annotated, 'counts' | 'missing'> {
  const counts = Array.from({ length: ramp.breaks.length + 1 }, () => 0);
  let missing = 0;
  for (const value of values) {
    const step = classOf(ramp, value);
    if (step < 0) missing += 1;
    else counts[step] = (counts[step] ?? 0) + 1;
  }
  return { counts, missing };
}

/** The classes of a ramp in words, for the legend. */
export function classes(ramp: Ramp, i18n: I18n, property = ''): { colour: string; words: string }[] {
  const write = (bound: number) => (ramp.share ? i18n.percent(bound) : i18n.bareFigure(property, property === 'year' ? Math.round(bound) : bound));
  const unit = ramp.share ? '' : ` ${i18n.unit(ramp.unit)}`;
  if (ramp.breaks.length === 0) return [];
  return sequential.slice(0, ramp.breaks.length + 1).map((colour, index) => {
    const low = ramp.breaks[index - 1];
    const high = ramp.breaks[index];
    const words = low === undefined ? `< ${write(high ?? 0)}${unit}` : high === undefined ? `≥ ${write(low)}${unit}` : `${write(low)} – ${write(high)}${unit}`;
    return { colour, words };
  });
}
