import type { FeatureCollection } from 'geojson';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Coefficient, Scenario, ScenarioEdit } from '../api';
import { useLive } from '../app/live';
import type { PageProps } from '../app/pages';
import { useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Section, Skeleton } from '../ui/State';
import { CoefficientTable } from './scenario/CoefficientTable';
import { EditList } from './scenario/EditList';
import { Effects } from './scenario/Effects';
import { Redevelop } from './scenario/Redevelop';
import { Branch, Marks, ScenarioActions } from './scenario/ScenarioHead';
import { Versions } from './scenario/Versions';

export default function ScenarioPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const api = useApi();
  const scenario = useResource(`scenario ${id}`, (signal) => api.support.scenario(id, signal));
  // What can be chosen is for who may change it; who only looks at it sees the neighbourhoods of its baseline.
  const areas = useResource(scenario.data?.may_edit ? 'areas' : null, (signal) => api.support.areas(signal));
  const known = useResource('coefficients', (signal) => api.support.coefficients(signal));
  return (
    <Page
      title={scenario.data?.title ?? t.scenarios.workbench} back={{ to: '/scenarios', label: t.scenarios.title }} wide
      actions={scenario.data ? <ScenarioActions scenario={scenario.data} /> : null}
    >
      {scenario.data && known.error && known.data === null ? <Failure error={known.error} retry={known.reload} busy={known.loading} /> : null}
      <Loaded resource={scenario} height={640}>
        {(data) => {
          const bench = (collection: FeatureCollection | null) => <Workbench key={data.id} scenario={data} areas={collection} known={known.data ?? []} changed={scenario.reload} />;
          return data.may_edit ? <Loaded resource={areas} height={640}>{bench}</Loaded> : bench(null);
        }}
      </Loaded>
    </Page>
  );
}

interface Props {
  scenario: Scenario;
  /** What can be chosen to change; null for who may not. */
  areas: FeatureCollection | null;
  known: Coefficient[];
  changed: () => void;
}

function Workbench({ scenario, areas, known, changed }: Props) {
  const { t, number } = useI18n();
  const api = useApi();
  const live = useLive();
  const [query, change] = useQueryState();
  const asked = Number(query.get('version'));
  const version = scenario.versions.some((one) => one.version === asked) ? asked : scenario.version;
  const old = version !== scenario.version;
  const result = useResource(`result ${scenario.id} ${version} ${scenario.withdrawn}`, (signal) => api.support.result(scenario.id, version, signal));
  const outlines = useResource(`outlines ${scenario.id} ${version}`, (signal) => api.support.outlines(scenario.id, version, signal));
  const places = areas ?? outlines.data ?? { type: 'FeatureCollection', features: [] };
  const done = (message: string) => {
    live(message);
    change({ version: null });
    changed();
  };
  const act = useAction(async (perform: () => Promise<unknown>, message: string) => {
    await perform();
    result.reload();
    done(message);
  });
  const edit = useAction(async (next: ScenarioEdit) => {
    await api.support.edit(scenario.id, next);
    done(t.scenarios.applied);
  });
  const show = (one: number) => change({ version: one === scenario.version ? null : String(one) });
  const locked = old || !scenario.may_edit;
  const edits = old ? (result.data?.edits ?? []) : scenario.edits;

  return (
    <>
      <Marks
        scenario={scenario} result={result.data} old={old} busy={act.busy}
        onRenew={() => void act.run(() => api.support.renew(scenario.id), t.scenarios.renewed)}
        onRecompute={() => void act.run(() => api.support.recomputeScenario(scenario.id), t.scenarios.recomputed)}
      />
      {act.error ? <Failure error={act.error} /> : null}
      <div className="dmi-bench">
        <div className="dmi-noprint">
          {old ? (
            <div className="dmi-step">
              <p>{t.scenarios.oldVersion(number(version), number(scenario.version))}</p>
              <div className="dmi-actions">
                {scenario.may_edit ? <PrimaryActionButton busy={act.busy} disabled={act.busy} onClick={() => void act.run(() => api.support.restore(scenario.id, version), t.scenarios.restored)}>{t.scenarios.restore}</PrimaryActionButton> : null}
                <SecondaryActionButton onClick={() => show(scenario.version)}>{t.scenarios.toCurrent}</SecondaryActionButton>
              </div>
            </div>
          ) : areas ? (
            <>
              <Redevelop areas={areas} busy={edit.busy} disabled={edit.busy} onApply={(next) => edit.run(next)} />
              {edit.error ? <Failure error={edit.error} /> : null}
            </>
          ) : (
            <div className="dmi-step"><p>{t.scenarios.readOnly}</p><Branch scenario={scenario} primary /></div>
          )}
          <Section title={t.scenarios.list} id="edits">
            <EditList edits={edits} areas={places} coefficients={known} />
            {edits.length > 0 && !locked ? (
              <SecondaryActionButton busy={act.busy} disabled={act.busy} onClick={() => void act.run(() => api.support.undo(scenario.id), t.scenarios.undone)}>{t.scenarios.undo}</SecondaryActionButton>
            ) : null}
            <Versions scenario={scenario} shown={version} onShow={show} />
          </Section>
        </div>
        <div>
          <Section title={t.scenarios.step3} id="effects">
            {(result.data === null && result.loading) || (outlines.data === null && outlines.loading) ? <Skeleton height={720} lines={12} /> : null}
            {result.data === null && result.error ? <Failure error={result.error} retry={result.reload} /> : null}
            {outlines.error && !result.error ? <Failure error={outlines.error} retry={outlines.reload} /> : null}
            {result.data && result.data.totals === null ? <Empty title={t.scenarios.noFigures}>{t.scenarios.noFiguresText}</Empty> : null}
            {result.data?.totals && outlines.data ? <Effects scenario={scenario} result={result.data} areas={outlines.data} /> : null}
          </Section>
        </div>
      </div>
      {result.data && result.data.coefficients.length > 0 ? (
        <Section title={t.scenarios.assumptions} id="assumptions" lead={t.scenarios.assumptionsText}>
          <CoefficientTable coefficients={result.data.coefficients} busy={edit.busy} disabled={locked} onChange={(name, value) => edit.run({ type: 'coefficient', name, value })} />
        </Section>
      ) : null}
    </>
  );
}
