/** What law and rulebook say about documents before anybody signs them, and the smallest change that would do. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { OdrlDocument, Verdict } from '../api';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Failure, Notice } from './State';

interface Props {
  documents: OdrlDocument[];
  /** Takes over the documents with the smallest change carried out; without it the change is only told. */
  onMend?: (documents: OdrlDocument[]) => void;
  mend?: string;
  busy?: boolean;
}

export function ReviewVerdict({ documents, onMend, mend, busy }: Props) {
  const { t } = useI18n();
  const api = useApi();
  // Each draft gets an id of its own, which says nothing about what it holds.
  const content = JSON.stringify(documents.map((one) => ({ ...one, uid: '' })));
  const verdicts = useResource(`review ${content}`, (signal) => Promise.all(documents.map((one) => api.exchange.review(one, signal))));
  if (verdicts.error) return <Failure error={verdicts.error} retry={verdicts.reload} />;
  const found = verdicts.data;
  const failing = (found ?? []).filter((one) => !one.passes);
  const mended = (found ?? []).every((one) => one.passes || one.change !== null);
  return (
    <div aria-live="polite" className="dmi-stack">
      {found === null ? <p className="dmi-soft">{t.review.checking}</p> : null}
      {found !== null && failing.length === 0 ? <Notice tone="good"><p>{t.review.passes(found[0]?.rulebook ?? '')}</p></Notice> : null}
      {failing.length > 0 ? (
        <Notice tone="warn" title={t.review.fails}>
          {failing.map((one, index) => <Reasons key={index} verdict={one} />)}
          {mended && onMend ? (
            <div className="dmi-actions">
              <SecondaryActionButton
                type="button" disabled={busy}
                onClick={() => onMend(documents.map((one, index) => found?.[index]?.change?.document ?? one))}
              >
                {mend ?? t.review.mend}
              </SecondaryActionButton>
            </div>
          ) : null}
        </Notice>
      ) : null}
    </div>
  );
}

function Reasons({ verdict }: { verdict: Verdict }) {
  const { t, say } = useI18n();
  return (
    <>
      <ul className="dmi-edits">
        {verdict.reasons.map((one, index) => (
          <li key={index}><strong>{say(one.label)}.</strong> {say(one.explanation)} <span className="dmi-soft">({say(one.detail)}; {one.law})</span></li>
        ))}
      </ul>
      {verdict.change ? (
        <>
          <p>{t.review.smallest}</p>
          <ul className="dmi-edits">{verdict.change.steps.map((step, index) => <li key={index}>{say(step)}</li>)}</ul>
        </>
      ) : <p>{t.review.none}</p>}
    </>
  );
}
