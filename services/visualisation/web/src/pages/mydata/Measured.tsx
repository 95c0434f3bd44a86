/** What one dataset holds of the person who looks: how much of the last day, and the newest of each kind. */
import { useEffect } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Latest } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { thingName } from '../../i18n/format';
import { DataTable } from '../../ui/DataTable';
import { Failure, Loaded } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { useWhose } from './whose';

interface Own {
  latest: Latest;
  name: string;
  property: string;
  /** Measurements of the last day. */
  count: number;
  /** Whether there are more than one answer holds. */
  more: boolean;
}

const day = 86_400_000;

interface Props {
  dataset: string;
  /** Tells by another number that a value has changed, so that it is read again at once. */
  corrected: number;
  /** Whether the person consents to any use of it now; without that maps show it to nobody. */
  consented: boolean;
  /** For what it is measured where that needs no consent. */
  without?: string;
}

export function Measured({ dataset: id, corrected, consented, without }: Props) {
  const { t, term, say, number, quantity, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const whose = useWhose();
  const dataset = names.datasets.find((one) => one.id === id);
  // A person reads own rows without an agreement or a consent; the service gives no other rows than those.
  const own = useResource(
    `own ${id} ${whose}`,
    async (signal): Promise<Own[]> => {
      const [streams, latest] = await Promise.all([api.platform.datastreams(id, signal, whose), api.platform.latest(id, signal, whose)]);
      const known = new Map(streams.map((one) => [one.id, one]));
      const from = new Date(Date.now() - day);
      return Promise.all(latest.map(async (one) => {
        const stream = known.get(one.datastream);
        const counted = await api.platform.observations(one.datastream, from, signal, whose);
        const property = stream?.observed_property ?? one.datastream.split('.').at(-1) ?? '';
        return { latest: one, name: stream ? thingName(stream.name, property) : one.datastream, property, count: counted.items.length, more: counted.next !== null };
      }));
    },
    60_000,
  );
  const { reload } = own;
  useEffect(() => {
    if (corrected > 0) reload();
  }, [corrected, reload]);
  return (
    <div className="dmi-stack">
      <h3 className="utrecht-heading-3">{names.dataset(id)}</h3>
      <p className="dmi-small dmi-soft">{say(dataset?.description)} {t.common.owner}: {names.participant(dataset?.owner)}.</p>
      <Loaded resource={own} height={160} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.mydata.ownNone}</p>}>
        {(all) => (
          <>
            {without !== undefined ? <p>{t.mydata.ownWithout(names.purpose(without))}</p> : consented ? null : <p>{t.mydata.ownKept}</p>}
            <p>{t.mydata.ownCount(`${all.some((one) => one.more) ? '≥ ' : ''}${number(all.reduce((sum, one) => sum + one.count, 0))}`)}</p>
            <DataTable
              caption={t.mydata.ownNewest(names.dataset(id))} captionHidden rows={all} rowKey={(one) => one.latest.datastream} initialSort={{ key: 'property' }}
              columns={[
                { key: 'property', head: t.catalogue.properties, sort: (one) => term(one.property), cell: (one) => <span className="dmi-cap dmi-block">{term(one.property)}</span> },
                { key: 'name', head: t.mydata.ownSensor, sort: (one) => one.name, cell: (one) => one.name },
                { key: 'value', head: t.mydata.ownLast, numeric: true, sort: (one) => one.latest.result, cell: (one) => quantity(one.latest.result, one.latest.unit) },
                { key: 'at', head: t.map.when, sort: (one) => one.latest.phenomenon_time, cell: (one) => moment(one.latest.phenomenon_time) },
                { key: 'count', head: t.mydata.ownDay, numeric: true, sort: (one) => one.count, cell: (one) => `${one.more ? '≥ ' : ''}${number(one.count)}` },
              ]}
            />
            {consented && dataset?.layer && whose === '' ? <p><RouteLink to={`/map?layer=${id}&feature=${encodeURIComponent(all[0]?.latest.datastream ?? '')}`}>{t.mydata.ownMap}</RouteLink></p> : null}
          </>
        )}
      </Loaded>
      <TakeAlong dataset={id} />
    </div>
  );
}

/** All own measurements as a file: a right of the person, also where they may no longer be shown here. */
function TakeAlong({ dataset }: { dataset: string }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const save = useAction(async () => {
    saveBlob(await api.platform.export(dataset, 'csv', whose), `${dataset.split(':').at(-1)}-csv.zip`);
    live(t.mydata.taken);
  });
  return (
    <div className="dmi-stack">
      <p className="dmi-small dmi-soft">{t.mydata.takeText}</p>
      <div className="dmi-actions">
        <SecondaryActionButton busy={save.busy} disabled={save.busy} aria-label={`${t.mydata.take}: ${names.dataset(dataset)}`} onClick={() => void save.run()}>{t.mydata.take}</SecondaryActionButton>
      </div>
      {save.error ? <Failure error={save.error} /> : null}
    </div>
  );
}
