/** The columns of a layer's table: those that hold something, with the unit in the head where it is one for all. */
import type { LayerFeature } from '../../api';
import type { I18n } from '../../i18n';
import { capital, formatUnit, unitOfFigure } from '../../i18n/format';
import type { Column } from '../../ui/DataTable';
import { placeWords, propertiesOfPlaces, valueOf } from './places';

type LayerColumn = Column<LayerFeature>;

export interface ColumnsFor {
  rows: LayerFeature[];
  /** Names of neighbourhoods by their code. */
  areas: Map<string, string>;
  i18n: I18n;
}

/** A head with its unit: "Oppervlakte (m²)". */
function headed(name: string, unit: string): string {
  return unit === '' ? capital(name) : `${capital(name)} (${unit})`;
}

/** A cell without a value says so, more quietly than one that has one. */
function cell(words: string | null, { t }: I18n) {
  return words ?? <span className="dmi-none">{t.common.noData}</span>;
}

export function columnsOfPlaces({ rows, areas, i18n }: ColumnsFor): LayerColumn[] {
  return propertiesOfPlaces(rows.map((row) => row.properties)).map((key) => {
    const numeric = rows.every(({ properties }) => typeof (valueOf(properties, key) ?? 0) === 'number' && typeof properties[key] !== 'boolean');
    return {
      key, numeric,
      head: headed(i18n.term(key), formatUnit(unitOfFigure(key), i18n.language)),
      sort: (row) => (numeric ? valueOf(row.properties, key) : placeWords(row.properties, key, areas, i18n)),
      cell: (row) => cell(placeWords(row.properties, key, areas, i18n, true), i18n),
    };
  });
}

function shareOf({ properties: { result, capacity } }: LayerFeature): number | null {
  return typeof result === 'number' && capacity ? result / capacity : null;
}

function only<T>(values: T[]): T | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}

export function columnsOfMeasurements({ rows, areas, i18n }: ColumnsFor): LayerColumn[] {
  const { t, term, number, quantity, moment } = i18n;
  const property = only(rows.map((row) => row.properties.observed_property ?? ''));
  const unit = only(rows.map((row) => row.properties.unit ?? ''));
  const areaOf = ({ properties: { neighbourhood } }: LayerFeature) => (neighbourhood ? (areas.get(neighbourhood) ?? neighbourhood) : null);
  const flagOf = ({ properties: { flag } }: LayerFeature) => (flag === null || flag === undefined ? null : term(String(flag)));
  const share = (row: LayerFeature) => known(shareOf(row), (part) => number(part * 100, 0));
  const columns: [LayerColumn, holds: (row: LayerFeature) => boolean][] = [
    [{ key: 'property', head: t.catalogue.properties, sort: (r) => term(r.properties.observed_property), cell: (r) => term(r.properties.observed_property) }, () => property === undefined],
    [{
      key: 'value', numeric: true, sort: (r) => r.properties.result,
      head: headed(property ? term(property) : t.common.value, unit === undefined ? '' : i18n.unit(unit)),
      cell: (r) => cell(known(r.properties.result, (result) => quantity(result, unit === undefined ? r.properties.unit : null)), i18n),
    }, () => true],
    [{ key: 'share', head: headed(t.map.fullHead, '%'), numeric: true, sort: shareOf, cell: (r) => cell(share(r), i18n) }, (r) => shareOf(r) !== null],
    [{ key: 'time', head: t.map.when, sort: (r) => r.properties.phenomenon_time, cell: (r) => cell(known(r.properties.phenomenon_time, moment), i18n) }, (r) => Boolean(r.properties.phenomenon_time)],
    [{ key: 'flag', head: t.map.flag, sort: flagOf, cell: (r) => cell(flagOf(r), i18n) }, (r) => flagOf(r) !== null],
    [{ key: 'area', head: t.map.neighbourhood, sort: areaOf, cell: (r) => cell(areaOf(r), i18n) }, (r) => areaOf(r) !== null],
  ];
  return columns.filter(([, holds]) => rows.some(holds)).map(([column]) => column);
}

function known<V>(value: V | null | undefined, write: (value: V) => string): string | null {
  return value === null || value === undefined ? null : write(value);
}
