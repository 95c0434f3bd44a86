/** The duties of a running agreement: what goes by itself, what is still open, and what was confirmed. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, Duty, OdrlDuty } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { at } from '../../rights/pointer';
import { dutyInWords } from '../../rights/words';
import { Badge } from '../../ui/Badge';
import { Failure, Loaded, Section } from '../../ui/State';

export function Duties({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const api = useApi();
  const duties = useResource(`duties ${agreement.id}`, (signal) => api.exchange.duties(agreement.id, signal), 15_000);
  return (
    <Section title={t.running.duties} id="duties">
      <Loaded resource={duties} height={96} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.running.dutiesNone}</p>}>
        {(all) => <ul className="dmi-rows">{all.map((one) => <Row key={one.duty} agreement={agreement} duty={one} changed={duties.reload} />)}</ul>}
      </Loaded>
    </Section>
  );
}

function Row({ agreement, duty, changed }: { agreement: Agreement; duty: Duty; changed: () => void }) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const owner = agreement.assigner === identity?.participant;
  const found = at(agreement.document, duty.duty) as OdrlDuty | undefined;
  const confirm = useAction(async () => {
    await api.exchange.performed(agreement.id, duty.duty);
    live(t.running.confirmed);
    changed();
  });
  const keeps = names.keeps(agreement.assignee);
  const open = duty.carried_out === 'party' && duty.performed === null;
  const state = duty.carried_out === 'node' ? t.running.byNode : open ? t.running.open : t.running.done;
  const more = duty.carried_out === 'node' ? (duty.action === 'dmi:deleteAfter' && !keeps ? t.running.byNodeOlder : t.running.byNodeText)
    : duty.performed ? t.running.doneOn(moment(duty.performed.at), names.participant(duty.performed.by))
    : owner ? t.running.openOwner : t.running.openUser(names.participant(agreement.assigner));
  return (
    <li>
      <div>
        <p>{dutyInWords(found?.action ?? duty.action, found?.constraint ?? [], i18n, keeps)}</p>
        <p className="dmi-small dmi-soft">{more}</p>
        {confirm.error ? <Failure error={confirm.error} /> : null}
      </div>
      <Badge tone={open ? 'warn' : duty.performed ? 'good' : 'neutral'}>{state}</Badge>
      {open && owner ? <SecondaryActionButton className="dmi-small-button" busy={confirm.busy} disabled={confirm.busy} onClick={() => void confirm.run()}>{t.running.confirm}</SecondaryActionButton> : null}
    </li>
  );
}
