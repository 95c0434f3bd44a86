import type { Mandate } from '../api/dealings';
import { useKnown, useNames } from '../app/names';
import type { PageProps } from '../app/pages';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { MandateLink } from '../ui/AgreementLink';
import { Badge, stateTone } from '../ui/Badge';
import { Page } from '../ui/Page';
import { Loaded } from '../ui/State';
import { useHolder, useMachines } from './dealings/holder';

/** One mandate, as the log names it: who acts for whom, with what, and until when. */
export default function MandatePage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const mandate = useResource(`mandate ${id}`, (signal) => api.dealings.mandate(id, signal), 15_000);
  const found = mandate.data;
  const holder = useHolder(useMachines([found?.mandatary]));
  const title = found ? `${holder(found.mandatary)} ${t.log.onBehalf(names.participant(found.mandator))}` : t.mandates.one;
  return (
    <Page title={title} back={{ to: '/mandates', label: t.mandates.title }}>
      <Loaded resource={mandate} height={320}>{(one) => <MandateView mandate={one} holder={holder(one.mandatary)} />}</Loaded>
    </Page>
  );
}

function MandateView({ mandate, holder }: { mandate: Mandate; holder: string }) {
  const { t, term, date, moment } = useI18n();
  const names = useNames();
  useKnown([mandate.mandator, mandate.mandatary, ...mandate.datasets]);
  return (
    <>
      <p className="dmi-badges"><Badge tone={stateTone(mandate.state)}>{term(mandate.state)}</Badge></p>
      <dl className="dmi-facts">
        <dt>{t.mandates.giver}</dt><dd>{names.participant(mandate.mandator)}</dd>
        <dt>{t.mandates.holder}</dt><dd>{holder}</dd>
        <dt>{t.mandates.scope}</dt><dd>{mandate.actions.map((one) => term(one)).join(', ')}</dd>
        <dt>{t.mandates.datasets}</dt><dd>{mandate.datasets.map((one) => names.dataset(one)).join(', ')}</dd>
        <dt>{t.mandates.purpose}</dt><dd>{mandate.purposes.map((one) => names.purpose(one)).join(', ')}</dd>
        <dt>{t.mandates.from}</dt><dd>{date(mandate.from)}</dd>
        <dt>{t.agreements.until}</dt><dd>{date(mandate.until)}</dd>
        <dt>{t.mandates.onwardTold}</dt><dd>{mandate.onward > 0 ? t.mandates.mayPassOn : t.mandates.mayNotPassOn}</dd>
        {mandate.parent ? (<><dt>{t.mandates.parent}</dt><dd><MandateLink id={mandate.parent} /></dd></>) : null}
        {mandate.ended_at ? (<><dt>{t.mandates.endedAt}</dt><dd>{moment(mandate.ended_at)}</dd></>) : null}
        {mandate.end_reason ? (<><dt>{t.agreements.endReason}</dt><dd>{mandate.end_reason}</dd></>) : null}
      </dl>
    </>
  );
}
