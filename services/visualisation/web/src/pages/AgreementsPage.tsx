import type { Agreement } from '../api';
import { useNames } from '../app/names';
import { RouteLink, useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { outline } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { DataTable } from '../ui/DataTable';
import { RadioGroup } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Loaded } from '../ui/State';

export default function AgreementsPage() {
  const { t, term, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const [query, change] = useQueryState();
  const state = query.get('state') ?? '';
  const agreements = useResource('agreements', (signal) => api.exchange.agreements({}, signal), 15_000);
  const what = (a: Agreement) => a.datasets.map((id) => names.dataset(id)).join(', ');
  const until = (a: Agreement) => outline(a.document).until;

  return (
    <Page title={t.agreements.title} lead={t.agreements.lead} wide>
      <RadioGroup
        inline label={t.agreements.filterState} name="state" value={state} onChange={(value) => change({ state: value || null })}
        choices={[{ value: '', label: t.agreements.allStates }, ...['proposed', 'active', 'ended'].map((value) => ({ value, label: term(value) }))]}
      />
      <Loaded
        resource={agreements} height={400} isEmpty={(all) => all.length === 0}
        empty={<Empty title={t.agreements.empty} action={<ButtonLink to="/catalogue">{t.shell.catalogue}</ButtonLink>}>{t.agreements.emptyText}</Empty>}
      >
        {(all) => (
          <DataTable
            key={state} caption={t.agreements.title} captionHidden rowKey={(a) => a.id} initialSort={{ key: 'what' }} pageSize={20} none={t.agreements.noneInState}
            search={(a) => `${what(a)} ${names.participant(a.assigner)} ${names.participant(a.assignee)}`}
            rows={all.filter((a) => state === '' || a.state === state)}
            columns={[
              { key: 'what', head: t.agreements.what, sort: what, cell: (a) => <RouteLink to={`/agreements/${a.id}`}>{what(a)}</RouteLink> },
              { key: 'from', head: t.common.owner, sort: (a) => names.participant(a.assigner), cell: (a) => names.participant(a.assigner) },
              { key: 'who', head: t.agreements.who, sort: (a) => names.participant(a.assignee), cell: (a) => names.participant(a.assignee) },
              { key: 'why', head: t.agreements.why, cell: (a) => outline(a.document).purposes.map((one) => names.purpose(one)).join(', ') },
              { key: 'until', head: t.agreements.until, sort: until, cell: (a) => { const end = until(a); return end ? date(end) : t.agreements.noEnd; } },
              { key: 'state', head: t.common.state, sort: (a) => a.state, cell: (a) => <Badge tone={stateTone(a.state)}>{term(a.state)}</Badge> },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
