/** The designed states of a part of a page: loading, empty, refused, withdrawn, offline, error. */
import type { ReactNode } from 'react';
import { Heading2, Paragraph, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Withdrawal } from '../api';
import { codeOf, type ApiError, type ProblemDocument } from '../api/problem';
import { RouteLink } from '../app/router';
import { useNames } from '../app/names';
import { useSession } from '../app/session';
import type { Resource } from '../app/useResource';
import { useI18n } from '../i18n';
import { named } from '../rights/named';
import { AgreementLink } from './AgreementLink';
import { Icon, type IconName } from './Icon';

type Tone = 'info' | 'good' | 'warn' | 'bad';
const icons: Record<Tone, IconName> = { info: 'info', good: 'good', warn: 'warning', bad: 'stop' };

export function Notice({ tone, title, children, alert }: { tone: Tone; title?: string; children?: ReactNode; alert?: boolean }) {
  return (
    <div className={`dmi-notice dmi-notice--${tone}`} role={alert ? 'alert' : undefined}>
      <Icon name={icons[tone]} size={24} />
      <div className="dmi-notice__body">
        {title ? <p className="dmi-notice__title">{title}</p> : null}
        {children}
      </div>
    </div>
  );
}

/** Grey lines in the place of what comes; the height stays, so nothing jumps. */
export function Skeleton({ lines = 4, height }: { lines?: number; height?: number }) {
  const { t } = useI18n();
  return (
    <div className="dmi-skeleton" style={height ? { minBlockSize: height } : undefined}>
      <span className="dmi-sr-only">{t.states.loading}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className="dmi-skeleton__line" style={{ inlineSize: `${92 - ((index * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="dmi-empty">
      <p className="dmi-empty__title">{title}</p>
      {children ? <Paragraph>{children}</Paragraph> : null}
      {action}
    </div>
  );
}

/** Why something was refused, under which agreement, since when, and whom to ask. */
export function Refused({ error, owner }: { error: Pick<ApiError, 'problem'>; owner?: string | null }) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const { identity } = useSession();
  const { problem } = error;
  const agreement = problem.agreement ?? problem.agreements?.[0] ?? null;
  const reason = named(refusalWords(problem, t), i18n, names);
  return (
    <Notice tone="warn" title={t.states.refusedTitle}>
      <dl className="dmi-facts">
        <dt>{t.states.refusedReason}</dt>
        <dd>{reason}</dd>
        {agreement ? (
          <>
            <dt>{t.states.refusedAgreement}</dt>
            <dd>
              <AgreementLink id={agreement} />
            </dd>
          </>
        ) : null}
        {problem.moment ? (
          <>
            <dt>{t.states.refusedMoment}</dt>
            <dd>{moment(problem.moment, true)}</dd>
          </>
        ) : null}
        <dt>{t.states.refusedWho}</dt>
        <dd>{agreement && !agreement.startsWith('urn:dmi:dataset:') && codeOf(problem) === 'ended' && owner && !names.isAbroad(owner) ? t.states.refusedAgain(owner === identity?.participant) : !owner ? t.states.refusedOwner : owner === identity?.participant ? t.states.refusedOwn(names.participant(names.stack)) : t.states.refusedAsk(names.participant(owner))}</dd>
      </dl>
    </Notice>
  );
}

/** The first reason in the reader's own words when its code is known, else as the service says it. */
export function refusalWords(problem: ProblemDocument, t: ReturnType<typeof useI18n>['t']): string {
  return (t.reasons as Record<string, string>)[codeOf(problem)] ?? problem.detail ?? t.states.refused;
}

interface FailureProps {
  error: ApiError;
  retry?: () => void;
  /** Whether it is being tried again now. */
  busy?: boolean;
  owner?: string | null;
  /** Whether what was loaded before is still shown. */
  kept?: boolean;
}

export function Failure({ error, retry, busy = false, owner, kept = false }: FailureProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  if (error.kind === 'refused') return <Refused error={error} owner={owner} />;
  // Pages sign with the key that this node keeps of an organisation: no field of a form mends one that counts no more.
  if (error.kind === 'invalid' && error.problem.errors?.some(({ field }) => field === 'jws' || field === 'hosted')) {
    return (
      <Notice tone="bad" title={t.states.unsignedTitle} alert>
        <p>{t.states.unsigned}</p>
        <p>{t.states.unsignedThen}</p>
      </Notice>
    );
  }
  const [tone, title, text] = words(error, t, kept);
  // The review names a place in the legal text, which says nothing to who fills in a form.
  const reviewed = codeOf(error.problem) === 'review_refused';
  return (
    <Notice tone={tone} title={title} alert>
      <p>{text}</p>
      {error.kind === 'invalid' && error.problem.detail && !toldByField(error) ? <p>{named(error.problem.detail, i18n, names)}</p> : null}
      {error.left !== 'repeats' && error.retryAfter ? <p>{t.states.retryAfter(error.retryAfter)}</p> : error.kind === 'busy' && error.left === 'undone' ? <p>{t.states.retrySoon}</p> : null}
      {error.problem.errors?.length ? (
        <ul>
          {error.problem.errors.map((one, index) => (
            <li key={index}>
              {one.field && !reviewed ? <code>{one.field}</code> : null} {named(one.rule ?? '', i18n, names)}
            </li>
          ))}
        </ul>
      ) : null}
      {error.kind === 'signedOut' ? <RouteLink to="/signin">{t.shell.signIn}</RouteLink> : null}
      {retry && error.kind !== 'signedOut' && error.kind !== 'missing' ? (
        <SecondaryActionButton busy={busy} disabled={busy} onClick={retry}>{t.common.retry}</SecondaryActionButton>
      ) : null}
    </Notice>
  );
}

/** Whether the list of fields tells all that the sentence about them does. */
function toldByField({ problem }: ApiError): boolean {
  return problem.detail !== undefined && problem.errors?.map(({ field, rule }) => `${field ?? ''}: ${rule ?? ''}`).join('; ') === problem.detail;
}

function words(error: ApiError, t: ReturnType<typeof useI18n>['t'], kept: boolean): [Tone, string, string] {
  switch (error.kind) {
    case 'offline':
      return ['warn', t.states.offlineTitle, kept ? t.states.offline : t.states.offlineNothing];
    case 'missing':
      return ['info', t.states.missingTitle, t.states.missing];
    case 'signedOut':
      return ['warn', t.states.signedOutTitle, t.states.signedOut];
    case 'busy':
      return ['warn', t.states.errorTitle, `${t.states.errorBusy} ${error.left === 'undone' ? t.states.errorUndone : error.left === 'repeats' ? t.states.errorRepeats : ''}`.trim()];
    case 'invalid':
      return ['bad', t.states.errorTitle, t.states.errorInvalid];
    default:
      return ['bad', t.states.errorTitle, t.states.errorServer];
  }
}

/** The mark on a result whose ground fell away; in the place of its figures when it is told which ground, and when. */
export function Withdrawn({ withdrawal, action }: { withdrawal?: Withdrawal | null; action?: ReactNode }) {
  const { t, moment } = useI18n();
  const names = useNames();
  const ground = withdrawal?.agreement ?? '';
  return (
    <Notice tone="bad" title={t.states.withdrawn}>
      {withdrawal?.agreement ? (
        <p>{t.states.withdrawnSince(moment(withdrawal.moment, true))} {ground.startsWith('urn:dmi:dataset:') ? names.dataset(ground) : <AgreementLink id={ground} />}</p>
      ) : <p>{t.states.withdrawnText}</p>}
      {action}
    </Notice>
  );
}

interface LoadedProps<T> {
  resource: Resource<T>;
  children: (data: T) => ReactNode;
  lines?: number;
  height?: number;
  owner?: string | null;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
}

/** Shows a resource in the state it is in; an error after data keeps the data below its message. */
export function Loaded<T>({ resource, children, lines, height, owner, isEmpty, empty }: LoadedProps<T>) {
  const { data, error, loading, reload } = resource;
  if (data === null) {
    if (error) return <Failure error={error} retry={reload} busy={loading} owner={owner} />;
    return loading ? <Skeleton lines={lines} height={height} /> : null;
  }
  const stale = error && error.kind !== 'refused';
  if (error?.kind === 'refused') return <Failure error={error} owner={owner} />;
  return (
    <>
      {stale ? <Failure error={error} retry={reload} busy={loading} kept /> : null}
      {isEmpty?.(data) ? empty : children(data)}
    </>
  );
}

export function Section({ title, id, children, lead, aside, className }: { title: string; id?: string; children: ReactNode; lead?: string; aside?: ReactNode; className?: string }) {
  return (
    <section className={['dmi-section', className].filter(Boolean).join(' ')}>
      <div className="dmi-section__head">
        <Heading2 id={id ? `${id}-title` : undefined}>{title}</Heading2>
        {aside}
      </div>
      {lead ? <Paragraph className="dmi-lead dmi-lead--small">{lead}</Paragraph> : null}
      {children}
    </section>
  );
}
