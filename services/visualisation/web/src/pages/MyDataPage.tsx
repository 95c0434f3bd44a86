import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement } from '../api';
import { useLive } from '../app/live';
import { useNames, type Names } from '../app/names';
import { isPerson, useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import type { Messages } from '../i18n/nl';
import { outline, recipientsOf } from '../rights/words';
import { Badge, stateTone } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { ConfirmDialog } from '../ui/Dialog';
import { RadioGroup } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Section } from '../ui/State';
import { saveBlob } from './dataset/save';
import { GiveConsent } from './mydata/GiveConsent';
import { keptOf } from './mydata/kept';
import { Measured } from './mydata/Measured';
import { Rights } from './mydata/Rights';
import { Uses } from './mydata/Uses';
import { useWhose, Whose } from './mydata/whose';

/** How many days of the log are summed up. */
const days = 90;

export default function MyDataPage() {
  const { t } = useI18n();
  const { identity } = useSession();
  const person = isPerson(identity?.participant);
  return (
    <Page title={t.mydata.title} lead={t.mydata.lead}>
      {person ? <Persons /> : (
        <Empty title={t.mydata.notPerson} action={<ButtonLink to="/signin">{t.shell.switchIdentity}</ButtonLink>}>{t.mydata.notPersonText}</Empty>
      )}
    </Page>
  );
}

/** Oneself, or a person that one represents, such as a child. */
function Persons() {
  const { t } = useI18n();
  const api = useApi();
  const [whose, setWhose] = useState('');
  const represented = useResource('represented', (signal) => api.exchange.represented(signal));
  const people = represented.data ?? [];
  return (
    <Whose.Provider value={whose}>
      {represented.error ? <Failure error={represented.error} /> : null}
      {people.length > 0 ? (
        <RadioGroup
          inline label={t.mydata.whose} name="whose" value={whose} onChange={setWhose}
          choices={[{ value: '', label: t.mydata.myself }, ...people.map((one) => ({ value: one.id, label: one.name }))]}
        />
      ) : null}
      {whose !== '' ? <p>{t.mydata.forOther(people.find((one) => one.id === whose)?.name ?? whose)}</p> : null}
      <MyData key={whose} />
    </Whose.Provider>
  );
}

function MyData() {
  const { t, term, number } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const consents = useResource(`consents ${whose}`, (signal) => api.exchange.consents(whose, signal), 10_000);
  const [corrected, setCorrected] = useState(0);
  const consented = [...new Set((consents.data ?? []).flatMap((one) => one.datasets))];
  const kept = useResource(`kept ${whose}`, (signal) => keptOf(api, whose, signal), 60_000);
  // What rests on another basis is measured and used without any consent.
  const measured = [...new Set([...consented, ...(kept.data ?? []).map((one) => one.id)])];
  const others = (kept.data ?? []).filter((one) => !one.needs_consent);
  const uses = useResource(consents.data ? `my uses ${whose}` : null, (signal) => api.exchange.myUses(days, whose, signal), 15_000);
  const running = (consents.data ?? []).filter((one) => one.state === 'active');
  const purposes = [...new Set(running.flatMap((one) => outline(one.document).purposes))];
  return (
    <>
      {/* Nearly all of it follows from the consents, so they are waited for, and their failure told, once. */}
      <Loaded resource={consents} lines={10} height={640}>
        {(all) => (
          <>
            <Section title={t.mydata.measured} id="measured">
              {measured.map((id) => (
                <Measured
                  key={id} dataset={id} corrected={corrected} consented={running.some((one) => one.datasets.includes(id))}
                  without={others.find((one) => one.id === id)?.purpose}
                />
              ))}
              <Loaded resource={kept} lines={1} height={32}>{() => (measured.length === 0 ? <p className="dmi-soft">{t.mydata.measuredEmpty}</p> : null)}</Loaded>
            </Section>
            <Section title={t.mydata.consents} id="consents">
              {all.length === 0 ? <p>{t.mydata.consentsEmpty} {others.length > 0 ? t.mydata.usedWithout : kept.data && !kept.error ? t.mydata.usedByNobody : null}</p> : (
                <ul className="dmi-cards">
                  {[...all].sort((a, b) => a.state.localeCompare(b.state)).map((one) => <ConsentCard key={one.id} consent={one} changed={consents.reload} state={term(one.state)} />)}
                </ul>
              )}
              <GiveConsent datasets={consented} changed={consents.reload} />
            </Section>
            <Section title={t.mydata.uses} id="uses" lead={t.mydata.usesLead(number(days))}>
              <Loaded resource={uses} height={240} isEmpty={(found) => found.items.length === 0} empty={<p className="dmi-soft">{t.mydata.usesEmpty}</p>}>
                {(found) => <Uses uses={found} />}
              </Loaded>
            </Section>
            <Rights purposes={purposes} stopped={all.filter(tookBack)} changed={consents.reload} corrected={() => setCorrected((n) => n + 1)} />
          </>
        )}
      </Loaded>
      <Section title={t.mydata.questions} id="questions"><p>{t.mydata.questionsText}</p></Section>
    </>
  );
}

const everyone = 'urn:dmi:party:everyone';

/** Whether a consent was ended by a person, the one that it is of or one that acts for it, and not by a newer one. */
function tookBack(consent: Agreement): boolean {
  return consent.state === 'ended' && !consent.replaced_by && (consent.ended_by?.startsWith('urn:dmi:person:') ?? true);
}

function endedIn(consent: Agreement, t: Messages): (moment: string) => string {
  if (consent.replaced_by) return t.mydata.replacedOn;
  return tookBack(consent) ? t.mydata.withdrawnOn : t.mydata.endedOn;
}

/** Who may use the data of a consent. Owners need no agreement with themselves. */
export function usersOf(consent: Agreement, t: Messages, names: Pick<Names, 'participant' | 'datasets'>): string {
  const owners = [...new Set(consent.datasets.map((one) => names.datasets.find((known) => known.id === one)?.owner))];
  const named = (ids: (string | undefined)[]) => ids.map((one) => names.participant(one)).join(', ');
  const only = recipientsOf(consent.document);
  const [owned, others, owner] = [named(only.filter((one) => owners.includes(one))), named(only.filter((one) => !owners.includes(one))), named(owners)];
  if (owned && others) return t.mydata.ownerAndThese(owned, others, owner);
  if (others) return t.mydata.onlyThese(others, owner);
  if (owned) return t.mydata.onlyOwner(owned);
  return consent.assignee === everyone ? t.mydata.everyone(owner) : names.participant(consent.assignee);
}

function ConsentCard({ consent, changed, state }: { consent: Agreement; changed: () => void; state: string }) {
  const { t, moment, language } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const [asking, setAsking] = useState(false);
  const { purposes } = outline(consent.document);
  const purpose = purposes.map((one) => names.purpose(one)).join(', ');
  const dataset = consent.datasets.map((one) => names.dataset(one)).join(', ');
  const who = usersOf(consent, t, names);
  const withdraw = useAction(async () => {
    await api.exchange.withdraw(consent.id);
    setAsking(false);
    live(t.mydata.withdrawnDone);
    changed();
  });
  const replaced = Boolean(consent.replaced_by);
  const byMyself = consent.state !== 'ended' || replaced || tookBack(consent);
  const keep = useAction(async () => {
    saveBlob(await api.exchange.receipt(consent.id, language), `${t.mydata.receiptFile}-${consent.id.split(':').at(-1) ?? ''}.pdf`);
    live(t.mydata.receiptDone);
  });
  const again = useAction(async () => {
    await api.exchange.renew(consent.id);
    live(t.mydata.given);
    changed();
  });
  return (
    <li className="dmi-card">
      <p className="dmi-badges"><Badge tone={stateTone(consent.state)}>{consent.state === 'ended' ? (replaced ? t.mydata.replaced : t.terms.withdrawn) : state}</Badge></p>
      <h3 className="utrecht-heading-3">{t.mydata.forPurpose(purpose)}</h3>
      <dl className="dmi-facts">
        <dt>{t.common.dataset}</dt><dd>{dataset}</dd>
        <dt>{t.mydata.recipients}</dt><dd>{who}</dd>
        <dt>{t.mydata.since}</dt><dd>{moment(consent.concluded_at)}</dd>
      </dl>
      {consent.state === 'active' ? (
        <div className="dmi-actions"><SecondaryActionButton hint="danger" onClick={() => setAsking(true)} aria-label={`${t.mydata.withdraw}: ${t.mydata.forPurpose(purpose)}, ${who}`}>{t.mydata.withdraw}</SecondaryActionButton></div>
      ) : (
        <>
          <p className="dmi-small dmi-soft">{endedIn(consent, t)(moment(consent.ended_at, true))}</p>
          {byMyself || !consent.end_reason ? null : <p>{consent.end_reason}</p>}
        </>
      )}
      <div className="dmi-actions">
        <SecondaryActionButton onClick={() => void keep.run()} disabled={keep.busy} aria-label={`${t.mydata.receipt}: ${t.mydata.forPurpose(purpose)}, ${who}`}>{t.mydata.receipt}</SecondaryActionButton>
        {consent.state === 'ended' && !byMyself ? (
          <SecondaryActionButton onClick={() => void again.run()} disabled={again.busy} aria-label={`${t.mydata.renew}: ${t.mydata.forPurpose(purpose)}, ${who}`}>{t.mydata.renew}</SecondaryActionButton>
        ) : null}
      </div>
      {keep.error ? <Failure error={keep.error} /> : null}
      {again.error ? <Failure error={again.error} /> : null}
      <ConfirmDialog
        open={asking} danger title={t.mydata.withdrawTitle} confirm={t.mydata.withdrawConfirm} busy={withdraw.busy} error={withdraw.error}
        onClose={() => setAsking(false)} onConfirm={() => void withdraw.run()}
      >
        <dl className="dmi-facts">
          <dt>{t.common.dataset}</dt><dd>{dataset}</dd>
          <dt>{t.mydata.givePurpose}</dt><dd className="dmi-cap">{purpose}</dd>
          <dt>{t.mydata.recipients}</dt><dd>{who}</dd>
        </dl>
        <p>{t.mydata.withdrawText}</p>
        <p>{t.mydata.withdrawOthers}</p>
      </ConfirmDialog>
    </li>
  );
}
