/** A layer as a table: all that the map shows of it, one kind of place at a time, sortable and reachable by keyboard. */
import type { Layer, LayerFeature, LayerFeatures } from '../../api';
import { useI18n } from '../../i18n';
import { capital } from '../../i18n/format';
import { DataTable, type Column } from '../../ui/DataTable';
import { RadioGroup } from '../../ui/fields';
import { columnsOfMeasurements, columnsOfPlaces } from './columns';
import { byKind } from './places';

interface Props {
  layer: Layer;
  features: LayerFeatures;
  /** Names of neighbourhoods by their code. */
  areas: Map<string, string>;
  current: string | null;
  /** The kind of place that is shown; null is the first there is. */
  kind: string | null;
  onKind: (kind: string) => void;
  onShow: (feature: LayerFeature) => void;
}

/** Rows a page: what can be looked over; a layer may have ten thousand. */
const pageSize = 50;

export function LayerTable({ layer, features, areas, current, kind, onKind, onShow }: Props) {
  const i18n = useI18n();
  const { t, say, number } = i18n;
  const kinds = byKind(features.features);
  const [first = ''] = kinds.keys();
  const chosen = kind !== null && kinds.has(kind) ? kind : first;
  const rows = kinds.get(chosen) ?? [];
  const nameOf = (row: LayerFeature) => row.properties.name ?? (say(row.properties.label) || row.properties.id);
  const kindWords = (one: string) => (t.map.placeKinds as Record<string, string>)[one] ?? (one || t.map.otherPlaces);
  const columns: Column<LayerFeature>[] = [
    {
      key: 'name', head: t.common.name, sort: nameOf,
      cell: (row) => <button type="button" className="dmi-link-button" onClick={() => onShow(row)}>{nameOf(row)}</button>,
    },
    ...(layer.kind === 'areas' ? columnsOfPlaces({ rows, areas, i18n }) : columnsOfMeasurements({ rows, areas, i18n })),
  ];
  return (
    <div className="dmi-stack">
      {kinds.size > 1 ? (
        <RadioGroup
          inline label={t.map.placeKind} name="place-kind" value={chosen} onChange={onKind}
          choices={[...kinds].map(([value, { length }]) => ({ value, label: `${capital(kindWords(value))} (${number(length)})` }))}
        />
      ) : null}
      <DataTable
        // Another kind begins on its own first page, sorted by name.
        key={chosen} caption={kinds.size > 1 ? `${say(layer.title)}: ${kindWords(chosen)}` : say(layer.title)}
        rows={rows} columns={columns} rowKey={(row) => row.properties.id} current={current} initialSort={{ key: 'name' }}
        pageSize={pageSize} search={rows.length > pageSize ? nameOf : undefined}
      />
    </div>
  );
}
