/** The data of an agreement with another city: fetched, followed, paused and gone on with. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, Transfer } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { named } from '../../rights/named';
import { hasPassed } from '../../rights/words';
import { Badge } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { RadioGroup } from '../../ui/fields';
import { Failure, Loaded, Notice, Section } from '../../ui/State';
import { amountOf, formats, isFailing, isOpen, standingOf } from './transfers';

export function Delivery({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const now = useNow();
  const me = identity?.participant ?? '';
  const party = [agreement.assigner, agreement.assignee].includes(me);
  const abroad = party && (names.isAbroad(agreement.assigner) || names.isAbroad(agreement.assignee));
  const found = useResource(abroad ? `transfers ${agreement.id}` : null, (signal) => api.exchange.transfers(agreement.id, signal), 2_000);
  if (!abroad) return null;
  const uses = agreement.assignee === me;
  const runs = agreement.state === 'active' && !hasPassed(agreement.document, now);
  const open = (found.data ?? []).some(isOpen);
  const came = (found.data ?? []).some((one) => amountOf(one) > 0);
  return (
    <Section title={t.delivery.title} id="delivery" lead={uses ? (runs ? t.delivery.lead : t.delivery.leadOver)(names.participant(agreement.assigner)) : t.delivery.leadOwner(names.participant(agreement.assignee))}>
      <Loaded resource={found} height={96} isEmpty={(all) => all.length === 0} empty={uses && runs ? null : <p className="dmi-soft">{t.delivery.none}</p>}>
        {(all) => <ul className="dmi-rows">{all.map((one) => <Row key={one.id} transfer={one} ended={agreement.state === 'ended'} changed={found.reload} />)}</ul>}
      </Loaded>
      {uses && came && runs ? <div className="dmi-actions"><ButtonLink to={`/map?layer=${agreement.datasets[0] ?? ''}`} primary>{t.catalogue.showOnMap}</ButtonLink></div> : null}
      {uses && runs && found.data && !open ? <Fetch agreement={agreement} changed={found.reload} /> : null}
    </Section>
  );
}

function Fetch({ agreement, changed }: { agreement: Agreement; changed: () => void }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const [format, setFormat] = useState<string>(formats.live);
  const begin = useAction(async () => {
    await api.exchange.transfer({ provider: agreement.assigner, agreement: agreement.id, format });
    live(t.delivery.asked);
    changed();
  });
  return (
    <form className="dmi-form" onSubmit={(event) => { event.preventDefault(); void begin.run(); }}>
      <RadioGroup
        label={t.delivery.how} name="format" value={format} onChange={setFormat}
        choices={[
          { value: formats.live, label: t.delivery.live, help: t.delivery.liveHelp },
          { value: formats.once, label: t.delivery.once, help: t.delivery.onceHelp },
        ]}
      />
      {identity?.participant === names.stack ? null : <p className="dmi-small dmi-soft">{t.delivery.platform(names.participant(names.stack))}</p>}
      {begin.error ? <Failure error={begin.error} owner={agreement.assigner} /> : null}
      <div><PrimaryActionButton type="submit" busy={begin.busy} disabled={begin.busy}>{t.delivery.fetch}</PrimaryActionButton></div>
    </form>
  );
}

function Row({ transfer, ended, changed }: { transfer: Transfer; ended: boolean; changed: () => void }) {
  const i18n = useI18n();
  const { t, number, moment } = i18n;
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const turn = useAction(async (step: 'start' | 'suspend') => {
    await api.exchange.turnTransfer(transfer.id, step, step === 'suspend' ? t.delivery.pausedReason : undefined);
    live(step === 'start' ? t.delivery.resumed : t.delivery.paused);
    changed();
  });
  const [tone, state] = standingOf(transfer, t);
  const amount = number(amountOf(transfer));
  // Why it stopped with its agreement stands above already.
  const told = ended || transfer.reason === null ? null : named(transfer.reason, i18n, names);
  return (
    <li>
      <div>
        <p>{'received' in transfer.data ? t.delivery.received(amount) : t.delivery.sent(amount)}</p>
        <p className="dmi-small dmi-soft">{transfer.format === formats.once ? t.delivery.once : t.delivery.live} · {t.delivery.since(moment(transfer.begun_at))}</p>
        {'not_taken' in transfer.data && transfer.data.not_taken > 0 ? <p className="dmi-small">{t.delivery.notTaken(number(transfer.data.not_taken))}</p> : null}
        {'rows_again' in transfer.data && transfer.data.rows_again ? <p className="dmi-small">{t.delivery.sentAgain(number(transfer.data.rows_again))}</p> : null}
        {told ? isFailing(transfer) ? <Notice tone="warn"><p>{told}</p></Notice> : <p className="dmi-small">{t.nodes.told}: {told}</p> : null}
        {turn.error ? <Failure error={turn.error} /> : null}
      </div>
      <Badge tone={tone}>{state}</Badge>
      {transfer.state === 'STARTED' ? <SecondaryActionButton className="dmi-small-button" busy={turn.busy} disabled={turn.busy} onClick={() => void turn.run('suspend')}>{t.delivery.pause}</SecondaryActionButton> : null}
      {transfer.state === 'SUSPENDED' && transfer.suspended_by === transfer.role ? <SecondaryActionButton className="dmi-small-button" busy={turn.busy} disabled={turn.busy} onClick={() => void turn.run('start')}>{t.delivery.resume}</SecondaryActionButton> : null}
    </li>
  );
}
