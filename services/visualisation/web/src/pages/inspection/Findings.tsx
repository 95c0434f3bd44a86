/** What the review found, one card an agreement: which rule of which law, since when, and what has to change. */
import type { Finding } from '../../api/inspection';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { Badge } from '../../ui/Badge';

export function Findings({ items }: { items: Finding[] }) {
  return <ul className="dmi-cards dmi-cards--wide">{items.map((one) => <li key={one.id} className="dmi-card"><Card finding={one} /></li>)}</ul>;
}

function Card({ finding }: { finding: Finding }) {
  const { t, moment } = useI18n();
  const names = useNames();
  const { stopped } = finding;
  return (
    <>
      <h3 className="utrecht-heading-4">{finding.datasets.map((id) => names.dataset(id)).join(', ')}</h3>
      <p>{names.participant(finding.assigner)} → {names.participant(finding.assignee)}</p>
      <p><AgreementLink id={finding.id} /></p>
      {stopped ? (
        <>
          <p><Badge tone="bad">{t.inspection.stopped}</Badge></p>
          <p>{stopped.at ? t.inspection.stoppedOn(moment(stopped.at)) : null} <StoppedWhy reason={stopped.reason ?? ''} /></p>
        </>
      ) : <Reasons finding={finding} />}
    </>
  );
}

/** The review writes its reason in Dutch and English, with a slash between; only the reader's own is shown. */
function StoppedWhy({ reason }: { reason: string }) {
  const { language } = useI18n();
  const own = reason.split('; ').map((one) => {
    const [nl, en] = one.split(' / ');
    return (language === 'en' ? en : nl) ?? one;
  });
  return <>{own.join('; ')}</>;
}

function Reasons({ finding }: { finding: Finding }) {
  const { t, say, moment } = useI18n();
  return (
    <>
      <ul className="dmi-edits">
        {finding.reasons.map((one) => (
          <li key={one.rule + one.path}>
            <strong>{say(one.label)}.</strong> {say(one.explanation)}{' '}
            <span className="dmi-soft">({[say(one.detail), one.law, one.since ? t.review.since(moment(one.since)) : ''].filter(Boolean).join('; ')})</span>
          </li>
        ))}
      </ul>
      {finding.change ? (
        <div>
          <p><strong>{t.inspection.smallest}</strong></p>
          <ul className="dmi-edits">{finding.change.steps.map((step, index) => <li key={index}>{say(step)}</li>)}</ul>
        </div>
      ) : <p>{t.inspection.noChange}</p>}
    </>
  );
}
