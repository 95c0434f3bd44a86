import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { FeatureCollection } from 'geojson';
import type { Scenario, ScenarioEdit, ScenarioResult } from '../api';
import { useLive } from '../app/live';
import type { PageProps } from '../app/pages';
import { RouteLink, useQueryState, useRouter } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource, type Resource } from '../app/useResource';
import { useI18n } from '../i18n';
import { CopyButton } from '../ui/CopyButton';
import { ConfirmDialog } from '../ui/Dialog';
import { SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Failure, Loaded, Section, Skeleton, Withdrawn } from '../ui/State';
import { CoefficientTable } from './scenario/CoefficientTable';
import { EditList } from './scenario/EditList';
import { Redevelop } from './scenario/Redevelop';
import { ResultMap } from './scenario/ResultMap';
import { ResultTable } from './scenario/ResultTable';

export default function ScenarioPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const api = useApi();
  const scenario = useResource(`scenario ${id}`, (signal) => api.support.scenario(id, signal));
  const areas = useResource('areas', (signal) => api.support.areas(signal));
  return (
    <Page title={scenario.data?.title ?? t.scenarios.workbench} back={{ to: '/scenarios', label: t.scenarios.title }} wide>
      <Loaded resource={scenario} height={640}>
        {(data) => (
          <Loaded resource={areas} height={640}>
            {(collection) => <Workbench key={data.id} scenario={data} areas={collection} changed={scenario.reload} />}
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}

function versionsOf(scenario: Scenario): number[] {
  const numbers = scenario.versions.map((one) => (typeof one === 'number' ? one : one.version));
  return [...new Set([...numbers, scenario.version])].sort((a, b) => a - b);
}

function Workbench({ scenario, areas, changed }: { scenario: Scenario; areas: FeatureCollection; changed: () => void }) {
  const { t, number } = useI18n();
  const api = useApi();
  const live = useLive();
  const [query, change] = useQueryState();
  const asked = Number(query.get('version'));
  const version = versionsOf(scenario).includes(asked) ? asked : scenario.version;
  const old = version !== scenario.version;
  const result = useResource(`result ${scenario.id} ${version} ${scenario.withdrawn}`, (signal) => api.support.result(scenario.id, old ? version : undefined, signal));
  const done = (message: string) => {
    live(message);
    change({ version: null });
    changed();
  };
  const edit = useAction(async (next: ScenarioEdit) => {
    await api.support.edit(scenario.id, next);
    done(t.scenarios.applied);
  });
  const undo = useAction(async () => {
    await api.support.undo(scenario.id);
    done(t.scenarios.undone);
  });
  const recompute = useAction(async () => {
    await api.support.recomputeScenario(scenario.id);
    result.reload();
    done(t.scenarios.recomputed);
  });
  const withdrawn = scenario.withdrawn || (result.data?.withdrawn ?? false);
  const share = `${location.origin}/scenarios/${scenario.share ?? scenario.id}?version=${version}`;

  return (
    <>
      <div className="dmi-actions">
        <SelectField
          label={t.scenarios.versions} value={String(version)} onChange={(value) => change({ version: Number(value) === scenario.version ? null : value })}
          choices={versionsOf(scenario).map((n) => ({ value: String(n), label: n === scenario.version ? `${t.scenarios.showVersion(n)} (${t.scenarios.current})` : t.scenarios.showVersion(n) }))}
        />
        <CopyButton text={share} label={t.scenarios.share} />
        <Branch scenario={scenario} />
      </div>
      {withdrawn ? <Withdrawn action={<PrimaryActionButton busy={recompute.busy} disabled={recompute.busy} onClick={() => void recompute.run()}>{t.scenarios.recompute}</PrimaryActionButton>} /> : null}
      {recompute.error ? <Failure error={recompute.error} /> : null}
      <div className="dmi-bench">
        <div>
          <Redevelop areas={areas} busy={edit.busy} disabled={old} onApply={(next) => edit.run(next)} />
          {edit.error ? <Failure error={edit.error} /> : null}
          <Section title={t.scenarios.list} id="edits">
            <EditList edits={scenario.edits} areas={areas} />
            {scenario.edits.length > 0 && !old ? (
              <SecondaryActionButton busy={undo.busy} disabled={undo.busy} onClick={() => void undo.run()}>{t.scenarios.undo}</SecondaryActionButton>
            ) : null}
            {undo.error ? <Failure error={undo.error} /> : null}
          </Section>
        </div>
        <div>
          <Effects result={result} areas={areas} baseline={scenario.baseline} />
          {result.data ? (
            <p className="dmi-small dmi-soft">
              {t.scenarios.version} {number(version)}. {t.scenarios.notFinal} <RouteLink to={`/lineage/${encodeURIComponent(result.data.id ?? scenario.id)}`}>{t.lineage.show}</RouteLink>
            </p>
          ) : null}
        </div>
      </div>
      {result.data ? (
        <Section title={t.scenarios.assumptions} id="assumptions" lead={t.scenarios.assumptionsText}>
          <CoefficientTable coefficients={result.data.coefficients} busy={edit.busy} disabled={old} onChange={(name, value) => edit.run({ type: 'coefficient', name, value })} />
        </Section>
      ) : null}
    </>
  );
}

function Effects({ result, areas, baseline }: { result: Resource<ScenarioResult>; areas: FeatureCollection; baseline: unknown }) {
  const { t, say } = useI18n();
  const version = typeof baseline === 'string' || typeof baseline === 'number' ? String(baseline).slice(0, 12) : null;
  return (
    <Section title={t.scenarios.step3} id="effects" lead={version ? t.scenarios.basedOn(version) : undefined}>
      {result.data === null && result.loading ? <Skeleton height={480} lines={8} /> : null}
      {result.data === null && result.error ? <Failure error={result.error} retry={result.reload} /> : null}
      {result.data?.totals ? (
        <>
          <ResultMap result={result.data} areas={areas} />
          <ResultTable result={result.data} />
          {result.data.notes?.length ? <ul className="dmi-edits dmi-small">{result.data.notes.map((note) => <li key={say(note)}>{say(note)}</li>)}</ul> : null}
        </>
      ) : null}
    </Section>
  );
}

function Branch({ scenario }: { scenario: Scenario }) {
  const { t } = useI18n();
  const api = useApi();
  const { navigate } = useRouter();
  const [asking, setAsking] = useState(false);
  const [title, setTitle] = useState(`${scenario.title} (2)`);
  const branch = useAction(async () => {
    const made = await api.support.branch(scenario.id, title.trim());
    navigate(`/scenarios/${made.id}`);
  });
  return (
    <>
      <SecondaryActionButton className="dmi-small-button" onClick={() => setAsking(true)}>{t.scenarios.branch}</SecondaryActionButton>
      <ConfirmDialog open={asking} title={t.scenarios.branch} confirm={t.scenarios.branch} busy={branch.busy} error={branch.error} onClose={() => setAsking(false)} onConfirm={() => void branch.run()}>
        <p>{t.scenarios.branchText}</p>
        <TextField label={t.scenarios.branchTitle} value={title} onChange={setTitle} />
      </ConfirmDialog>
    </>
  );
}
