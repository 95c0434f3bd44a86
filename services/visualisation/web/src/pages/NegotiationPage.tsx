import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Negotiation, OdrlDocument } from '../api';
import { useLive } from '../app/live';
import { useKnown, useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { RouteLink } from '../app/router';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { difference } from '../rights/difference';
import { named } from '../rights/named';
import { policyOf } from '../rights/spelled';
import { termsOf } from '../rights/terms';
import { inWords } from '../rights/words';
import { ConfirmDialog } from '../ui/Dialog';
import { TextField } from '../ui/fields';
import { LegalText } from '../ui/LegalText';
import { Page } from '../ui/Page';
import { ReviewVerdict } from '../ui/ReviewVerdict';
import { Failure, Loaded, Notice, Section } from '../ui/State';
import { Difference } from './negotiate/Difference';
import { FromNamedOffer } from './negotiate/FromOffer';
import { Refine } from './negotiate/Refine';
import { Agree } from './nodes/Agree';
import { documentIn, isOver, isTurn, sidesOf, stepsOf, toldReason, whyFor, type Step } from './nodes/standing';

export default function NegotiationPage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const found = useResource(`negotiation ${id}`, (signal) => api.exchange.negotiation(id, signal), 2_000);
  return (
    <Page title={found.data ? names.dataset(found.data.dataset) : t.nodes.negotiation} lead={found.data ? `${t.nodes.negotiation}: ${names.participant(found.data.other)}` : undefined} back={{ to: '/nodes', label: t.nodes.title }}>
      <Loaded resource={found} height={360}>{(one) => <View one={one} changed={found.reload} />}</Loaded>
    </Page>
  );
}

function View({ one, changed }: { one: Negotiation; changed: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  useKnown([one.other, one.dataset], one.state);
  const document = documentIn(one, one.offer);
  const { identity } = useSession();
  const mine = one.participant === identity?.participant;
  const signing = mine && stepsOf(one).includes('signature');
  const who = names.participant(one.offered_by === one.role ? one.participant : one.other);
  return (
    <>
      <Standing one={one} />
      {one.offer_before ? (
        <Section title={t.negotiate.changed} id="changed" lead={t.negotiate.changedLead(who)}>
          <Difference changes={difference(documentIn(one, one.offer_before), document, i18n, names)} none={t.negotiate.same} />
        </Section>
      ) : isOver(one) ? null : <FromNamedOffer one={one} document={document} />}
      <Section title={t.nodes.onTable} id="table" lead={t.nodes.lastBy(who)}>
        <ul className="dmi-edits">{inWords(document, i18n, names).map((line) => <li key={line}>{line}</li>)}</ul>
        {signing ? null : <LegalText document={document} />}
      </Section>
      {mine ? <Actions key={one.state + String(one.offered_by)} one={one} document={document} changed={changed} /> : null}
    </>
  );
}

/** Why it hangs or how it ended. */
function Standing({ one }: { one: Negotiation }) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const { identity } = useSession();
  const me = identity?.participant ?? '';
  const mine = one.participant === me;
  const stopped = one.stopped_at;
  const told = named(toldReason(one) ?? '', i18n, names);
  const by = one.ended_by === null ? null : names.participant(one.ended_by === one.role ? one.participant : one.other);
  const [tone, title] = stopped ? (['bad', t.agreements.stopped] as const) : one.state === 'FINALIZED' ? (['good', t.nodes.agreed] as const) : one.state === 'TERMINATED' ? (['bad', t.nodes.ended] as const) : ([mine && isTurn(one) ? 'warn' : 'info', undefined] as const);
  return (
    <Notice tone={tone} title={title}>
      <p role="status">{stopped ? t.nodes.stoppedOn(moment(stopped, true)) : whyFor(one, me, names, t)}</p>
      {mine ? null : <p>{sidesOf(one, me, names, t)}</p>}
      {by ? <p>{t.nodes.endedBy(by)}</p> : null}
      {told ? <p>{t.nodes.told}: {told}</p> : null}
      {one.pending > 0 ? <p>{t.nodes.pending(one.pending)}</p> : null}
      {one.kept && one.agreement ? <p><RouteLink to={`/agreements/${one.agreement}`}>{one.role === 'consumer' && mine && !stopped ? t.nodes.toData : t.nodes.toAgreement}</RouteLink></p> : null}
      <p className="dmi-small dmi-soft">{t.nodes.changed}: {moment(one.changed_at, true)}</p>
    </Notice>
  );
}

function Actions({ one, document, changed }: { one: Negotiation; document: OdrlDocument; changed: () => void }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const [countering, setCountering] = useState(false);
  const [accepting, setAccepting] = useState(false);
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const steps = stepsOf(one);
  const terms = termsOf(document);
  const take = useAction(async (step: Step, body?: unknown) => {
    await api.exchange.answer(one.id, step, body);
    live(t.nodes.done);
    changed();
  });
  const counter = useAction(async (wanted: OdrlDocument) => {
    await api.exchange.answer(one.id, 'offer', { offer: policyOf(one.offer, wanted) });
    live(t.negotiate.sent);
    changed();
  });
  if (steps.length === 0) return null;
  if (countering && terms) return <Refine document={document} first={terms} review={false} send={counter} onClose={() => setCountering(false)} />;
  return (
    <div className="dmi-stack">
      {steps.includes('signature') ? <ToSign one={one} /> : null}
      <div className="dmi-actions">
        {steps.includes('accept') ? <PrimaryActionButton busy={take.busy} disabled={take.busy} onClick={() => { take.clear(); setAccepting(true); }}>{t.nodes.accept}</PrimaryActionButton> : null}
        {steps.includes('signature') ? <PrimaryActionButton busy={take.busy} disabled={take.busy} onClick={() => void take.run('signature', { hosted: true })}>{t.nodes.sign}</PrimaryActionButton> : null}
        {steps.includes('offer') && terms ? <SecondaryActionButton onClick={() => setCountering(true)}>{t.negotiate.other}</SecondaryActionButton> : null}
        <SecondaryActionButton onClick={() => setAsking(true)}>{t.nodes.end}</SecondaryActionButton>
      </div>
      <Agree
        open={accepting} answer document={document} title={names.dataset(one.dataset)} busy={take.busy} error={take.error}
        onConfirm={() => void take.run('accept').then((ok) => ok && setAccepting(false))} onClose={() => setAccepting(false)}
      />
      {take.error && !asking && !accepting ? <Failure error={take.error} /> : null}
      <ConfirmDialog
        open={asking} danger busy={take.busy} error={take.error} title={t.nodes.endTitle} confirm={t.nodes.end} onClose={() => setAsking(false)}
        onConfirm={() => {
          setTried(true);
          if (reason.trim() !== '') void take.run('end', { reason: reason.trim() }).then((ok) => ok && setAsking(false));
        }}
      >
        <p>{t.nodes.endText}</p>
        <TextField label={t.nodes.endReason} value={reason} onChange={setReason} error={tried && reason.trim() === '' ? t.nodes.needReason : null} />
      </ConfirmDialog>
    </div>
  );
}

/** The text that a signature would be under, with what law and rulebook say of it. */
function ToSign({ one }: { one: Negotiation }) {
  const { t } = useI18n();
  const api = useApi();
  const document = useResource(`to sign ${one.id} ${one.state} ${String(one.offered_by)}`, (signal) => api.exchange.toSign(one.id, signal));
  return (
    <Section title={t.nodes.toSign} id="sign">
      <Loaded resource={document} height={120}>
        {(text) => (
          <div className="dmi-stack">
            <LegalText document={text} />
            <ReviewVerdict documents={[text]} />
          </div>
        )}
      </Loaded>
    </Section>
  );
}
