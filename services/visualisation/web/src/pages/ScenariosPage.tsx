import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import { useNames } from '../app/names';
import { RouteLink, useRouter } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Badge } from '../ui/Badge';
import { DataTable } from '../ui/DataTable';
import { TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError } from '../ui/problems';
import { Empty, Failure, Loaded, Section } from '../ui/State';
import { DeleteScenario } from './scenario/DeleteScenario';

export default function ScenariosPage() {
  const { t, say, moment, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const { navigate } = useRouter();
  const [title, setTitle] = useState('');
  const [tried, setTried] = useState(false);
  const scenarios = useResource('scenarios', (signal) => api.support.scenarios(signal));
  const create = useAction(async () => {
    const made = await api.support.createScenario(title.trim());
    navigate(`/scenarios/${made.id}`);
  });
  return (
    <Page title={t.scenarios.title} lead={t.scenarios.lead}>
      <form
        className="dmi-form__row" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (title.trim() !== '') void create.run();
          else focusFirstError(event.currentTarget);
        }}
      >
        <TextField label={t.scenarios.createTitle} placeholder={t.scenarios.createPlaceholder} value={title} onChange={setTitle} error={tried && title.trim() === '' ? t.common.required : null} />
        <PrimaryActionButton type="submit" busy={create.busy} disabled={create.busy}>{t.scenarios.create}</PrimaryActionButton>
      </form>
      {create.error ? <Failure error={create.error} /> : null}
      <Section title={t.home.myScenarios} id="list">
        <Loaded resource={scenarios} height={320} isEmpty={(all) => all.length === 0} empty={<Empty title={t.scenarios.empty}>{t.scenarios.emptyText}</Empty>}>
          {(all) => (
            <DataTable
              caption={t.scenarios.title} captionHidden rows={all} rowKey={(s) => s.id} initialSort={{ key: 'changed', descending: true }} pageSize={20}
              search={all.length > 8 ? (s) => `${s.title} ${s.owner_name ?? ''}` : undefined}
              columns={[
                { key: 'title', head: t.common.name, sort: (s) => s.title, cell: (s) => <RouteLink to={`/scenarios/${s.id}`}>{s.title}</RouteLink> },
                { key: 'version', head: t.scenarios.version, numeric: true, sort: (s) => s.version, cell: (s) => number(s.version) },
                { key: 'edits', head: t.scenarios.edits, numeric: true, sort: (s) => s.edits, cell: (s) => number(s.edits) },
                { key: 'owner', head: t.scenarios.ownerWord, sort: (s) => s.owner_name ?? '', cell: (s) => s.owner_name || names.participant(s.owner) },
                { key: 'parent', head: t.scenarios.branchOf, cell: (s) => (s.parent === null ? '' : s.parent.id === null ? say(s.parent.title) : <RouteLink to={`/scenarios/${s.parent.id}`}>{say(s.parent.title)}</RouteLink>) },
                { key: 'changed', head: t.scenarios.changed, sort: (s) => s.changed_at, cell: (s) => moment(s.changed_at) },
                { key: 'state', head: t.common.state, cell: (s) => (s.withdrawn ? <Badge tone="bad">{t.states.withdrawn}</Badge> : s.stale.length > 0 ? <Badge tone="warn">{t.scenarios.stale}</Badge> : <Badge tone="good">{t.scenarios.upToDate}</Badge>) },
                { key: 'delete', head: t.common.actions, cell: (s) => <DeleteScenario scenario={s} deleted={scenarios.reload} /> },
              ]}
            />
          )}
        </Loaded>
      </Section>
    </Page>
  );
}
