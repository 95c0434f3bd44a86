/** Where an agreement stands: whose turn it is, or that it ended, by whom and why. */
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useSession } from '../../app/session';
import { useNow } from '../../app/useNow';
import { useI18n } from '../../i18n';
import { hasPassed } from '../../rights/words';
import { Notice } from '../../ui/State';

export function Standing({ agreement }: { agreement: Agreement }) {
  if (agreement.state === 'proposed') return <Turn agreement={agreement} />;
  if (agreement.state !== 'ended') return null;
  return agreement.concluded_at ? <Stopped agreement={agreement} /> : <Closed agreement={agreement} />;
}

function Turn({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const now = useNow();
  const me = identity?.participant ?? '';
  const other = names.participant(agreement.assigner === me ? agreement.assignee : agreement.assigner);
  if (hasPassed(agreement.document, now)) return <Notice tone="warn" title={t.negotiate.passed}><p>{t.negotiate.passedText}</p></Notice>;
  if (agreement.waiting_for.includes(me)) return <Notice tone="warn" title={t.negotiate.yourTurn}><p>{t.negotiate.yourTurnText(other)}</p></Notice>;
  if ([agreement.assigner, agreement.assignee].includes(me)) return <Notice tone="info" title={t.negotiate.theirTurn(other)}><p>{t.negotiate.theirTurnText}</p></Notice>;
  return <Notice tone="info"><p>{t.negotiate.onlyReading(agreement.waiting_for.map((one) => names.participant(one)).join(', '))}</p></Notice>;
}

function Stopped({ agreement }: { agreement: Agreement }) {
  const { t, moment } = useI18n();
  const names = useNames();
  return (
    <Notice tone="bad" title={t.agreements.stopped}>
      <p>{t.agreements.stoppedText(moment(agreement.ended_at, true))}</p>
      {agreement.ended_by ? <p>{t.agreements.stoppedBy}: {names.participant(agreement.ended_by)}</p> : null}
      <p>{agreement.end_reason ? `${t.agreements.endReason}: ${agreement.end_reason}` : t.negotiate.noReason}</p>
    </Notice>
  );
}

/** A proposal that came to nothing, or that a newer one took the place of. */
function Closed({ agreement }: { agreement: Agreement }) {
  const { t, moment } = useI18n();
  const names = useNames();
  const who = names.participant(agreement.ended_by);
  if (agreement.replaced_by) {
    return (
      <Notice tone="info" title={t.negotiate.replaced}>
        <p>{t.negotiate.replacedText(who, moment(agreement.ended_at))}</p>
        <p><RouteLink to={`/agreements/${agreement.replaced_by}`}>{t.negotiate.toNewer}</RouteLink></p>
      </Notice>
    );
  }
  const own = agreement.ended_by !== null && agreement.ended_by in agreement.signatures;
  return (
    <Notice tone="bad" title={own ? t.negotiate.withdrawn(who) : t.negotiate.refused(who)}>
      <p>{t.negotiate.refusedText(moment(agreement.ended_at))}</p>
      <p>{agreement.end_reason ? `${t.negotiate.reason}: ${agreement.end_reason}` : t.negotiate.noReason}</p>
    </Notice>
  );
}
