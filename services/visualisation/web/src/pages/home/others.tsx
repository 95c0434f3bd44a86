/** First screens of those who look: the analyst, the resident and the operator. */
import { useApi } from '../../app/session';
import { RouteLink } from '../../app/router';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { Empty, Loaded, Section } from '../../ui/State';
import { HealthTable } from '../operations/HealthTable';
import { LayerRows } from './parts';

export function AnalystHome() {
  const { t, date, number } = useI18n();
  const api = useApi();
  const scenarios = useResource('home scenarios', (signal) => api.support.scenarios(signal));
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/map" primary>{t.home.toMap}</ButtonLink>
        <ButtonLink to="/scenarios">{t.home.toScenarios}</ButtonLink>
      </div>
      <div className="dmi-two">
        <Section title={t.home.myScenarios} id="scenarios">
          <Loaded resource={scenarios} height={240} isEmpty={(all) => all.length === 0} empty={<Empty title={t.home.noScenarios} action={<ButtonLink to="/scenarios">{t.home.toScenarios}</ButtonLink>}>{t.home.noScenariosText}</Empty>}>
            {(all) => (
              <ul className="dmi-rows">
                {all.slice(0, 6).map((s) => (
                  <li key={s.id}>
                    <div>
                      <p><RouteLink to={`/scenarios/${s.id}`}>{s.title}</RouteLink></p>
                      <p className="dmi-small dmi-soft">{t.scenarios.version} {number(s.version)}, {date(s.created_at)}</p>
                    </div>
                    {s.withdrawn ? <Badge tone="bad">{t.states.withdrawn}</Badge> : null}
                  </li>
                ))}
              </ul>
            )}
          </Loaded>
        </Section>
        <Section title={t.home.cityNow} id="now"><LayerRows /></Section>
      </div>
    </>
  );
}

export function ResidentHome() {
  const { t } = useI18n();
  const api = useApi();
  const consents = useResource('home consents', (signal) => api.exchange.consents(signal), 15_000);
  const log = useResource('home log', (signal) => api.exchange.log({ limit: 200, newest: true }, signal), 30_000);
  return (
    <>
      <ul className="dmi-cards">
        <li className="dmi-card">
          <h2 className="utrecht-heading-2">{t.home.myConsents}</h2>
          <Loaded resource={consents} lines={2} height={64}>
            {(all) => <p className="dmi-lead dmi-lead--small">{t.home.consentsActive(all.filter((one) => one.state === 'active').length)}</p>}
          </Loaded>
          <div className="dmi-actions"><ButtonLink to="/my-data" primary>{t.home.steer}</ButtonLink></div>
        </li>
        <li className="dmi-card">
          <h2 className="utrecht-heading-2">{t.home.myUse}</h2>
          <Loaded resource={log} lines={2} height={64}>
            {(page) => <p className="dmi-lead dmi-lead--small">{t.home.usesToday(page.items.filter((one) => one.allowed).length)}{page.next ? ' +' : ''}</p>}
          </Loaded>
          <div className="dmi-actions"><ButtonLink to="/my-data">{t.mydata.uses}</ButtonLink></div>
        </li>
        <li className="dmi-card">
          <h2 className="utrecht-heading-2">{t.shell.map}</h2>
          <p className="dmi-lead dmi-lead--small">{t.home.cityNow}</p>
          <div className="dmi-actions"><ButtonLink to="/map">{t.home.toMap}</ButtonLink></div>
        </li>
      </ul>
      <Section title={t.home.aroundMe} id="around"><LayerRows /></Section>
    </>
  );
}

export function OperatorHome() {
  const { t } = useI18n();
  return (
    <>
      <div className="dmi-actions"><ButtonLink to="/operations" primary>{t.home.toOperations}</ButtonLink></div>
      <Section title={t.operations.health} id="health"><HealthTable /></Section>
      <Section title={t.operations.lag} id="lag"><LayerRows /></Section>
    </>
  );
}
