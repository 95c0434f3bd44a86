/** One participant before the inspector: contribution, limits, quality of its data, its agreements, and findings. */
import type { Inspected, RunningAgreement } from '../api/inspection';
import { useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { RouteLink } from '../app/router';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { AgreementLink } from '../ui/AgreementLink';
import { Badge } from '../ui/Badge';
import { DataTable } from '../ui/DataTable';
import { Page } from '../ui/Page';
import { Loaded, Notice, Section } from '../ui/State';
import { Findings } from './inspection/Findings';
import { Contribution, share, useAmounts, useRoles } from './inspection/words';

export default function InspectedPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const found = useResource(`inspected ${id}`, (signal) => api.inspection.participant(id, signal), 30_000);
  return (
    <Page title={found.data?.name ?? names.participant(id)} back={{ to: '/inspection', label: t.inspection.title }} wide>
      <Loaded resource={found} height={480}>
        {(one) => (
          <>
            <Section title={t.inspection.found} id="found">
              {one.found.length > 0 ? <Findings items={one.found} /> : <Notice tone="good"><p>{t.inspection.nothing}</p></Notice>}
            </Section>
            <div className="dmi-two"><Part one={one} /><Given one={one} /></div>
            <Section title={t.inspection.limits} id="limits" lead={t.inspection.limitsText}><Limits one={one} /></Section>
            <Section title={t.inspection.data} id="data"><Data one={one} /></Section>
            <Section title={t.inspection.running} id="running"><Running one={one} /></Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Part({ one }: { one: Inspected }) {
  const { t, number } = useI18n();
  const roles = useRoles();
  return (
    <Section title={t.inspection.facts} id="facts">
      <dl className="dmi-facts">
        <dt>{t.inspection.role}</dt><dd>{roles(one.roles)}</dd>
        <dt>{t.inspection.signed}</dt><dd>{one.rulebook ?? t.inspection.notSigned}</dd>
        <dt>{t.inspection.given}</dt><dd>{number(one.running.given)}</dd>
        <dt>{t.inspection.got}</dt><dd>{number(one.running.got)}</dd>
        <dt>{t.inspection.quality}</dt><dd>{share(one.quality?.plausible, number) ?? t.inspection.notMeasured}</dd>
      </dl>
    </Section>
  );
}

function Given({ one }: { one: Inspected }) {
  const { t, money } = useI18n();
  const names = useNames();
  const part = one.contribution;
  return (
    <Section title={t.inspection.contribution} id="part">
      <p><Contribution standing={one} /></p>
      {part ? (
        <dl className="dmi-facts">
          <dt>{t.inspection.offered}</dt><dd>{money(part.offered)}</dd>
          <dt>{t.inspection.asked}</dt><dd>{money(part.asked)}</dd>
          <dt>{t.inspection.taken}</dt><dd>{money(part.taken)}</dd>
        </dl>
      ) : null}
      {one.taken.length > 0
        ? <ul className="dmi-edits">{one.taken.map((each) => <li key={each.from}>{t.inspection.takenFrom} {names.participant(each.from)}: {money(each.cents)}</li>)}</ul>
        : <p className="dmi-soft">{t.inspection.takesNothing}</p>}
    </Section>
  );
}

function Limits({ one }: { one: Inspected }) {
  const { t, say } = useI18n();
  const names = useNames();
  const { amount, allowed } = useAmounts();
  // What is used comes first; the rest stays to be read.
  const inUse = [...one.limits.filter((each) => each.used !== null), ...one.limits.filter((each) => each.used === null)];
  const where = (under: string | null) => {
    if (under === null) return null;
    if (under.startsWith('urn:dmi:participant:')) return names.participant(under);
    return one.agreements.some((each) => each.id === under) ? <AgreementLink id={under} /> : t.inspection.mandate;
  };
  return (
    <DataTable
      caption={t.inspection.limits} captionHidden rows={inUse} rowKey={(each) => each.limit}
      columns={[
        { key: 'limit', head: t.inspection.limit, sort: (each) => say(each.label), cell: (each) => <>{say(each.label)}<br /><span className="dmi-small dmi-soft">{say(each.description)}</span></> },
        { key: 'allowed', head: t.inspection.allowed, cell: allowed },
        { key: 'used', head: t.inspection.used, cell: (each) => (each.used === null ? <span className="dmi-soft">{t.inspection.notUsed}</span> : amount(each.used, each.unit)) },
        { key: 'state', head: t.common.state, cell: (each) => (each.used === null ? null : <Badge tone={each.over ? 'bad' : 'good'}>{each.over ? t.inspection.over : t.inspection.within}</Badge>) },
        { key: 'where', head: t.inspection.where, cell: (each) => where(each.under) },
      ]}
    />
  );
}

function Data({ one }: { one: Inspected }) {
  const { t, say, number, moment } = useI18n();
  const none = <span className="dmi-soft">{t.inspection.notMeasured}</span>;
  if (one.data.length === 0) return <p className="dmi-soft">{t.inspection.dataNone}</p>;
  return (
    <DataTable
      caption={t.inspection.data} captionHidden rows={one.data} rowKey={(each) => each.id} pageSize={20}
      columns={[
        { key: 'data', head: t.common.dataset, sort: (each) => say(each.title), cell: (each) => <RouteLink to={`/catalogue/${each.id}`}>{say(each.title)}</RouteLink> },
        { key: 'complete', head: t.catalogue.completeness, numeric: true, sort: (each) => each.quality?.completeness, cell: (each) => share(each.quality?.completeness, number) ?? none },
        { key: 'plausible', head: t.catalogue.plausible, numeric: true, sort: (each) => each.quality?.plausible, cell: (each) => share(each.quality?.plausible, number) ?? none },
        { key: 'delivering', head: t.catalogue.delivering, numeric: true, sort: (each) => each.quality?.delivering, cell: (each) => share(each.quality?.delivering, number) ?? none },
        { key: 'newest', head: t.catalogue.newest, sort: (each) => each.quality?.newest, cell: (each) => (each.quality?.newest ? <span className="dmi-nowrap">{moment(each.quality.newest)}</span> : none) },
      ]}
    />
  );
}

function Running({ one }: { one: Inspected }) {
  const { t, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const use = useResource('inspection use', (signal) => api.exchange.agreementUse(24, signal));
  const used = new Map((use.data?.items ?? []).map((each) => [each.agreement, each]));
  const other = (each: RunningAgreement) => names.participant(each.assigner === one.id ? each.assignee : each.assigner);
  const day = (each: RunningAgreement) => {
    if (use.data === null) return <span className="dmi-soft">{t.common.noData}</span>;
    const found = used.get(each.id);
    return found ? t.inspection.timesRows(number(found.times), number(found.rows)) : <span className="dmi-soft">{t.inspection.none}</span>;
  };
  if (one.agreements.length === 0) return <p className="dmi-soft">{t.inspection.agreementsNone}</p>;
  return (
    <DataTable
      caption={t.inspection.running} captionHidden rows={one.agreements} rowKey={(each) => each.id} pageSize={20}
      columns={[
        { key: 'which', head: t.common.agreement, cell: (each) => <span className="dmi-nowrap"><AgreementLink id={each.id} /></span> },
        { key: 'kind', head: t.inspection.side, sort: (each) => (each.assigner === one.id ? 0 : 1), cell: (each) => (each.assigner === one.id ? t.inspection.gives : t.inspection.uses) },
        { key: 'other', head: t.inspection.other, sort: other, cell: other },
        { key: 'data', head: t.common.dataset, cell: (each) => each.datasets.map((id) => names.dataset(id)).join(', ') },
        { key: 'use', head: t.inspection.usedDay, sort: (each) => used.get(each.id)?.times ?? 0, cell: day },
        { key: 'fits', head: t.common.state, sort: (each) => -each.objections.length, cell: (each) => <Badge tone={each.objections.length > 0 ? 'warn' : 'good'}>{each.objections.length > 0 ? t.inspection.objection : t.inspection.fits}</Badge> },
      ]}
    />
  );
}
