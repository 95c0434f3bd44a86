/** Two situations beside each other, for the whole city and per neighbourhood, with units, change and range. */
import { useState } from 'react';
import { useI18n } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { RadioGroup } from '../../ui/fields';
import { areaRows, changes, indicators, rowOf, unitOf, type Comparison, type Row } from './figures';

interface Props {
  comparison: Comparison;
  names: { left: string; right: string };
}

/** All indicators of the whole city. */
export function TotalsTable({ comparison, names }: Props) {
  const { t, term, quantity } = useI18n();
  const columns = useColumns(comparison, names, t.scenarios.indicator);
  const rows = indicators(comparison.result).map((name) => ({ ...rowOf(comparison, name, null, term(name)), id: name }));
  return <DataTable caption={t.scenarios.totals} captionHidden rows={rows} rowKey={(r) => r.id} columns={columns((r, value) => quantity(value, unitOf(r.id)))} />;
}

/** One indicator per neighbourhood, the whole city first. */
export function AreaTable({ comparison, names, indicator }: Props & { indicator: string }) {
  const { t, term, number, unit } = useI18n();
  const columns = useColumns(comparison, names, t.map.neighbourhood);
  const [which, setWhich] = useState('changed');
  const all = areaRows(comparison, indicator);
  const moved = all.filter(changes);
  const shown = which === 'changed' && moved.length > 0 ? moved : all;
  const words = unit(unitOf(indicator));
  return (
    <div className="dmi-stack">
      {moved.length > 0 && moved.length < all.length ? (
        <RadioGroup inline label={t.common.filter} name="which" value={which} onChange={setWhich} choices={[{ value: 'changed', label: t.scenarios.onlyChanged }, { value: 'all', label: t.scenarios.showAll }]} />
      ) : null}
      <DataTable
        caption={`${term(indicator)}${words ? ` (${words})` : ''}`} rowKey={(r) => r.id} pageSize={15}
        first={[rowOf(comparison, indicator, null, t.scenarios.wholeCity)]} rows={shown} search={shown.length > 15 ? (r) => r.name : undefined} searched={t.scenarios.areas}
        columns={columns((_, value) => number(value))}
      />
    </div>
  );
}

function useColumns({ other }: Comparison, names: { left: string; right: string }, head: string) {
  const { t, signed, percent } = useI18n();
  const change = (value: number | null) => (value === 0 ? '0' : signed(value));
  return (write: (row: Row, value: number | null) => string): Column<Row>[] => [
    {
      key: 'name', head, sort: (r) => r.name,
      cell: (r) => (r.id === '' ? <strong>{r.name}</strong> : <span className="dmi-cap">{r.name}{r.suppressed ? <span className="dmi-small dmi-soft"> ({t.scenarios.suppressed})</span> : null}</span>),
    },
    { key: 'left', head: names.left, numeric: true, sort: (r) => r.left, cell: (r) => write(r, r.left) },
    { key: 'right', head: names.right, numeric: true, sort: (r) => r.right, cell: (r) => write(r, r.right) },
    {
      key: 'change', head: other === null ? t.scenarios.changeRange : t.scenarios.change, numeric: true, sort: (r) => r.change,
      cell: (r) => (
        <>
          <strong>{change(r.change)}</strong>
          {r.range && r.range.low !== r.range.high ? <><br /><span className="dmi-small dmi-soft">{t.scenarios.rangeOf(change(r.range.low), change(r.range.high))}</span></> : null}
        </>
      ),
    },
    { key: 'percent', head: t.scenarios.changePercent, numeric: true, sort: (r) => r.share, cell: (r) => (r.share === null ? '–' : percent(r.share, 1, true)) },
  ];
}
