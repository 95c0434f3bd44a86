import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Badge } from '../ui/Badge';
import { DataTable } from '../ui/DataTable';
import { Page } from '../ui/Page';
import { Loaded, Section } from '../ui/State';
import { Freshness } from './home/parts';
import { RejectTable } from './intake/RejectTable';
import { LogTable } from './log/LogTable';
import { HealthTable } from './operations/HealthTable';

export default function OperationsPage() {
  const { t, say, moment } = useI18n();
  const api = useApi();
  const layers = useResource('operations layers', (signal) => api.visualisation.layers(signal), 10_000);
  const rejects = useResource('operations rejects', (signal) => api.platform.rejects(signal), 10_000);
  const log = useResource('operations log', (signal) => api.exchange.log({ limit: 200, newest: true }, signal), 10_000);
  return (
    <Page title={t.operations.title} lead={t.operations.lead} wide>
      <Section title={t.operations.health} id="health"><HealthTable /></Section>
      <Section title={t.operations.lag} id="lag">
        <Loaded resource={layers} height={240}>
          {(all) => (
            <DataTable
              caption={t.operations.lag} captionHidden rows={all.items} rowKey={(l) => l.id} initialSort={{ key: 'latest' }}
              columns={[
                { key: 'layer', head: t.operations.layer, sort: (l) => say(l.title), cell: (l) => say(l.title) },
                { key: 'latest', head: t.operations.latest, sort: (l) => l.latest, cell: (l) => moment(l.latest, true) },
                { key: 'age', head: t.operations.ageWord, cell: (l) => (l.refused ? <Badge tone="bad">{t.map.ended}</Badge> : <Freshness latest={l.latest} still={l.kind === 'areas'} />) },
              ]}
            />
          )}
        </Loaded>
      </Section>
      <Section title={t.operations.rejects} id="rejects" lead={t.sources.rejectsText}>
        <Loaded resource={rejects} height={160} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.sources.rejectsEmpty}</p>}>
          {(all) => <RejectTable rejects={all} changed={rejects.reload} />}
        </Loaded>
      </Section>
      <Section title={t.operations.refusals} id="refusals">
        <Loaded resource={log} height={160} isEmpty={(page) => page.items.every((e) => e.allowed)} empty={<p className="dmi-soft">{t.operations.refusalsEmpty}</p>}>
          {(page) => <LogTable caption={t.operations.refusals} entries={page.items.filter((e) => !e.allowed).slice(0, 20)} />}
        </Loaded>
      </Section>
    </Page>
  );
}
