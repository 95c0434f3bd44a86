/** Scenario beside baseline, per neighbourhood and for the whole city, with units and change. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { AreaResult, Changes, Figures, ScenarioResult } from '../../api';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { RadioGroup, SelectField } from '../../ui/fields';
import { saveBlob } from '../dataset/save';
import { absolute, csvOf, indicators, rangeOf, unitOf } from './figures';

interface Row {
  id: string;
  name: string;
  baseline: number | null;
  scenario: number | null;
  change: number | null;
  range: { low: number; high: number } | null;
}

interface Sides {
  baseline: Figures;
  scenario: Figures;
  change?: Changes;
}

function rowOf(id: string, name: string, { baseline, scenario, change }: Sides, indicator: string): Row {
  const before = baseline[indicator] ?? null;
  const after = scenario[indicator] ?? null;
  const difference = before === null || after === null ? null : after - before;
  return { id, name, baseline: before, scenario: after, change: absolute(change?.[indicator]) ?? difference, range: rangeOf(change?.[indicator]) };
}

export function ResultTable({ result }: { result: ScenarioResult }) {
  const { t, term, quantity, number, signed, percent, unit } = useI18n();
  const [indicator, setIndicator] = useState('');
  const [which, setWhich] = useState('changed');
  const names = indicators(result);
  const whole: Sides = result.totals ?? { baseline: {}, scenario: {} };
  const changes = (area: AreaResult) => Object.values(area.change).some((value) => Math.abs(absolute(value) ?? 0) > 1e-9);
  const ranged = Object.values(result.totals?.change ?? {}).some((one) => rangeOf(one) !== null);
  const areas = which === 'changed' ? result.areas.filter(changes) : result.areas;
  const columns = (head: string) => [
    { key: 'name', head, sort: (r: Row) => (r.id === '' ? '' : r.name), cell: (r: Row) => (r.id === '' ? <strong>{r.name}</strong> : <span className="dmi-cap">{r.name}</span>) },
    { key: 'baseline', head: t.scenarios.baseline, numeric: true, sort: (r: Row) => r.baseline, cell: (r: Row) => cell(r, r.baseline) },
    { key: 'scenario', head: t.scenarios.scenario, numeric: true, sort: (r: Row) => r.scenario, cell: (r: Row) => cell(r, r.scenario) },
    { key: 'change', head: t.scenarios.change, numeric: true, sort: (r: Row) => r.change, cell: (r: Row) => <span className="dmi-change">{r.change === 0 ? '0' : signed(r.change)}</span> },
    ...(ranged ? [{ key: 'range', head: t.scenarios.range, numeric: true, cell: (r: Row) => (r.range ? <span className="dmi-change">{signed(r.range.low)} – {signed(r.range.high)}</span> : '') }] : []),
    { key: 'percent', head: t.scenarios.changePercent, numeric: true, sort: (r: Row) => relative(r), cell: (r: Row) => percent(relative(r), 1, true) },
  ];
  const cell = (r: Row, value: number | null) => (indicator === '' ? quantity(value, unitOf(r.id)) : number(value));
  const all: Row[] = indicator === ''
    ? names.map((name) => rowOf(name, term(name), whole, name))
    : [
        rowOf('', t.scenarios.wholeCity, whole, indicator),
        ...areas.map((area) => rowOf(area.id, area.name, area, indicator)),
      ];
  const unitWords = indicator === '' ? '' : unit(unitOf(indicator));
  return (
    <div className="dmi-stack">
      <div className="dmi-form__row">
        <SelectField
          label={t.scenarios.indicator} value={indicator} onChange={setIndicator}
          choices={[{ value: '', label: `${t.common.all} (${t.scenarios.wholeCity.toLocaleLowerCase()})` }, ...names.map((value) => ({ value, label: term(value) }))]}
        />
        {indicator === '' ? null : (
          <RadioGroup inline label={t.common.filter} name="which" value={which} onChange={setWhich} choices={[{ value: 'changed', label: t.scenarios.onlyChanged }, { value: 'all', label: t.scenarios.showAll }]} />
        )}
      </div>
      <DataTable
        key={indicator} caption={indicator === '' ? t.scenarios.wholeCity : `${term(indicator)}${unitWords ? ` (${unitWords})` : ''}`}
        columns={columns(indicator === '' ? t.scenarios.indicator : t.map.neighbourhood)} rows={all} rowKey={(r) => r.id}
      />
      <SecondaryActionButton className="dmi-small-button" onClick={() => saveBlob(new Blob([csvOf(result)], { type: 'text/csv;charset=utf-8' }), `scenario-${result.scenario}-${result.version}.csv`)}>
        {t.scenarios.exportCsv}
      </SecondaryActionButton>
    </div>
  );
}

function relative(row: Row): number | null {
  return row.change === null || !row.baseline ? null : row.change / row.baseline;
}
