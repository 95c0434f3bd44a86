/** The inspector's view: what the review found, how each participant stands, and all decisions. */
import type { Standing } from '../api/inspection';
import { useApi } from '../app/session';
import { RouteLink } from '../app/router';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Badge } from '../ui/Badge';
import { DataTable } from '../ui/DataTable';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Section } from '../ui/State';
import { Found } from './inspection/Found';
import { LogSearch } from './inspection/LogSearch';
import { Contribution, share, useRoles } from './inspection/words';

export default function InspectionPage() {
  const { t } = useI18n();
  const api = useApi();
  const findings = useResource('inspection findings', (signal) => api.inspection.findings(signal), 30_000);
  // Who may not see this is told once, not at each part.
  if (findings.error?.kind === 'refused') return <Page title={t.inspection.title}><Failure error={findings.error} /></Page>;
  return (
    <Page title={t.inspection.title} lead={t.inspection.lead} wide>
      <Found findings={findings} />
      <Section title={t.inspection.participants} id="participants" lead={t.inspection.participantsText}><Participants /></Section>
      <Section title={t.inspection.log} id="log" lead={t.inspection.logText}><LogSearch /></Section>
    </Page>
  );
}

function Participants() {
  const { t, money, number } = useI18n();
  const api = useApi();
  const roles = useRoles();
  const participants = useResource('inspection participants', (signal) => api.inspection.participants(signal), 60_000);
  const nothing = <span className="dmi-soft">{t.common.noData}</span>;
  const count = (one: Standing) => one.running.given + one.running.got;
  return (
    <Loaded resource={participants} height={240} isEmpty={(all) => all.length === 0} empty={<Empty title={t.common.noRows} />}>
      {(all) => (
        <DataTable
          caption={t.inspection.participants} captionHidden rows={all} rowKey={(one) => one.id} pageSize={20} initialSort={{ key: 'findings', descending: true }}
          search={all.length > 20 ? (one) => `${one.name} ${roles(one.roles)}` : undefined}
          columns={[
            { key: 'who', head: t.inspection.participant, sort: (one) => one.name, cell: (one) => <><RouteLink to={`/inspection/${one.id}`}>{one.name}</RouteLink><br /><span className="dmi-small dmi-soft">{roles(one.roles)}</span></> },
            { key: 'offered', head: t.inspection.offered, numeric: true, sort: (one) => one.contribution?.offered, cell: (one) => (one.contribution ? money(one.contribution.offered) : nothing) },
            { key: 'taken', head: t.inspection.taken, numeric: true, sort: (one) => one.contribution?.taken, cell: (one) => (one.contribution ? money(one.contribution.taken) : nothing) },
            { key: 'part', head: t.inspection.contribution, sort: (one) => one.contribution?.short, cell: (one) => <Contribution standing={one} /> },
            { key: 'quality', head: t.inspection.quality, numeric: true, sort: (one) => one.quality?.plausible, cell: (one) => share(one.quality?.plausible, number) ?? <span className="dmi-soft">{t.inspection.notMeasured}</span> },
            { key: 'running', head: t.inspection.running, numeric: true, sort: count, cell: (one) => number(count(one)) },
            {
              key: 'findings', head: t.inspection.findings, sort: (one) => one.findings + one.stopped,
              cell: (one) => (one.findings + one.stopped > 0 ? <Badge tone="warn">{number(one.findings + one.stopped)}</Badge> : <span className="dmi-soft">{t.inspection.none}</span>),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
