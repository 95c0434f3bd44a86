/** How a run was made, with what and by whom, and its way out as a file. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { ScenarioResult } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { Failure, Section } from '../../ui/State';
import { saveBlob } from '../dataset/save';

export function RunRecordView({ result }: { result: ScenarioResult }) {
  const { t, number, moment, source } = useI18n();
  const names = useNames();
  const s = t.scenarios;
  const { record } = result;
  return (
    <Section title={s.record} id="record">
      <dl className="dmi-facts">
        <dt>{s.recordRun}</dt><dd><code>{record.run ?? result.id}</code></dd>
        <dt>{s.recordBy}</dt><dd>{record.by === null ? s.recordByResident(moment(record.at, true)) : s.recordByText(record.by_name, names.participant(record.by), moment(record.at, true))}</dd>
        <dt>{s.recordInputs}</dt>
        <dd>{record.inputs.map((one) => <p key={one.dataset}><RouteLink to={`/catalogue/${one.dataset}`}>{names.dataset(one.dataset)}</RouteLink>, {s.recordVersion(one.version.slice(0, 12))}</p>)}</dd>
        {record.left_out.length > 0 ? (<><dt>{s.recordLeftOut}</dt><dd>{record.left_out.map((one) => names.dataset(one)).join(', ')}</dd></>) : null}
        <dt>{s.recordModel}</dt><dd><code>{record.model}</code></dd>
        <dt>{s.recordParameters}</dt><dd><code>{record.parameters.slice(0, 16)}</code></dd>
        <dt>{s.recordSeed}</dt><dd>{typeof record.seed === 'number' ? String(record.seed) : s.recordNoSeed}</dd>
        <dt>{s.recordDuration}</dt><dd>{number(record.duration_ms, 0)} ms</dd>
        <dt>{s.recordSource}</dt>
        <dd>{result.credits.map((one) => <p key={one.dataset}>{[(one.source && source(one.source)) || names.dataset(one.dataset), one.licence ? licenceName(one.licence) : null].filter(Boolean).join(', ')}</p>)}</dd>
      </dl>
      <p className="dmi-noprint"><RouteLink to={`/lineage/${encodeURIComponent(result.id)}`}>{t.lineage.show}</RouteLink></p>
    </Section>
  );
}

export function TakeAlong({ result }: { result: ScenarioResult }) {
  const { t } = useI18n();
  const api = useApi();
  const save = useAction(async (format: 'csv' | 'geojson') => saveBlob(await api.support.exportResult(result.scenario, format, result.version), `scenario-${result.version}.${format}`));
  return (
    <Section title={t.scenarios.exportTitle} id="export" lead={t.scenarios.exportText} className="dmi-noprint">
      <div className="dmi-actions">
        <SecondaryActionButton disabled={save.busy} onClick={() => void save.run('csv')}>{t.scenarios.exportCsv}</SecondaryActionButton>
        <SecondaryActionButton disabled={save.busy} onClick={() => void save.run('geojson')}>{t.scenarios.exportGeojson}</SecondaryActionButton>
        <SecondaryActionButton onClick={() => window.print()}>{t.scenarios.exportPrint}</SecondaryActionButton>
      </div>
      {save.error ? <Failure error={save.error} /> : null}
    </Section>
  );
}
