import type { Agreement } from '../api';
import { useKnown, useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { RouteLink } from '../app/router';
import { useApi } from '../app/session';
import { useHeld } from '../app/useHeld';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { LineageGraph, NodeList, useLineageNodes } from '../rights/Lineage';
import { inWords } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { LegalText } from '../ui/LegalText';
import { Page } from '../ui/Page';
import { Loaded, Notice, Section } from '../ui/State';
import { Actions } from './agreement/Actions';
import { Again } from './agreement/Again';
import { Delivery } from './agreement/Delivery';
import { Duties } from './agreement/Duties';
import { Proof } from './agreement/Proof';
import { Standing } from './agreement/Standing';
import { LogTable } from './log/LogTable';
import { FromOffer } from './negotiate/FromOffer';
import { LastChange, Rounds, useRounds } from './negotiate/Rounds';

export default function AgreementPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const agreement = useResource(`agreement ${id}`, (signal) => api.exchange.agreement(id, signal), 5_000);
  const found = agreement.data;
  const title = found ? found.datasets.map((one) => names.dataset(one)).join(', ') : t.common.agreement;
  return (
    <Page title={title} back={{ to: '/agreements', label: t.agreements.title }}>
      <Loaded resource={agreement} height={480}>
        {(data) => <AgreementView agreement={data} changed={agreement.reload} />}
      </Loaded>
    </Page>
  );
}

function AgreementView({ agreement, changed }: { agreement: Agreement; changed: () => void }) {
  const i18n = useI18n();
  const { t, term, moment } = i18n;
  const names = useNames();
  const rounds = useRounds(agreement);
  useHeld(agreement.state);
  useKnown([agreement.assigner, agreement.assignee, ...agreement.datasets], agreement.state);
  // Whoever decides about a proposal reads it first; stopping what runs is at hand above.
  const proposed = agreement.state === 'proposed';
  const words = inWords(agreement.document, i18n, names);
  return (
    <>
      <p className="dmi-badges">
        <Badge tone={stateTone(agreement.state)}>{term(agreement.state)}</Badge>
        <span className="dmi-soft">{names.participant(agreement.assigner)} → {names.participant(agreement.assignee)}</span>
      </p>
      <Standing agreement={agreement} />
      <Again agreement={agreement} />
      {agreement.state === 'active' ? <Objections agreement={agreement} /> : null}
      {proposed && agreement.replaces ? <LastChange rounds={rounds} /> : null}
      {proposed && !agreement.replaces ? <FromOffer agreement={agreement} /> : null}
      {proposed ? null : <Delivery agreement={agreement} />}
      {proposed ? null : <Actions agreement={agreement} changed={changed} />}
      <div className="dmi-two">
        <Section title={t.agreements.inWords} id="words">
          <ul className="dmi-edits">{words.map((line) => <li key={line}>{line}</li>)}</ul>
          <dl className="dmi-facts">
            <dt>{t.agreements.basis}</dt><dd>{term(agreement.document['dmi:legalBasis'])}</dd>
            <dt>{t.agreements.rulebook}</dt><dd>{agreement.document['dmi:rulebook'] ?? t.common.noData}</dd>
            <dt>{t.agreements.signatures}</dt><dd>{Object.keys(agreement.signatures).map((one) => names.participant(one)).join(', ') || t.common.noData}</dd>
            {agreement.concluded_at ? (<><dt>{t.agreements.signedOn}</dt><dd>{moment(agreement.concluded_at)}</dd></>) : null}
          </dl>
        </Section>
        <Section title={t.agreements.legal} id="legal">
          <LegalText document={agreement.document} />
        </Section>
      </div>
      {proposed ? <Actions agreement={agreement} changed={changed} /> : null}
      <Rounds rounds={rounds} />
      {agreement.state === 'active' ? <Duties agreement={agreement} /> : null}
      {agreement.concluded_at ? (
        <>
          <RestsOn agreement={agreement} />
          <Uses agreement={agreement} />
          <Proof agreement={agreement} />
        </>
      ) : null}
    </>
  );
}

/** How many entries of the log the page of an agreement shows. */
const newest = 10;

function Uses({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const api = useApi();
  const uses = useResource(`uses ${agreement.id}`, (signal) => api.exchange.log({ limit: newest, newest: true, agreement: agreement.id }, signal), 15_000);
  return (
    <Section title={t.agreements.uses} id="uses">
      <Loaded resource={uses} height={200} isEmpty={(page) => page.items.length === 0} empty={<p className="dmi-soft">{t.agreements.usesEmpty}</p>}>
        {(page) => (
          <>
            <LogTable caption={t.agreements.uses} entries={page.items} />
            {page.next ? <p>{t.agreements.usesNewest(page.items.length)} <RouteLink to={`/log?agreement=${agreement.id}`}>{t.agreements.usesAll}</RouteLink></p> : null}
          </>
        )}
      </Loaded>
    </Section>
  );
}

/** What the review holds against an agreement that runs on. */
function Objections({ agreement }: { agreement: Agreement }) {
  const { t, say, moment } = useI18n();
  const names = useNames();
  const found = agreement.objections ?? [];
  if (found.length === 0) return null;
  const rule = (id: string) => names.rulebook?.rules?.find((one) => one.id === id);
  return (
    <Notice tone="warn" title={t.review.objections}>
      <ul className="dmi-edits">
        {found.map((one) => (
          <li key={one.rule + one.path}>
            <strong>{say(rule(one.rule)?.label ?? {}) || one.rule}.</strong> {say(rule(one.rule)?.description ?? {})} <span className="dmi-soft">({t.review.since(moment(one.since))})</span>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function RestsOn({ agreement }: { agreement: Agreement }) {
  const { t, term } = useI18n();
  const names = useNames();
  const api = useApi();
  const nodes = useLineageNodes();
  const dependents = useResource(`dependents ${agreement.id} ${agreement.state}`, (signal) => api.exchange.dependents(agreement.id, signal), 2_000);
  return (
    <Section title={t.agreements.restsOn} id="rests">
      <Loaded resource={dependents} height={200} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.lineage.none}</p>}>
        {(all) => {
          const down = nodes.dependents(all);
          const up = agreement.datasets.map((id) => ({ id, over: t.common.dataset, title: names.dataset(id), withdrawn: false, to: `/catalogue/${id}` }));
          const title = `${names.participant(agreement.assigner)} → ${names.participant(agreement.assignee)}`;
          return (
            <>
              {agreement.state === 'ended' ? <p>{t.agreements.stoppedMarked(all.filter((one) => one.withdrawn).length)}</p> : null}
              <LineageGraph centre={{ id: agreement.id, over: `${t.common.agreement} · ${term(agreement.state)}`, title, withdrawn: agreement.state === 'ended', to: null }} up={up} down={down} />
              <NodeList title={t.lineage.downTitle} nodes={down} empty={t.lineage.none} />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
