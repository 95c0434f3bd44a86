/** Brings the changes of another branch into a scenario: first what would happen, then the choice where they clash. */
import { useState } from 'react';
import type { FeatureCollection } from 'geojson';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Clash, Coefficient, MergePlan, Scenario, ScenarioEdit, ScenarioSummary } from '../api';
import { useLive } from '../app/live';
import type { PageProps } from '../app/pages';
import { useQueryState, useRouter } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { RadioGroup, SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Failure, Loaded, Notice, Section } from '../ui/State';
import { coefficientName, editWords } from './scenario/editWords';
import { sharedId } from './scenario/shared';

export default function MergePage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const api = useApi();
  const scenario = useResource(`scenario ${id}`, (signal) => api.support.scenario(id, signal));
  const title = scenario.data ? t.scenarios.mergeTitle(scenario.data.title) : t.scenarios.merge;
  return (
    <Page title={title} lead={t.scenarios.mergeLead} back={{ to: `/scenarios/${id}`, label: scenario.data?.title ?? t.scenarios.title }}>
      <Loaded resource={scenario} height={320}>{(data) => <Merge scenario={data} />}</Loaded>
    </Page>
  );
}

function Merge({ scenario }: { scenario: Scenario }) {
  const { t } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const other = query.get('with') ?? '';
  const all = useResource('scenarios', (signal) => api.support.scenarios(signal));
  // Without the names of places and assumptions nobody can choose between two edits.
  const about = useResource('merge words', (signal) => Promise.all([api.support.areas(signal), api.support.coefficients(signal)]));
  const plan = useResource(other === '' ? null : `merge ${scenario.id} ${scenario.version} ${other}`, (signal) => api.support.mergePlan(scenario.id, other, signal));
  return (
    <>
      <Loaded resource={all} height={160}>
        {(list) => <Choose scenario={scenario} list={list} other={other} onChoose={(value) => change({ with: value || null })} />}
      </Loaded>
      {other === '' ? null : (
        <Loaded resource={plan} height={320}>
          {(found) => (
            <Loaded resource={about} height={320}>
              {([areas, known]) => <PlanView key={`${found.with.id} ${found.with.version}`} scenario={scenario} plan={found} areas={areas} known={known} />}
            </Loaded>
          )}
        </Loaded>
      )}
      {other === '' ? null : <p className="dmi-small dmi-soft">{t.scenarios.notNow}</p>}
    </>
  );
}

function Choose({ scenario, list, other, onChoose }: { scenario: Scenario; list: ScenarioSummary[]; other: string; onChoose: (id: string) => void }) {
  const { t } = useI18n();
  const [link, setLink] = useState('');
  const [tried, setTried] = useState(false);
  const fitting = list.filter((one) => one.id !== scenario.id && one.baseline === scenario.baseline);
  const shared = sharedId(link);
  return (
    <form
      className="dmi-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (shared !== null) onChoose(shared);
      }}
    >
      {fitting.length === 0 ? <p className="dmi-soft">{t.scenarios.mergeNone}</p> : (
        <SelectField
          label={t.scenarios.mergeWith} value={fitting.some((one) => one.id === other) ? other : ''} onChange={onChoose} placeholder={t.common.chooseOne}
          choices={fitting.map((one) => ({ value: one.id, label: one.title }))}
        />
      )}
      <div className="dmi-form__row">
        <TextField label={t.scenarios.mergeShare} value={link} onChange={setLink} error={tried && link !== '' && shared === null ? t.scenarios.mergeShareWrong : null} />
        <SecondaryActionButton type="submit">{t.scenarios.mergeShow}</SecondaryActionButton>
      </div>
    </form>
  );
}

interface PlanProps {
  scenario: Scenario;
  plan: MergePlan;
  areas: FeatureCollection;
  known: Coefficient[];
}

function PlanView({ scenario, plan, areas, known }: PlanProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const api = useApi();
  const live = useLive();
  const { navigate } = useRouter();
  const [choices, setChoices] = useState<Record<string, string>>({});
  const [tried, setTried] = useState(false);
  const words = (edit: ScenarioEdit) => editWords(edit, areas, known, i18n);
  const missing = plan.clashes.filter((clash) => choices[clash.id] === undefined);
  const merge = useAction(async () => {
    const done = await api.support.merge(scenario.id, plan.with.id, choices);
    live(t.scenarios.merged);
    navigate(`/scenarios/${done.id}`);
  });
  const contested = new Set(plan.clashes.flatMap((clash) => [...clash.ours, ...clash.theirs]).map((edit) => JSON.stringify(edit)));
  const list = (title: string, steps: { edit: ScenarioEdit; both: boolean }[]) => (
    <Section title={title}>
      {steps.length === 0 ? <p className="dmi-soft">{t.scenarios.mergeNothing}</p> : (
        <ol className="dmi-edits">
          {steps.map(({ edit, both }, index) => (
            <li key={index} className="dmi-cap">
              {words(edit)}
              {both ? <span className="dmi-small dmi-soft"> ({t.scenarios.mergeBothHave})</span> : contested.has(JSON.stringify(edit)) ? <span className="dmi-small dmi-soft"> ({t.scenarios.mergeContested})</span> : null}
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
  return (
    <>
      <div className="dmi-two">
        {list(t.scenarios.mergeOurs(plan.into.title), plan.ours)}
        {list(t.scenarios.mergeTheirs(plan.with.title), plan.theirs)}
      </div>
      {plan.shared.length > 0 ? list(t.scenarios.mergeShared, plan.shared.map((edit) => ({ edit, both: false }))) : null}
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (missing.length === 0) void merge.run();
          else document.getElementById(`clash-${missing[0]?.id ?? ''}`)?.querySelector('input')?.focus();
        }}
      >
        {plan.clashes.length === 0 ? <Notice tone="good"><p>{t.scenarios.mergeNoClashes}</p></Notice> : (
          <Section title={t.scenarios.mergeClashes(plan.clashes.length)} id="clashes">
            {plan.clashes.map((clash) => (
              <ClashView
                key={clash.id} clash={clash} plan={plan} known={known} words={words} value={choices[clash.id] ?? ''} error={tried && choices[clash.id] === undefined ? t.scenarios.clashNeeded : null}
                onChange={(value) => setChoices((all) => ({ ...all, [clash.id]: value }))}
              />
            ))}
          </Section>
        )}
        {merge.error ? <Failure error={merge.error} /> : null}
        <div><PrimaryActionButton type="submit" busy={merge.busy} disabled={merge.busy}>{merge.busy ? t.common.working : t.scenarios.mergeDo}</PrimaryActionButton></div>
      </form>
    </>
  );
}

interface ClashProps {
  clash: Clash;
  plan: MergePlan;
  known: Coefficient[];
  words: (edit: ScenarioEdit) => string;
  value: string;
  error: string | null;
  onChange: (value: string) => void;
}

function ClashView({ clash, plan, known, words, value, error, onChange }: ClashProps) {
  const { t, say } = useI18n();
  const places = [...new Set(clash.contested.map((one) => one.neighbourhood_name))].join(', ');
  const [first] = clash.ours;
  const title = clash.kind === 'area' ? t.scenarios.clashArea(places) : t.scenarios.clashCoefficient(first?.type === 'coefficient' ? coefficientName(first.name, known, say) : '');
  const buildings = clash.contested.map((one) => one.name);
  const label: Record<string, string> = {
    ours: t.scenarios.choiceOurs(plan.into.title), theirs: t.scenarios.choiceTheirs(plan.with.title), both: t.scenarios.choiceBoth(plan.into.title, plan.with.title),
  };
  const help: Record<string, string> = { ours: clash.ours.map(words).join('; '), theirs: clash.theirs.map(words).join('; '), both: '' };
  return (
    <div className="dmi-clash" id={`clash-${clash.id}`}>
      <h3 className="utrecht-heading-3">{title}</h3>
      {clash.kind === 'area' ? <p className="dmi-small dmi-soft">{t.scenarios.clashBuildings(buildings.length > 8 ? `${buildings.slice(0, 8).join(', ')} +${buildings.length - 8}` : buildings.join(', '))}</p> : null}
      <RadioGroup label={t.scenarios.clashChoice} name={clash.id} value={value} onChange={onChange} error={error} choices={clash.choices.map((one) => ({ value: one, label: label[one] ?? one, help: help[one] }))} />
    </div>
  );
}
