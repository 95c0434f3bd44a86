import { useState } from 'react';
import type { Agreement, Dataset, Datastream, Latest } from '../api';
import { useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { RouteLink } from '../app/router';
import { isPerson, useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource, type Resource } from '../app/useResource';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';
import { licenceName, thingName } from '../i18n/format';
import { inWords, outline } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { DataTable } from '../ui/DataTable';
import { Page } from '../ui/Page';
import { noneWhenRefused } from '../ui/problems';
import { Empty, Failure, Loaded, Notice, Section } from '../ui/State';
import { AboutRows, ConditionsOf, EntryView, Measured } from './catalogue/parts';
import { AskForUse } from './dataset/AskForUse';
import { Awaited, awaited } from './dataset/Awaited';
import { Offers, useOffers } from './dataset/Offers';
import { saveBlob } from './dataset/save';
import { counts } from './home/usage';

export default function DatasetPage(props: PageProps) {
  return (props.params['id'] ?? '').startsWith('urn:dmi:listing:') ? <EntryView id={props.params['id'] ?? ''} /> : <DatasetEntry {...props} />;
}

function DatasetEntry({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t, say } = useI18n();
  const api = useApi();
  const dataset = useResource(`dataset ${id}`, (signal) => api.exchange.dataset(id, signal));
  return (
    <Page title={dataset.data ? say(dataset.data.title) : t.common.dataset} lead={say(dataset.data?.description)} back={{ to: '/catalogue', label: t.catalogue.title }}>
      <Loaded resource={dataset} height={480}>{(data) => <DatasetView dataset={data} />}</Loaded>
    </Page>
  );
}

function DatasetView({ dataset }: { dataset: Dataset }) {
  const { t, source } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const api = useApi();
  const offers = useOffers(dataset);
  const [waits, setWaits] = useState(false);
  const agreements = useResource(`users ${dataset.id}`, async (signal) => {
    const all = await api.exchange.agreements({ dataset: dataset.id }, signal);
    setWaits(awaited(all, dataset.id, names.stack) !== null);
    return all;
  }, waits ? 5_000 : undefined);
  const me = identity?.participant ?? '';
  const found = awaited(agreements.data ?? [], dataset.id, names.stack);
  const open = found && [found.assigner, ...found.waiting_for].includes(me) ? found : null;
  return (
    <>
      {open ? <Awaited agreement={open} /> : null}
      {dataset.withdrawn ? <Notice tone="bad" title={t.catalogue.withdrawnTitle}><p>{t.catalogue.withdrawnText}</p></Notice> : null}
      <div className="dmi-actions">
        {dataset.layer && !open ? <ButtonLink to={`/map?layer=${dataset.id}`} primary>{t.catalogue.showOnMap}</ButtonLink> : null}
      </div>
      <Section title={t.catalogue.about} id="about">
        <dl className="dmi-facts">
          <dt>{t.common.owner}</dt><dd>{names.participant(dataset.owner)}</dd>
          {dataset.source ? (<><dt>{t.common.source}</dt><dd>{source(dataset.source)}</dd></>) : null}
          {dataset.licence ? (<><dt>{t.common.licence}</dt><dd>{licenceName(dataset.licence)}</dd></>) : null}
          <AboutRows about={dataset.about} />
          <dt className="dmi-cap">{t.catalogue.personal}</dt><dd>{dataset.personal ? t.common.yes : t.common.no}</dd>
          <dt>ID</dt><dd><code>{dataset.id}</code></dd>
        </dl>
      </Section>
      <Measured quality={dataset.quality} />
      <Offers dataset={dataset} offers={offers} />
      <Users agreements={agreements} />
      {open ? null : <Sample dataset={dataset} />}
      {open ? null : <Download dataset={dataset} />}
      {identity && identity.participant !== dataset.owner && !isPerson(identity.participant) ? (
        <Loaded resource={offers} height={320}>{(all) => <AskForUse dataset={dataset} offers={all} />}</Loaded>
      ) : null}
    </>
  );
}

function Users({ agreements }: { agreements: Resource<Agreement[]> }) {
  const i18n = useI18n();
  const { t, term } = i18n;
  const names = useNames();
  return (
    <Section title={t.catalogue.users} id="users">
      <Loaded resource={agreements} height={120} isEmpty={(all) => !all.some(counts)} empty={<p className="dmi-soft">{t.catalogue.conditionsNone}</p>}>
        {(all) => (
          <ul className="dmi-rows">
            {all.filter(counts).map((a) => {
              const { purposes, actions } = outline(a.document);
              return (
                <li key={a.id}>
                  <div>
                    <p><RouteLink to={`/agreements/${a.id}`}>{names.participant(a.assignee)}</RouteLink>: {actions.map((one) => term(one)).join(', ')}</p>
                    <p className="dmi-small dmi-soft">{t.common.purpose}: {purposes.map((one) => names.purpose(one)).join(', ')}</p>
                    <ConditionsOf document={a.document} lines={inWords(a.document, i18n, names)} />
                  </div>
                  <Badge tone={stateTone(a.state)}>{term(a.state)}</Badge>
                </li>
              );
            })}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}

function Sample({ dataset }: { dataset: Dataset }) {
  const { t, term, quantity, moment } = useI18n();
  const api = useApi();
  const { identity } = useSession();
  const sample = useResource(`sample ${dataset.id}`, async (signal) => {
    const [streams, latest] = await Promise.all([
      // Of what may not be read whole the names are not told; the sample is.
      api.platform.datastreams(dataset.id, signal).catch(noneWhenRefused<Datastream>),
      api.platform.sample(dataset.id, signal),
    ]);
    return { names: new Map(streams.map((s) => [s.id, s])), latest };
  });
  return (
    <Section title={t.catalogue.sample} id="sample">
      <Loaded resource={sample} height={240} owner={dataset.owner} isEmpty={(data) => data.latest.length === 0} empty={<Empty title={t.catalogue.sampleEmpty} action={identity?.participant === dataset.owner ? <ButtonLink to="/publish">{t.offer.addSensor}</ButtonLink> : undefined} />}>
        {(data) => (
          <>
            <DataTable
              caption={t.catalogue.sample} captionHidden rows={data.latest} rowKey={(r) => r.datastream} pageSize={15} search={data.latest.length > 15 ? (r) => nameOf(data.names.get(r.datastream), r) : undefined}
              columns={[
                { key: 'name', head: t.common.name, sort: (r) => nameOf(data.names.get(r.datastream), r), cell: (r) => nameOf(data.names.get(r.datastream), r) },
                { key: 'property', head: t.catalogue.properties, cell: (r) => term(data.names.get(r.datastream)?.observed_property ?? r.datastream.split('.').at(-1)) },
                { key: 'value', head: t.common.value, numeric: true, sort: (r) => r.result, cell: (r) => quantity(r.result, r.unit) },
                { key: 'time', head: t.map.when, sort: (r) => r.phenomenon_time, cell: (r) => moment(r.phenomenon_time) },
                { key: 'flag', head: t.map.flag, cell: (r) => term(String(r.flag ?? '2')) },
              ]}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}

/** The name of the thing that measured. */
function nameOf(stream: Datastream | undefined, row: Latest): string {
  return stream ? thingName(stream.name, stream.observed_property) : row.datastream;
}

function Download({ dataset }: { dataset: Dataset }) {
  const { t } = useI18n();
  const api = useApi();
  const save = useAction(async (format: string) => saveBlob(await api.platform.export(dataset.id, format), `${dataset.id.split(':').at(-1)}-${format}.zip`));
  return (
    <Section title={t.catalogue.download} id="download" lead={t.catalogue.downloadText}>
      <div className="dmi-actions">
        {[['csv', 'CSV'], ['geojson', 'GeoJSON'], ['geoparquet', 'GeoParquet']].map(([format = '', name = '']) => (
          <SecondaryActionButton key={format} disabled={save.busy} onClick={() => void save.run(format)}>{t.catalogue.downloadAs(name)}</SecondaryActionButton>
        ))}
      </div>
      {save.error ? <Failure error={save.error} owner={dataset.owner} /> : null}
    </Section>
  );
}
