/** The vendor's first screen: its connections with last message, errors and limits, and a program that works. */
import { useState } from 'react';
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { limitsInWords, outline } from '../../rights/words';
import { Badge, stateTone } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { CodeExample } from '../../ui/CopyButton';
import { DataTable } from '../../ui/DataTable';
import { SelectField } from '../../ui/fields';
import { Empty, Failure, Loaded, Section, Skeleton } from '../../ui/State';
import { Rejects } from '../intake/Rejects';
import { useAnswers } from './answers';
import { contributeExample, readExample } from './examples';
import { Incomplete, Tasks, toSign, Unknown } from './parts';
import { connectionsOf, totalsOf, type Connection } from './usage';

export function VendorHome() {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const me = identity?.participant ?? '';
  const agreements = useResource('home agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const answers = useAnswers();
  const now = useNow();
  const parts = [answers.negotiations, answers.notices];
  const incomplete = parts.some(({ error }) => error !== null && error.kind !== 'refused');
  const tasks = [...toSign(agreements.data ?? [], me, now, t, names), ...answers.tasks];
  const mine = (all: Agreement[]) => all.filter((a) => !a.consent && [a.assigner, a.assignee].includes(me));
  return (
    <>
      <div className="dmi-actions">
        <ButtonLink to="/catalogue" primary>{t.home.findData}</ButtonLink>
        <ButtonLink to="/publish">{t.home.publishSensor}</ButtonLink>
      </div>
      {tasks.length > 0 || incomplete ? (
        <Section title={t.home.waiting} id="waiting">
          {incomplete ? <Incomplete retry={() => parts.forEach((one) => one.reload())} /> : null}
          {tasks.length > 0 ? <Tasks none="" tasks={tasks} /> : null}
        </Section>
      ) : null}
      <Loaded resource={agreements} height={320} isEmpty={(all) => mine(all).length === 0} empty={<Empty title={t.home.noConnections} action={<ButtonLink to="/catalogue">{t.home.findData}</ButtonLink>}>{t.home.noConnectionsText}</Empty>}>
        {(all) => {
          return (
            <>
              <Section title={t.home.connections} id="connections" aside={<RouteLink to="/agreements">{t.home.toAgreements}</RouteLink>}><Connections agreements={mine(all)} /></Section>
              <Example agreements={mine(all).filter((a) => a.state === 'active' && a.assignee === me)} />
            </>
          );
        }}
      </Loaded>
      <Section title={t.home.rejects} id="rejects" lead={t.home.rejectsText}><Rejects every={30_000} /></Section>
    </>
  );
}

function Connections({ agreements }: { agreements: Agreement[] }) {
  const { t, number, age, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const usage = useResource('home usage', (signal) => api.exchange.usage({ hours: 168 }, signal), 30_000);
  const words: Record<string, string> = t.reasons;
  // The summary looks at the newest part of a long log only: then it may not speak of the whole week.
  const since = usage.data && !usage.data.complete ? moment(usage.data.since) : null;
  const how = (one: Connection) => totalsOf(usage.data?.items ?? [], one.dataset, identity?.participant ?? '');
  const connections = connectionsOf(agreements);
  const state = (one: Connection) => ['active', 'proposed'].indexOf(one.agreements[0]?.state ?? '') >>> 0;
  return (
    <DataTable
      caption={t.home.connections} captionHidden rows={connections} rowKey={(one) => one.dataset} initialSort={{ key: 'agreements' }} pageSize={15} search={connections.length > 8 ? (one) => names.dataset(one.dataset) : undefined}
      columns={[
        { key: 'dataset', head: t.common.dataset, sort: (one) => names.dataset(one.dataset), cell: (one) => <><RouteLink to={`/catalogue/${one.dataset}`}>{names.dataset(one.dataset)}</RouteLink><br /><span className="dmi-small dmi-soft">{names.participant(one.agreements[0]?.assigner)}</span></> },
        { key: 'last', head: t.home.lastMessage, sort: (one) => how(one).last, cell: (one) => { if (!usage.data) return <Unknown resource={usage} />; const { last, rows } = how(one); return last === null ? <span className="dmi-soft">{since ? t.home.noMessageSince(since) : t.home.noMessage}</span> : <>{age(last)}<br /><span className="dmi-small dmi-soft">{since ? t.home.rowsSince(number(rows), since) : t.home.rowsWeek(number(rows))}</span></>; } },
        { key: 'errors', head: t.home.errors, sort: (one) => how(one).refused, cell: (one) => { if (!usage.data) return <Unknown resource={usage} />; const { refused, reasons } = how(one); return refused === 0 ? <Badge tone="good">{t.home.noErrors}</Badge> : <><Badge tone="bad">{t.home.refusedTimes(refused)}</Badge><br /><span className="dmi-small dmi-soft">{reasons.map((reason) => words[reason] ?? reason).join(' ')}</span></>; } },
        { key: 'agreements', head: t.home.under, sort: state, cell: (one) => <ul className="dmi-plain dmi-under">{one.agreements.map((a) => <UnderAgreement key={a.id} agreement={a} />)}</ul> },
      ]}
    />
  );
}

/** What one agreement allows, within which limits, and whether it runs. */
function UnderAgreement({ agreement }: { agreement: Agreement }) {
  const i18n = useI18n();
  const { t, term } = i18n;
  const names = useNames();
  const { actions, purposes } = outline(agreement.document);
  const limits = limitsInWords(agreement.document, i18n, names);
  return (
    <li>
      <p className="dmi-badges"><RouteLink to={`/agreements/${agreement.id}`}>{t.home.allowed(actions.map((one) => term(one)).join(', '), purposes.map((one) => names.purpose(one)).join(', '))}</RouteLink> <Badge tone={stateTone(agreement.state)}>{term(agreement.state)}</Badge></p>
      <p className="dmi-small dmi-soft">{limits.length === 0 ? t.home.withoutLimits : limits.join(' ')}</p>
    </li>
  );
}

/** A program for one of the vendor's own connections. */
function Example({ agreements }: { agreements: Agreement[] }) {
  const { t, term } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const ways = agreements.flatMap((a) => {
    const { actions, purposes } = outline(a.document);
    return ['dmi:contribute', 'dmi:read'].filter((one) => actions.includes(one)).flatMap((action) =>
      a.datasets.map((dataset) => ({ key: `${a.id} ${action} ${dataset}`, dataset, action, purpose: purposes[0] ?? 'dmi:purpose:any' })));
  });
  const [chosen, setChosen] = useState('');
  const way = ways.find((one) => one.key === chosen) ?? ways[0];
  const streams = useResource(way?.action === 'dmi:contribute' ? `example ${way.dataset}` : null, (signal) => api.platform.datastreams(way?.dataset ?? '', signal));
  if (!way || !identity) return null;
  const wish = {
    origin: location.origin, identity: identity.id, dataset: way.dataset, purpose: way.purpose,
    words: { token: t.home.exampleToken, read: t.home.exampleRead, contribute: t.home.exampleContribute },
  };
  const stream = streams.data?.[0]?.id;
  // Nothing to copy before it would work: a sensor's id belongs in it.
  const code = way.action !== 'dmi:contribute' ? readExample(wish) : stream === undefined ? null : contributeExample(wish, stream);
  return (
    <Section title={t.home.example} id="example" lead={t.home.exampleText}>
      <SelectField label={t.home.exampleFor} value={way.key} onChange={setChosen} choices={ways.map((one) => ({ value: one.key, label: `${names.dataset(one.dataset)}: ${term(one.action)}` }))} />
      {code !== null ? <CodeExample title="Python" code={code} /> : streams.loading ? <Skeleton height={320} /> : streams.error ? <Failure error={streams.error} retry={streams.reload} /> : <p className="dmi-soft">{t.home.exampleNone}</p>}
    </Section>
  );
}
