import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, AgreementUse, Duty } from '../api';
import { useNames } from '../app/names';
import { RouteLink, useQueryState } from '../app/router';
import { useApi, useSession } from '../app/session';
import { useNow } from '../app/useNow';
import { useResource, type Resource } from '../app/useResource';
import { useI18n } from '../i18n';
import { hasPassed, outline } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { DataTable, type Column } from '../ui/DataTable';
import { RadioGroup } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Loaded } from '../ui/State';
import { EndDialog } from './agreement/EndDialog';
import { Notices } from './agreement/Notices';
import { dutyCounts } from './agreement/counts';
import { Unknown } from './home/parts';

export default function AgreementsPage() {
  const { t, term } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const state = query.get('state') ?? '';
  const agreements = useResource('agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  return (
    <Page title={t.agreements.title} lead={t.agreements.lead} wide>
      <Notices />
      <RadioGroup
        inline label={t.agreements.filterState} name="state" value={state} onChange={(value) => change({ state: value || null })}
        choices={[{ value: '', label: t.agreements.allStates }, ...['proposed', 'active', 'ended'].map((value) => ({ value, label: term(value) }))]}
      />
      <Loaded
        resource={agreements} height={400} isEmpty={(all) => all.length === 0}
        empty={<Empty title={t.agreements.empty} action={<ButtonLink to="/catalogue">{t.shell.catalogue}</ButtonLink>}>{t.agreements.emptyText}</Empty>}
      >
        {(all) => <List key={state} agreements={all} state={state} changed={agreements.reload} />}
      </Loaded>
    </Page>
  );
}

function List({ agreements, state, changed }: { agreements: Agreement[]; state: string; changed: () => void }) {
  const { t, term } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const me = identity?.participant ?? '';
  const [ending, setEnding] = useState<Agreement | null>(null);
  const now = useNow();
  const columns = useColumns();
  const running = useRunningColumns(state === 'active', setEnding);
  const what = (a: Agreement) => a.datasets.map((id) => names.dataset(id)).join(', ');
  // What a newer proposal took the place of is told on the page of that one.
  const replaced = agreements.filter((a) => a.replaced_by).length;
  const standing = agreements.filter((a) => !a.replaced_by && (state === '' || a.state === state));
  const turn = (a: Agreement) => (a.state !== 'proposed' ? null : hasPassed(a.document, now) ? t.running.passed : a.waiting_for.includes(me) ? t.running.waitsForYou : t.running.waitsFor(a.waiting_for.map((one) => names.participant(one)).join(', ')));
  return (
    <>
      <DataTable
        caption={t.agreements.title} captionHidden rowKey={(a) => a.id} initialSort={{ key: 'what' }} pageSize={20} none={t.agreements.noneInState}
        search={(a) => `${what(a)} ${names.participant(a.assigner)} ${names.participant(a.assignee)}`}
        rows={standing}
        columns={state === 'active' ? [...columns, ...running] : [
          ...columns,
          { key: 'state', head: t.common.state, sort: (a) => a.state, cell: (a) => { const whose = turn(a); return <><Badge tone={stateTone(a.state)}>{term(a.state)}</Badge>{whose ? <><br /><span className="dmi-small dmi-soft">{whose}</span></> : null}</>; } },
        ]}
      />
      {replaced > 0 && ['', 'ended'].includes(state) ? <p className="dmi-small dmi-soft">{t.running.replacedHidden(replaced)}</p> : null}
      <EndDialog agreement={ending} onClose={() => setEnding(null)} onDone={changed} />
    </>
  );
}

function useColumns(): Column<Agreement>[] {
  const { t, date } = useI18n();
  const names = useNames();
  const what = (a: Agreement) => a.datasets.map((id) => names.dataset(id)).join(', ');
  const until = (a: Agreement) => outline(a.document).until;
  return [
    { key: 'what', head: t.agreements.what, sort: what, cell: (a) => <RouteLink to={`/agreements/${a.id}`}>{what(a)}</RouteLink> },
    { key: 'from', head: t.common.owner, sort: (a) => names.participant(a.assigner), cell: (a) => names.participant(a.assigner) },
    { key: 'who', head: t.agreements.who, sort: (a) => names.participant(a.assignee), cell: (a) => names.participant(a.assignee) },
    { key: 'why', head: t.agreements.why, cell: (a) => outline(a.document).purposes.map((one) => names.purpose(one)).join(', ') },
    { key: 'until', head: t.agreements.until, sort: until, cell: (a) => { const end = until(a); return end ? date(end) : t.agreements.noEnd; } },
  ];
}

/** What is asked of an agreement while it runs: is it used, are its duties met, and stopping it. */
function useRunningColumns(wanted: boolean, stop: (agreement: Agreement) => void): Column<Agreement>[] {
  const { t, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const use = useResource(wanted ? 'agreement use' : null, (signal) => api.exchange.agreementUse(168, signal), 15_000);
  const duties = useResource(wanted ? 'duties' : null, (signal) => api.exchange.duties(null, signal), 15_000);
  const me = identity?.participant ?? '';
  const used = (a: Agreement) => use.data?.items.find((one) => one.agreement === a.id);
  // The summary looks at the newest part of a long log only: then it may not speak of the whole week.
  const head = use.data && !use.data.complete ? t.running.useSince(moment(use.data.since)) : t.running.use;
  return [
    { key: 'use', head, sort: (a) => used(a)?.times ?? 0, cell: (a) => <Used use={use} found={used(a)} /> },
    { key: 'duties', head: t.running.duties, sort: (a) => dutyCounts(duties.data ?? [], a.id).open, cell: (a) => <DutyCell duties={duties} agreement={a} /> },
    { key: 'stop', head: t.running.stopShort, cell: (a) => ([a.assigner, a.assignee].includes(me) ? (
      <SecondaryActionButton className="dmi-small-button" hint="danger" aria-label={t.running.stopOne(names.participant(a.assignee), a.datasets.map((id) => names.dataset(id)).join(', '))} onClick={() => stop(a)}>{t.running.stopShort}</SecondaryActionButton>
    ) : null) },
  ];
}

function Used({ use, found }: { use: Resource<AgreementUse>; found: AgreementUse['items'][number] | undefined }) {
  const { t, number, age } = useI18n();
  if (!use.data) return <Unknown resource={use} />;
  if (!found) return <span className="dmi-soft">{t.running.unused}</span>;
  return <>{t.running.times(number(found.times))}<br /><span className="dmi-small dmi-soft">{t.running.rows(number(found.rows))}, {t.running.last(age(found.last))}</span></>;
}

function DutyCell({ duties, agreement }: { duties: Resource<Duty[]>; agreement: Agreement }) {
  const { t } = useI18n();
  if (!duties.data) return <Unknown resource={duties} />;
  const { open, done, automatic } = dutyCounts(duties.data, agreement.id);
  if (open + done + automatic === 0) return <span className="dmi-soft">{t.running.noDuties}</span>;
  const rest = [done > 0 ? t.running.fulfilled(done) : '', automatic > 0 ? t.running.automatic(automatic) : ''].filter((one) => one !== '').join(', ');
  return <>{open > 0 ? <><Badge tone="warn">{t.running.outstanding(open)}</Badge><br /></> : null}<span className="dmi-small dmi-soft">{rest}</span></>;
}
