import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement } from '../api';
import { useLive } from '../app/live';
import { useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { LineageGraph, NodeList, useLineageNodes } from '../rights/Lineage';
import { inWords } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { ConfirmDialog } from '../ui/Dialog';
import { TextField } from '../ui/fields';
import { Icon } from '../ui/Icon';
import { Page } from '../ui/Page';
import { ReviewVerdict } from '../ui/ReviewVerdict';
import { Failure, Loaded, Notice, Section } from '../ui/State';
import { LogTable } from './log/LogTable';

export default function AgreementPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const agreement = useResource(`agreement ${id}`, (signal) => api.exchange.agreement(id, signal));
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
  const api = useApi();
  const uses = useResource(`uses ${agreement.id}`, (signal) => api.exchange.log({ limit: 200, newest: true, dataset: agreement.datasets[0] }, signal), 15_000);
  const words = inWords(agreement.document, i18n, names);
  return (
    <>
      <p className="dmi-badges">
        <Badge tone={stateTone(agreement.state)}>{term(agreement.state)}</Badge>
        <span className="dmi-soft">{names.participant(agreement.assigner)} → {names.participant(agreement.assignee)}</span>
      </p>
      {agreement.state === 'ended' ? (
        <Notice tone="bad" title={t.agreements.stopped}>
          <p>{t.agreements.stoppedText(moment(agreement.ended_at, true))}</p>
          {agreement.end_reason ? <p>{t.agreements.endReason}: {agreement.end_reason}</p> : null}
        </Notice>
      ) : null}
      {agreement.state === 'active' ? <Objections agreement={agreement} /> : null}
      {agreement.state === 'proposed' ? <ReviewVerdict documents={[agreement.document]} /> : null}
      <AgreementActions agreement={agreement} changed={changed} />
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
          <details className="dmi-details" open>
            <summary>{t.agreements.legalShow}</summary>
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
            <div className="dmi-code"><pre tabIndex={0} role="region" aria-label={t.agreements.legal}><code>{JSON.stringify(agreement.document, null, 2)}</code></pre></div>
          </details>
        </Section>
      </div>
      <RestsOn agreement={agreement} />
      <Section title={t.agreements.uses} id="uses">
        <Loaded
          resource={uses} height={200}
          isEmpty={(page) => !page.items.some((entry) => entry.agreements.includes(agreement.id))}
          empty={<p className="dmi-soft">{t.agreements.usesEmpty}</p>}
        >
          {(page) => <LogTable caption={t.agreements.uses} entries={page.items.filter((entry) => entry.agreements.includes(agreement.id)).slice(0, 10)} />}
        </Loaded>
      </Section>
    </>
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

function AgreementActions({ agreement, changed }: { agreement: Agreement; changed: () => void }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const mine = [agreement.assigner, agreement.assignee].includes(identity?.participant ?? '');
  const proposal = agreement.state === 'proposed';
  const waits = proposal && agreement.waiting_for.includes(identity?.participant ?? '');
  const dataset = agreement.datasets.map((id) => names.dataset(id)).join(', ');
  const other = names.participant(agreement.assignee);
  const end = useAction(async () => {
    await api.exchange.end(agreement.id, reason);
    setAsking(false);
    live(proposal ? t.agreements.refusedDone : t.agreements.stopped);
    changed();
  });
  const sign = useAction(async () => {
    await api.exchange.sign(agreement.id);
    live(t.agreements.accepted);
    changed();
  });
  if (agreement.state === 'ended') return null;
  if (!mine) return <p className="dmi-soft">{t.agreements.notOwner}</p>;
  return (
    <div className="dmi-stack">
      {waits ? <p>{t.agreements.acceptText}</p> : null}
      <div className="dmi-actions">
        {waits ? (
          <PrimaryActionButton busy={sign.busy} disabled={sign.busy} onClick={() => void sign.run()}>{t.agreements.accept}</PrimaryActionButton>
        ) : null}
        {proposal ? (
          <SecondaryActionButton onClick={() => setAsking(true)}>{t.agreements.refuse}</SecondaryActionButton>
        ) : (
          <PrimaryActionButton hint="danger" onClick={() => setAsking(true)}>
            <Icon name="stop" /> {t.agreements.stop}
          </PrimaryActionButton>
        )}
      </div>
      {sign.error ? <Failure error={sign.error} /> : null}
      <ConfirmDialog
        open={asking} danger busy={end.busy} error={end.error}
        title={proposal ? t.agreements.refuseTitle : t.agreements.stopTitle}
        confirm={proposal ? t.agreements.refuse : t.agreements.stopConfirm}
        onClose={() => setAsking(false)} onConfirm={() => void end.run()}
      >
        <p>{proposal ? t.agreements.refuseText : t.agreements.stopText(other, dataset)}</p>
        <TextField label={t.agreements.stopReason} value={reason} onChange={setReason} />
      </ConfirmDialog>
    </div>
  );
}
