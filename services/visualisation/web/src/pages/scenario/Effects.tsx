/** What a scenario does: map, tables, who notices it, which assumptions count, how it was computed. */
import type { FeatureCollection } from 'geojson';
import type { Scenario, ScenarioResult } from '../../api';
import { useQueryState } from '../../app/router';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { RadioGroup, SelectField } from '../../ui/fields';
import { Failure, Notice, Section, Skeleton } from '../../ui/State';
import { CompareMap, views } from './CompareMap';
import { Equity } from './Equity';
import { indicators, type Comparison } from './figures';
import { AreaTable, TotalsTable } from './ResultTable';
import { RunRecordView, TakeAlong } from './RunRecordView';

interface Props {
  scenario: Scenario;
  result: ScenarioResult;
  areas: FeatureCollection;
}

export function Effects({ scenario, result, areas }: Props) {
  const { t, term, moment, say } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const all = indicators(result);
  const asked = query.get('indicator') ?? '';
  const indicator = all.includes(asked) ? asked : (all[0] ?? '');
  const view = views.find((one) => one === query.get('view')) ?? 'change';
  const against = query.get('with') ?? '';
  const others = useResource('scenarios', (signal) => api.support.scenarios(signal));
  const other = useResource(against === '' ? null : `against ${against}`, (signal) => api.support.result(against, undefined, signal));
  const found = against === '' ? null : other.data;
  const comparison: Comparison = { result, other: found?.totals ? found : null };
  const names = { left: comparison.other?.title ?? t.scenarios.now, right: result.title };
  const same = comparison.other === null || comparison.other.baseline_version === result.baseline_version;
  // Their share ids, so that whoever opens the link from here sees the same.
  const choices = (others.data ?? []).filter((one) => one.id !== scenario.id).map((one) => ({ value: one.share, label: one.title }));
  if (found && !choices.some((one) => one.value === against)) choices.unshift({ value: against, label: found.title });

  return (
    <>
      <div className="dmi-form__row dmi-noprint">
        <SelectField
          label={t.scenarios.compareWith} value={against} onChange={(value) => change({ with: value || null })} help={choices.length === 0 ? t.scenarios.compareOther : undefined}
          choices={[{ value: '', label: t.scenarios.compareNow }, ...choices]}
        />
        <SelectField label={t.scenarios.indicator} value={indicator} onChange={(value) => change({ indicator: value })} choices={all.map((value) => ({ value, label: term(value) }))} />
      </div>
      <p>{t.scenarios.compareLead(names.left, names.right)}</p>
      {against !== '' && other.data === null && other.loading ? <Skeleton lines={2} height={48} /> : null}
      {against !== '' && other.error ? <Failure error={other.error} retry={other.reload} /> : null}
      {found && !found.totals ? <Notice tone="warn"><p>{t.scenarios.otherGone}</p></Notice> : null}
      {same ? null : <Notice tone="warn"><p>{t.scenarios.otherCity}</p></Notice>}
      <div className="dmi-noprint">
        <RadioGroup
          inline label={t.scenarios.view} name="view" value={view} onChange={(value) => change({ view: value === 'change' ? null : value })}
          choices={[{ value: 'change', label: t.scenarios.viewChange }, { value: 'side', label: t.scenarios.viewSide }, { value: 'swipe', label: t.scenarios.viewSwipe }]}
        />
      </div>
      <CompareMap comparison={comparison} areas={areas} indicator={indicator} view={view} names={names} time={same ? t.scenarios.sameCity(moment(result.baseline_at)) : t.scenarios.otherCity} />
      <Section title={t.scenarios.totals} id="totals"><TotalsTable comparison={comparison} names={names} /></Section>
      <Section title={t.scenarios.perArea} id="areas"><AreaTable key={indicator} comparison={comparison} names={names} indicator={indicator} /></Section>
      <p className="dmi-small dmi-soft">{comparison.other === null ? t.scenarios.rangeHelp : t.scenarios.noRange}</p>
      {comparison.other === null ? <Equity result={result} indicator={indicator} /> : null}
      <Sensitivity result={result} indicator={indicator} />
      {result.notes.length > 0 ? <ul className="dmi-edits dmi-small">{result.notes.map((note) => <li key={say(note)}>{say(note)}</li>)}</ul> : null}
      <TakeAlong result={result} />
      <RunRecordView result={result} />
    </>
  );
}

/** The strongest assumptions under one figure. */
function Sensitivity({ result, indicator }: { result: ScenarioResult; indicator: string }) {
  const { t, term, signed, say } = useI18n();
  const swings = result.sensitivity.filter((one) => one.indicator === indicator);
  const name = (id: string) => say(result.coefficients.find((one) => one.name === id)?.label) || id.replaceAll('_', ' ');
  if (result.edits.length === 0) return null;
  return (
    <Section title={t.scenarios.sensitivity} id="sensitivity" lead={t.scenarios.sensitivityText(term(indicator))}>
      {swings.length === 0 ? <p className="dmi-soft">{t.scenarios.sensitivityNone}</p> : (
        <DataTable
          caption={t.scenarios.sensitivity} captionHidden rows={swings} rowKey={(s) => s.coefficient}
          columns={[
            { key: 'name', head: t.scenarios.coefficient, sort: (s) => name(s.coefficient), cell: (s) => <span className="dmi-cap">{name(s.coefficient)}</span> },
            { key: 'low', head: t.scenarios.atLow, numeric: true, sort: (s) => s.at_low, cell: (s) => signed(s.at_low) },
            { key: 'high', head: t.scenarios.atHigh, numeric: true, sort: (s) => s.at_high, cell: (s) => signed(s.at_high) },
          ]}
        />
      )}
    </Section>
  );
}
