/** How a comparison becomes colours on a map: one legend for both sides, and one for their difference. */
import type { FeatureCollection } from 'geojson';
import type { I18n } from '../../i18n';
import { classOf, differenceBreaks, differenceClass, diverging, missingColour, rampFor, sequential } from '../../map/ramp';
import { idOf } from './areas';
import { unitOf, type Row } from './figures';

export type Legend = [colour: string, words: string][];

export interface Painted {
  left: FeatureCollection;
  right: FeatureCollection;
  values: Legend;
  change: FeatureCollection;
  changes: Legend;
}

export function paint(areas: FeatureCollection, rows: Row[], indicator: string, { t, number, signed }: Pick<I18n, 't' | 'number' | 'signed'>): Painted {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = rows.flatMap((row) => [row.left, row.right]).filter((value): value is number => value !== null);
  const ramp = rampFor('', known, unitOf(indicator));
  const breaks = differenceBreaks(rows.map((row) => row.change ?? 0));
  const value = (one: number | null | undefined) => (typeof one === 'number' ? (sequential[classOf(ramp, one)] ?? missingColour) : missingColour);
  const difference = (one: number | null | undefined) => {
    if (typeof one !== 'number') return missingColour;
    return breaks ? (diverging[differenceClass(one, breaks)] ?? missingColour) : diverging[2];
  };
  const coloured = (colour: (row: Row | undefined) => string): FeatureCollection => ({
    ...areas,
    features: areas.features.map((f) => ({ ...f, properties: { ...f.properties, id: idOf(f), _colour: colour(byId.get(idOf(f))) } })),
  });
  const missing: Legend = rows.some((row) => row.left === null || row.right === null) ? [[missingColour, t.scenarios.legendMissing]] : [];
  const half = breaks?.[0] ?? 0;
  return {
    left: coloured((row) => value(row?.left)),
    right: coloured((row) => value(row?.right)),
    values: [
      ...sequential.slice(0, ramp.breaks.length + 1).map((colour, i): [string, string] => [colour, i === 0 ? `< ${number(ramp.breaks[0] ?? 0)}` : `≥ ${number(ramp.breaks[i - 1] ?? 0)}`]),
      ...missing,
    ],
    change: coloured((row) => difference(row?.change)),
    changes: [
      ...(breaks
        ? ([[diverging[0], `< ${signed(-half)}`], [diverging[1], `${signed(-half)} – 0`], [diverging[2], t.scenarios.legendNoChange], [diverging[3], `0 – ${signed(half)}`], [diverging[4], `> ${signed(half)}`]] as Legend)
        : ([[diverging[2], t.scenarios.legendNoChange]] as Legend)),
      ...missing,
    ],
  };
}
