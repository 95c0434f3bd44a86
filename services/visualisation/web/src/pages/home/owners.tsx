/** First screens of those who bring data: the municipality and the vendor. */
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { ButtonLink } from '../../ui/ButtonLink';
import { CodeExample } from '../../ui/CopyButton';
import { DataTable } from '../../ui/DataTable';
import { RefusedBadge } from '../../ui/RefusedBadge';
import { Empty, Loaded, Section } from '../../ui/State';
import { outline } from '../../rights/words';
import { Rejects } from '../intake/Rejects';
import { AgreementRows, Freshness, useLayers } from './parts';

export function OfficerHome() {
  const { t, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const me = identity?.participant ?? '';
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const layers = useLayers();
  const mine = names.datasets.filter((one) => one.owner === me);
  const latest = new Map((layers.data?.items ?? []).map((layer) => [layer.id, layer]));
  const users = (dataset: string): Agreement[] => (agreements.data ?? []).filter((a) => a.state === 'active' && a.datasets.includes(dataset));

  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/publish" primary>{t.home.publishSensor}</ButtonLink>
        <ButtonLink to="/sources">{t.home.importFile}</ButtonLink>
      </div>
      <Section title={t.home.waiting} id="waiting">
        <Loaded resource={agreements} height={80}>
          {(all) => {
            const waiting = all.filter((a) => a.state === 'proposed' && a.waiting_for.includes(me));
            return waiting.length === 0 ? <p className="dmi-soft">{t.home.waitingNone}</p> : (
              <ul className="dmi-rows">
                {waiting.map((a) => (
                  <li key={a.id}>
                    <div>
                      <p><strong>{t.home.proposalBy(names.participant(a.assigner === me ? a.assignee : a.assigner))}</strong></p>
                      <p className="dmi-small dmi-soft">{a.datasets.map((id) => names.dataset(id)).join(', ')}. {t.common.purpose}: {outline(a.document).purposes.map((one) => names.purpose(one)).join(', ')}</p>
                    </div>
                    <ButtonLink to={`/agreements/${a.id}`}>{t.home.decide}</ButtonLink>
                  </li>
                ))}
              </ul>
            );
          }}
        </Loaded>
      </Section>
      <Section title={t.home.myDatasets} id="datasets" aside={<RouteLink to="/agreements">{t.home.toAgreements}</RouteLink>}>
        {mine.length === 0 ? <Empty title={t.home.noDatasets}>{t.home.noDatasetsText}</Empty> : (
          <DataTable
            caption={t.home.myDatasets} captionHidden rows={mine} rowKey={(d) => d.id} initialSort={{ key: 'title' }}
            columns={[
              { key: 'title', head: t.common.name, sort: (d) => say(d.title), cell: (d) => <RouteLink to={`/catalogue/${d.id}`}>{say(d.title)}</RouteLink> },
              { key: 'latest', head: t.home.lastSeen, sort: (d) => latest.get(d.id)?.latest, cell: (d) => {
                const layer = latest.get(d.id);
                return layer?.refused ? <RefusedBadge problem={layer.refused} /> : <Freshness latest={layer?.latest ?? null} still={layer?.kind === 'areas'} />;
              } },
              { key: 'users', head: t.home.usedBy, sort: (d) => users(d.id).length, cell: (d) => {
                const list = users(d.id);
                return (
                  <span>
                    {list.slice(0, 3).map((a) => `${names.participant(a.assignee)} (${outline(a.document).purposes.map((one) => names.purpose(one)).join(', ')})`).join('; ') || t.home.usedByCount(0)}
                    {list.length > 3 ? ` + ${list.length - 3}` : ''}
                  </span>
                );
              } },
            ]}
          />
        )}
      </Section>
    </>
  );
}

export function VendorHome() {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const dataset = agreements.data?.find((a) => a.state === 'active' && a.assignee === identity?.participant)?.datasets[0] ?? names.datasets[0]?.id ?? 'urn:dmi:dataset:gemeente:garages';
  const python = `import json, os, urllib.parse, urllib.request

# ${t.publish.tokenNote}
dataset = "${dataset}"
request = urllib.request.Request(
    "${location.origin}/platform/v1/latest?dataset=" + urllib.parse.quote(dataset),
    headers={
        "Authorization": "Bearer " + os.environ["DMI_TOKEN"],
        "DMI-Purpose": "dmi:purpose:mobility",
    },
)
for item in json.load(urllib.request.urlopen(request))["items"]:
    print(item["datastream"], item["result"], item["unit"], item["phenomenon_time"])
`;
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/catalogue" primary>{t.home.findData}</ButtonLink>
        <ButtonLink to="/publish">{t.home.publishSensor}</ButtonLink>
      </div>
      <Section title={t.home.connections} id="connections">
        <Loaded resource={agreements} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.home.noConnections}>{t.home.noConnectionsText}</Empty>}>
          {(all) => <AgreementRows agreements={all} />}
        </Loaded>
      </Section>
      <Section title={t.home.example} id="example" lead={t.home.exampleText}>
        <CodeExample title="Python" code={python} />
      </Section>
      <Section title={t.home.rejects} id="rejects">
        <Rejects every={30_000} />
      </Section>
    </>
  );
}
