/** The municipality's first screen: what waits, which datasets are fresh or late, who uses them for what. */
import type { Agreement, Dataset } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { isLate, useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { outline } from '../../rights/words';
import { Badge } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { DataTable } from '../../ui/DataTable';
import { RefusedBadge } from '../../ui/RefusedBadge';
import { Empty, Failure, Section, Skeleton } from '../../ui/State';
import { awaited } from '../dataset/Awaited';
import { undecided } from '../measures/undecided';
import { useAnswers } from './answers';
import { Freshness, Together, Unknown, useLayers, type Task, toSign } from './parts';
import { usesOf } from './usage';

export function OfficerHome() {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const mine = names.datasets.filter((one) => one.owner === identity?.participant);
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/publish/dataset" primary>{t.shell.offer}</ButtonLink>
        <ButtonLink to="/publish">{t.home.publishSensor}</ButtonLink>
        <ButtonLink to="/sources">{t.home.importFile}</ButtonLink>
      </div>
      <Section title={t.home.waiting} id="waiting"><Waiting mine={mine} /></Section>
      <Section title={t.home.myDatasets} id="datasets" lead={mine.length > 0 ? t.home.usedLead : undefined} aside={<RouteLink to="/agreements">{t.home.toAgreements}</RouteLink>}>
        {mine.length > 0 ? <MyDatasets mine={mine} /> : names.loading ? <Skeleton height={240} /> : names.error ? <Failure error={names.error} retry={names.reload} /> : (
          <Empty title={t.home.noDatasets} action={<ButtonLink to="/publish">{t.home.publishSensor}</ButtonLink>}>{t.home.noDatasetsText}</Empty>
        )}
      </Section>
    </>
  );
}

function Waiting({ mine }: { mine: Dataset[] }) {
  const { t, say, age } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const now = useNow();
  const me = identity?.participant ?? '';
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const measures = useResource('home proposed', (signal) => api.support.measures('proposed', signal), 15_000);
  const rejects = useResource('rejects', (signal) => api.platform.rejects(signal), 30_000);
  const layers = useLayers();
  const answers = useAnswers();
  const tasks: Task[] = [...toSign(agreements.data ?? [], me, now, t, names), ...answers.tasks];
  for (const m of undecided(measures.data ?? [], now)) tasks.push({ key: m.id, title: t.home.measureWaits(say(m.title)), text: say(m.advice), to: '/measures', action: t.home.decide });
  for (const layer of layers.data?.items ?? []) {
    const own = mine.some((one) => one.id === layer.id);
    if (own && layer.kind !== 'areas' && !layer.refused && layer.latest && isLate(layer.latest, now)) {
      tasks.push({ key: layer.id, title: t.home.lateData(say(layer.title)), text: t.home.lateSince(age(layer.latest)), to: `/catalogue/${layer.id}`, action: t.home.look });
    }
  }
  const waiting = (rejects.data ?? []).filter((one) => mine.some((d) => d.id === one.dataset));
  const rows = waiting.reduce((sum, one) => sum + (one.rows ?? 1), 0);
  if (rows > 0) tasks.push({ key: 'rejects', title: t.home.rejectsWait(rows), text: [...new Set(waiting.map((one) => names.dataset(one.dataset)))].join(', '), to: '/sources', action: t.home.look });
  return <Together parts={[agreements, answers.negotiations, answers.notices, measures, rejects, layers]} tasks={tasks} />;
}

function MyDatasets({ mine }: { mine: Dataset[] }) {
  const { t, say, number, age } = useI18n();
  const names = useNames();
  const api = useApi();
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const usage = useResource('home usage', (signal) => api.exchange.usage({ hours: 24 }, signal), 30_000);
  const layers = useLayers();
  const latest = new Map((layers.data?.items ?? []).map((layer) => [layer.id, layer]));
  const users = (dataset: string): Agreement[] => (agreements.data ?? []).filter((a) => a.state === 'active' && !a.consent && a.datasets.includes(dataset));
  const used = (d: Dataset) => usesOf(usage.data?.items ?? [], d.id, d.owner);
  return (
    <>
      <DataTable
        caption={t.home.myDatasets} captionHidden rows={mine} rowKey={(d) => d.id} initialSort={{ key: 'title' }} pageSize={15} search={mine.length > 8 ? (d) => say(d.title) : undefined}
        columns={[
          { key: 'title', head: t.common.name, sort: (d) => say(d.title), cell: (d) => <RouteLink to={`/catalogue/${d.id}`}>{say(d.title)}</RouteLink> },
          { key: 'latest', head: t.home.lastSeen, sort: (d) => latest.get(d.id)?.latest, cell: (d) => {
            const layer = latest.get(d.id);
            if (!layers.data) return <Unknown resource={layers} />;
            if (!d.layer) return <span className="dmi-small dmi-soft">{t.home.noMeasurements}</span>;
            const open = awaited(agreements.data ?? [], d.id, names.stack);
            if (open) return <RouteLink to={`/agreements/${open.id}`}>{t.awaited.short(names.participant(open.assignee))}</RouteLink>;
            return layer?.refused ? <RefusedBadge problem={layer.refused} /> : <Freshness latest={layer?.latest ?? null} still={layer?.kind === 'areas'} />;
          } },
          { key: 'users', head: t.home.usedBy, sort: (d) => users(d.id).length, cell: (d) => {
            if (!agreements.data) return <Unknown resource={agreements} />;
            const list = users(d.id);
            return list.length === 0 ? <span className="dmi-soft">{t.home.usedByCount(0)}</span> : (
              <ul className="dmi-plain dmi-tight">
                {list.slice(0, 4).map((a) => <li key={a.id}><RouteLink to={`/agreements/${a.id}`}>{names.participant(a.assignee)}</RouteLink>: <span className="dmi-small dmi-soft dmi-nowrap">{outline(a.document).purposes.map((one) => names.purpose(one)).join(', ')}</span></li>)}
                {list.length > 4 ? <li className="dmi-small"><RouteLink to={`/catalogue/${d.id}`}>{t.home.moreUsers(list.length - 4)}</RouteLink></li> : null}
              </ul>
            );
          } },
          { key: 'used', head: t.home.usedToday, numeric: true, sort: (d) => used(d).times, cell: (d) => {
            if (!usage.data) return <Unknown resource={usage} />;
            const { times, last } = used(d);
            return <>{!usage.data.complete ? '≥ ' : ''}{number(times)}{last ? <><br /><span className="dmi-small dmi-soft">{t.home.lastUse(age(last))}</span></> : null}</>;
          } },
          { key: 'refused', head: t.home.refusedToday, numeric: true, sort: (d) => used(d).refused, cell: (d) => {
            if (!usage.data) return <Unknown resource={usage} />;
            const { refused } = used(d);
            return refused === 0 ? '0' : <RouteLink to={`/log?dataset=${encodeURIComponent(d.id)}&outcome=refused`}>{number(refused)}</RouteLink>;
          } },
        ]}
      />
      {mine.some((d) => d.personal) ? <p className="dmi-small dmi-soft"><Badge tone="info">{t.catalogue.personal}</Badge> {t.home.consentNote}</p> : null}
    </>
  );
}
