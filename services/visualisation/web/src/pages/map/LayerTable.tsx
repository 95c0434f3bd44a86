/** A layer as a table: all that the map shows of it, sortable, and reachable by keyboard. */
import type { Layer, LayerFeature, LayerFeatures } from '../../api';
import { useI18n } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';

interface Props {
  layer: Layer;
  features: LayerFeatures;
  /** Names of neighbourhoods by their code. */
  areas: Map<string, string>;
  current: string | null;
  onShow: (feature: LayerFeature) => void;
}

export function LayerTable({ layer, features, areas, current, onShow }: Props) {
  const { t, say, term, quantity, moment, percent, figure } = useI18n();
  const rows: LayerFeature[] = features.features;
  const withCapacity = rows.some((row) => row.properties.capacity);
  const extra = layer.kind === 'areas' ? extraFigures(rows) : [];
  const areaOf = (r: LayerFeature) => (r.properties.neighbourhood ? (areas.get(r.properties.neighbourhood) ?? r.properties.neighbourhood) : null);
  const columns: Column<LayerFeature>[] = [
    {
      key: 'name', head: t.common.name, sort: (r) => r.properties.name ?? r.properties.id,
      cell: (r) => (
        <button type="button" className="dmi-link-button" onClick={() => onShow(r)}>
          {r.properties.name ?? (say(r.properties.label) || r.properties.id)}
        </button>
      ),
    },
    ...(extra.length === 0
      ? ([
          { key: 'property', head: t.catalogue.properties, sort: (r) => term(r.properties.observed_property), cell: (r) => term(r.properties.observed_property) },
          { key: 'value', head: t.common.value, numeric: true, sort: (r) => r.properties.result, cell: (r) => quantity(r.properties.result, r.properties.unit) },
          ...(withCapacity
            ? [{
                key: 'share', head: t.map.full(''), numeric: true,
                sort: (r: LayerFeature) => shareOf(r), cell: (r: LayerFeature) => percent(shareOf(r)),
              }]
            : []),
          { key: 'time', head: t.map.when, sort: (r) => r.properties.phenomenon_time, cell: (r) => moment(r.properties.phenomenon_time) },
          { key: 'flag', head: t.map.flag, sort: (r) => String(r.properties.flag ?? ''), cell: (r) => term(r.properties.flag === null || r.properties.flag === undefined ? null : String(r.properties.flag)) },
          { key: 'area', head: t.map.neighbourhood, sort: (r) => areaOf(r), cell: (r) => areaOf(r) ?? t.common.noData },
        ] as Column<LayerFeature>[])
      : extra.map((key) => ({
          key, head: term(key), numeric: true,
          sort: (r: LayerFeature) => r.properties[key] as number, cell: (r: LayerFeature) => figure(key, r.properties[key] as number | null),
        }))),
  ];
  return <DataTable caption={say(layer.title)} rows={rows} columns={columns} rowKey={(r) => r.properties.id} current={current} initialSort={{ key: 'name' }} />;
}

function shareOf(row: LayerFeature): number | null {
  const { result, capacity } = row.properties;
  return typeof result === 'number' && capacity ? result / capacity : null;
}

function extraFigures(rows: LayerFeature[]): string[] {
  const keys = new Set<string>();
  for (const row of rows) {
    for (const [key, value] of Object.entries(row.properties)) if (typeof value === 'number' && key !== 'result') keys.add(key);
  }
  return [...keys];
}
