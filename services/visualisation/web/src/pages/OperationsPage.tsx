import { RouteLink } from '../app/router';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { DataTable } from '../ui/DataTable';
import { Page } from '../ui/Page';
import { RefusedBadge } from '../ui/RefusedBadge';
import { Loaded, Section } from '../ui/State';
import { Freshness } from './home/parts';
import { Rejects } from './intake/Rejects';
import { LogTable } from './log/LogTable';
import { HealthTable } from './operations/HealthTable';

export default function OperationsPage() {
  const { t, say, moment } = useI18n();
  const api = useApi();
  const layers = useResource('operations layers', (signal) => api.visualisation.layers(signal), 10_000);
  const log = useResource('operations log', (signal) => api.exchange.log({ limit: 200, newest: true }, signal), 10_000);
  return (
    <Page title={t.operations.title} lead={t.operations.lead} wide>
      <Section title={t.operations.health} id="health"><HealthTable /></Section>
      <Section title={t.operations.lag} id="lag">
        <Loaded resource={layers} height={240} isEmpty={(all) => all.items.length === 0} empty={<p className="dmi-soft">{t.map.noLayersText}</p>}>
          {(all) => (
            <DataTable
              caption={t.operations.lag} captionHidden rows={all.items} rowKey={(l) => l.id} initialSort={{ key: 'latest' }}
              columns={[
                { key: 'layer', head: t.operations.layer, sort: (l) => say(l.title), cell: (l) => <RouteLink to={`/catalogue/${l.id}`}>{say(l.title)}</RouteLink> },
                { key: 'latest', head: t.operations.latest, sort: (l) => l.latest, cell: (l) => (l.kind === 'areas' ? '' : moment(l.latest, true)) },
                { key: 'age', head: t.operations.ageWord, cell: (l) => (l.refused ? <RefusedBadge problem={l.refused} /> : <Freshness latest={l.latest} still={l.kind === 'areas'} />) },
              ]}
            />
          )}
        </Loaded>
      </Section>
      <Section title={t.operations.rejects} id="rejects" lead={t.sources.rejectsText}>
        <Rejects every={10_000} />
      </Section>
      <Section title={t.operations.refusals} id="refusals">
        <Loaded resource={log} height={160} isEmpty={(page) => page.items.every((e) => e.allowed)} empty={<p className="dmi-soft">{t.operations.refusalsEmpty}</p>}>
          {(page) => <LogTable caption={t.operations.refusals} entries={page.items.filter((e) => !e.allowed).slice(0, 20)} />}
        </Loaded>
      </Section>
    </Page>
  );
}
