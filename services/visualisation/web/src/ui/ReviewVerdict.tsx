/** What law and rulebook say about documents before anybody signs them, and the smallest change that would do. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { ReactNode } from 'react';
import type { BrokenRule, OdrlDocument, Verdict } from '../api';
import { useApi } from '../app/session';
import { useResource, type Resource } from '../app/useResource';
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
  const found = verdicts.data ?? [];
  const mended = found.every((one) => one.passes || one.change !== null);
  return (
    <Verdicts verdicts={verdicts}>
      {mended && onMend ? (
        <div className="dmi-actions">
          <SecondaryActionButton type="button" disabled={busy} onClick={() => onMend(documents.map((one, index) => found[index]?.change?.document ?? one))}>
            {mend ?? t.review.mend}
          </SecondaryActionButton>
        </div>
      ) : null}
    </Verdicts>
  );
}

/** Verdicts as they were told; `about` says what each is about, `children` what can be done about those that fail. */
export function Verdicts({ verdicts, about, children }: { verdicts: Resource<Verdict[]>; about?: { entry: string; documents: string[] }; children?: ReactNode }) {
  const { t } = useI18n();
  if (verdicts.error) return <Failure error={verdicts.error} retry={verdicts.reload} />;
  const found = verdicts.data;
  const entry = found?.[0]?.entry ?? [];
  const passes = found !== null && found.every((one) => one.passes);
  return (
    <div aria-live="polite" className="dmi-stack">
      {found === null ? <Notice tone="info"><p>{t.review.checking}</p></Notice> : null}
      {passes ? <Notice tone="good"><p>{t.review.passes(found[0]?.rulebook ?? '')}</p></Notice> : null}
      {found !== null && !passes ? (
        <Notice tone="warn" title={t.review.fails}>
          {entry.length > 0 ? <>{about ? <p><strong>{about.entry}</strong></p> : null}<Broken rules={entry} /></> : null}
          {found.map((one, index) => (one.reasons.length > 0 ? <Reasons key={index} verdict={one} about={about?.documents[index]} /> : null))}
          {children}
        </Notice>
      ) : null}
    </div>
  );
}

function Reasons({ verdict, about }: { verdict: Verdict; about?: string }) {
  const { t, say } = useI18n();
  return (
    <>
      {about ? <p><strong>{about}</strong></p> : null}
      <Broken rules={verdict.reasons} />
      {verdict.change ? (
        <>
          <p>{t.review.smallest}</p>
          <ul className="dmi-edits">{verdict.change.steps.map((step, index) => <li key={index}>{say(step)}</li>)}</ul>
        </>
      ) : <p>{t.review.none}</p>}
    </>
  );
}

function Broken({ rules }: { rules: BrokenRule[] }) {
  const { say } = useI18n();
  return (
    <ul className="dmi-edits">
      {rules.map((one, index) => (
        <li key={index}><strong>{say(one.label)}.</strong> {say(one.explanation)} <span className="dmi-soft">({say(one.detail)}; {one.law})</span></li>
      ))}
    </ul>
  );
}
