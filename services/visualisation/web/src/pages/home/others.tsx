/** First screens of those who look: the analyst, the resident, the operator and the inspector. */
import type { ReactNode } from 'react';
import { lags } from '../../api/operations';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { Empty, Loaded, Notice, Section } from '../../ui/State';
import { Found } from '../inspection/Found';
import { Rejects } from '../intake/Rejects';
import { undecided } from '../measures/undecided';
import { HealthTable } from '../operations/HealthTable';
import { useAnswers } from './answers';
import { LayerRows, Together, toAsk, toSign, Unknown } from './parts';
import { usesByWhom } from './usage';

export function AnalystHome() {
  const { t, moment, number } = useI18n();
  const api = useApi();
  const scenarios = useResource('home scenarios', (signal) => api.support.newestScenarios(6, signal));
  const proposed = useResource('home proposed', (signal) => api.support.measures('proposed', signal), 15_000);
  const now = useNow();
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/map" primary>{t.home.toMap}</ButtonLink>
        <ButtonLink to="/scenarios">{t.home.toScenarios}</ButtonLink>
      </div>
      <div className="dmi-two">
        <Section title={t.home.myScenarios} id="scenarios" aside={<RouteLink to="/scenarios">{t.home.allScenarios}</RouteLink>}>
          <Loaded resource={scenarios} height={240} isEmpty={(all) => all.length === 0} empty={<Empty title={t.home.noScenarios} action={<ButtonLink to="/scenarios">{t.home.toScenarios}</ButtonLink>}>{t.home.noScenariosText}</Empty>}>
            {(all) => (
              <ul className="dmi-rows">
                {all.map((s) => (
                  <li key={s.id}>
                    <div>
                      <p><RouteLink to={`/scenarios/${s.id}`}>{s.title}</RouteLink></p>
                      <p className="dmi-small dmi-soft">{t.scenarios.version} {number(s.version)}, {t.scenarios.versionEdit(s.edits)}, {moment(s.changed_at)}</p>
                    </div>
                    {s.withdrawn ? <Badge tone="bad">{t.states.withdrawn}</Badge> : s.stale.length > 0 ? <Badge tone="warn">{t.scenarios.stale}</Badge> : null}
                  </li>
                ))}
              </ul>
            )}
          </Loaded>
        </Section>
        <Section title={t.home.cityNow} id="now"><LayerRows /></Section>
      </div>
      <Section title={t.measures.proposed} id="proposed">
        <Loaded resource={proposed} lines={1} height={24} isEmpty={(all) => undecided(all, now).length === 0} empty={<p className="dmi-soft">{t.measures.proposedEmpty}</p>}>
          {(all) => <Notice tone="info"><p>{t.home.proposalsWait(undecided(all, now).length)} <RouteLink to="/measures">{t.home.decide}</RouteLink></p></Notice>}
        </Loaded>
      </Section>
    </>
  );
}

export function ResidentHome() {
  const { t, say, time, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const consents = useResource('home consents', (signal) => api.exchange.consents('', signal), 15_000);
  const usage = useResource('home my uses', (signal) => api.exchange.myUses(1, '', signal), 30_000);
  const feed = useResource('home feed', (signal) => api.support.feed(signal), 15_000);
  const active = (consents.data ?? []).filter((one) => one.state === 'active').length;
  return (
    <>
      <div className="dmi-actions"><ButtonLink to="/map" primary>{t.home.toMap}</ButtonLink></div>
      <div className="dmi-two">
        <Section title={t.home.myUse} id="use" aside={<RouteLink to="/my-data">{t.home.steer}</RouteLink>}>
          {/* One message for both, as they are about one thing. */}
          {consents.data ? <p>{active === 0 ? t.home.consentsNone : t.home.consentsActive(active)}</p> : usage.error ? null : <Loaded resource={consents} lines={1} height={32}>{() => null}</Loaded>}
          <Loaded resource={usage} height={120}>
            {({ items }) => {
              const others = usesByWhom(items);
              if (others.length === 0) return <p className="dmi-soft">{t.home.notUsedToday}</p>;
              return (
                <ul className="dmi-rows">
                  {others.slice(0, 5).map((use) => (
                    <li key={`${use.participant} ${use.dataset}`}>
                      <div><p>{use.name}</p><p className="dmi-small dmi-soft">{names.dataset(use.dataset)}</p></div>
                      <span className="dmi-small">{t.home.usedTimes(number(use.times))}</span>
                    </li>
                  ))}
                </ul>
              );
            }}
          </Loaded>
        </Section>
        <Section title={t.home.aroundMe} id="around"><LayerRows /></Section>
      </div>
      <Section title={t.home.holdsNow} id="feed" aside={<RouteLink to="/measures">{t.shell.measures}</RouteLink>}>
        <Loaded resource={feed} lines={2} height={64} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.measures.feedEmpty}</p>}>
          {(all) => <ul className="dmi-rows">{all.map((one) => <li key={one.id}><span><strong>{say(one.title)}</strong>. {say(one.advice)}</span><span className="dmi-small dmi-soft">{t.measures.untilTime(time(one.valid_to))}</span></li>)}</ul>}
        </Loaded>
      </Section>
    </>
  );
}

export function OperatorHome() {
  const { t } = useI18n();
  return (
    <>
      <Section title={t.home.waiting} id="waiting"><Waiting /></Section>
      <OperatorFigures />
      <Section title={t.home.toReplay} id="replay" lead={t.sources.rejectsText}><Rejects every={15_000} /></Section>
      <Section title={t.operations.health} id="health" aside={<RouteLink to="/operations">{t.home.toOperations}</RouteLink>}><HealthTable /></Section>
      <Section title={t.operations.lag} id="lag"><LayerRows /></Section>
    </>
  );
}

/** What the operator has yet to sign or to ask for: until then nothing of that data is stored or shown. */
function Waiting() {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const { negotiations, notices, tasks: answers } = useAnswers();
  const now = useNow();
  const me = identity?.participant ?? '';
  const all = agreements.data ?? [];
  const tasks = [...toSign(all, me, now, t, names), ...answers, ...(negotiations.data ? toAsk(all, negotiations.data, me, t, names) : [])];
  return <Together parts={[agreements, negotiations, notices]} tasks={tasks} />;
}

/** Lag, rejects and refusals as figures, each the way to its page. */
function OperatorFigures() {
  const { t, number } = useI18n();
  const api = useApi();
  const lag = useResource('home lag', (signal) => lags(signal), 10_000);
  const rejects = useResource('rejects', (signal) => api.platform.rejects(signal), 15_000);
  const usage = useResource('home usage', (signal) => api.exchange.usage({ hours: 24 }, signal), 30_000);
  const messages = lag.data?.reduce((sum, one) => sum + one.messages, 0);
  const rows = rejects.data?.reduce((sum, one) => sum + (one.rows ?? 1), 0);
  const refused = usage.data?.items.reduce((sum, one) => sum + one.refused, 0);
  const least = usage.data && !usage.data.complete ? '≥ ' : '';
  const figures: [string, ReactNode, string, string][] = [
    [t.home.lagFigure, messages === undefined ? <Unknown resource={lag} /> : number(messages), t.home.lagText, '/operations'],
    [t.home.rejectsFigure, rows === undefined ? <Unknown resource={rejects} /> : number(rows), t.home.rejectsFigureText, '/sources'],
    [t.home.refusalsFigure, refused === undefined ? <Unknown resource={usage} /> : `${least}${number(refused)}`, t.home.refusalsText, '/log?outcome=refused'],
  ];
  return (
    <ul className="dmi-cards">
      {figures.map(([label, value, text, to]) => (
        <li key={label} className="dmi-card">
          <p className="dmi-card__over"><RouteLink to={to}>{label}</RouteLink></p>
          <p className="dmi-card__figure">{value}</p>
          <p className="dmi-small dmi-soft">{text}</p>
        </li>
      ))}
    </ul>
  );
}

export function InspectorHome() {
  const { t } = useI18n();
  const api = useApi();
  const findings = useResource('inspection findings', (signal) => api.inspection.findings(signal), 30_000);
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/inspection" primary>{t.home.toInspection}</ButtonLink>
        <ButtonLink to="/log">{t.shell.log}</ButtonLink>
      </div>
      <Found findings={findings} />
    </>
  );
}
