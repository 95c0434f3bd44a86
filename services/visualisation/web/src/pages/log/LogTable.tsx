import { Fragment } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { LogEntry } from '../../api';
import { useNames } from '../../app/names';
import { useSession } from '../../app/session';
import { useI18n } from '../../i18n';
import { shortId } from '../../i18n/format';
import { useSupervises } from '../../app/supervises';
import { AgreementLink, MandateLink } from '../../ui/AgreementLink';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { useHolder, useMachines } from '../dealings/holder';
import { decides, explained, law, stopped, whoIn } from './proof';
import { actingIn, codesOf, isMandate } from './who';

/** Decisions as rows; `onWhy` adds a button that asks for the proof of one. */
export function LogTable({ caption, entries, onWhy }: { caption: string; entries: LogEntry[]; onWhy?: (entry: LogEntry) => void }) {
  const { t, term, moment, number } = useI18n();
  const names = useNames();
  const supervises = useSupervises();
  // Supervision sees no person at all, erased or not.
  const nobody = supervises ? t.inspection.person : t.log.erased;
  const holder = useHolder(useMachines(entries.map((one) => one.actor)));
  const named = (id: string | null) => (id === null ? nobody : holder(id));
  const who = (e: LogEntry) => {
    const { by, behalf, mandate } = actingIn(e);
    const told = by.map(named).join(', ');
    return mandate ? `${told} ${t.log.onBehalf(named(behalf))}` : told;
  };
  return (
    <DataTable
      caption={caption} captionHidden rows={entries} rowKey={(e) => String(e.sequence)} initialSort={{ key: 'sequence', descending: true }}
      search={entries.length > 25 ? (e) => `${who(e)} ${term(e.action)} ${names.dataset(e.dataset)} ${names.purpose(e.purpose)}` : undefined}
      columns={[
        { key: 'sequence', head: t.log.sequence, numeric: true, sort: (e) => e.sequence, cell: (e) => number(e.sequence) },
        { key: 'at', head: t.log.at, sort: (e) => e.at, cell: (e) => <Moment text={moment(e.at, true)} /> },
        { key: 'who', head: t.log.who, sort: (e) => who(e), cell: (e) => <Who entry={e} named={named} /> },
        {
          key: 'action', head: t.log.what, sort: (e) => e.action,
          cell: (e) => <span className="dmi-cap dmi-block">{term(e.action)}{e.purpose === '' ? null : <><br /><span className="dmi-small dmi-soft">{names.purpose(e.purpose)}</span></>}</span>,
        },
        { key: 'dataset', head: t.common.dataset, sort: (e) => names.dataset(e.dataset), cell: (e) => names.dataset(e.dataset) },
        {
          key: 'allowed', head: t.mydata.outcome, sort: (e) => (e.allowed ? 1 : 0),
          cell: (e) => (
            <span className="dmi-tall">
              {!decides(e) ? <Badge>{t.log.noted}</Badge> : e.allowed ? <Badge tone="good">{t.mydata.allowed}</Badge> : <Badge tone="bad">{t.mydata.denied}</Badge>}
              {onWhy && explained(e) ? <SecondaryActionButton className="dmi-small-button" aria-label={t.log.whyOf(number(e.sequence))} onClick={() => onWhy(e)}>{t.log.why}</SecondaryActionButton> : null}
            </span>
          ),
        },
        { key: 'rows', head: t.log.rows, numeric: true, sort: (e) => e.rows, cell: (e) => number(e.rows) },
        { key: 'reasons', head: t.log.reasons, cell: (e) => <Why entry={e} /> },
      ]}
    />
  );
}

/** A day and a time, apart only between the two. */
function Moment({ text }: { text: string }) {
  return text.split(/(?<=,) /).map((part, index) => <Fragment key={part}>{index > 0 ? ' ' : null}<span className="dmi-nowrap">{part}</span></Fragment>);
}

/** Who did it; with a mandate also for whom, and the way to it. */
function Who({ entry, named }: { entry: LogEntry; named: (id: string | null) => string }) {
  const { t } = useI18n();
  const { by, behalf, mandate } = actingIn(entry);
  return (
    <>
      {by.map(named).join(', ')}
      {mandate ? (
        <span className="dmi-block dmi-small">
          <span className="dmi-soft">{t.log.onBehalf(named(behalf))}</span>
          <span className="dmi-block dmi-nowrap"><Mandate id={mandate} entry={entry} /></span>
        </span>
      ) : null}
      {entry.asked_by ? <span className="dmi-block dmi-small dmi-soft">{t.log.askedBy(named(entry.asked_by))}</span> : null}
    </>
  );
}

/** A mandate, with the way to it for whom it is shown: who acted by it, who gave it, and the operator. */
function Mandate({ id, entry }: { id: string; entry: LogEntry }) {
  const { t } = useI18n();
  const { identity } = useSession();
  const shown = identity && ([entry.actor, entry.assignee].includes(identity.participant) || identity.role === 'operator');
  return shown ? <MandateLink id={id} /> : <>{t.mandates.numbered(shortId(id))}</>;
}

/** The agreements that allow a use, or the words for why it was refused. */
export function Why({ entry }: { entry: LogEntry }) {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  // Of others, such as a resident in the log of an officer, it is not the reader's own data.
  const words: Record<string, string> = entry.assignee === identity?.participant ? t.reasons : { ...t.reasons, own_data: t.log.ownOfPerson };
  const who = entry.crossing === law ? whoIn(entry.reasons).map((id) => names.participant(id)).join(', ') : '';
  const told = who !== '' ? [entry.action === stopped ? t.log.stoppedBy(who) : t.log.signedBy(who)] : codesOf(entry).flatMap((code) => words[code] ?? []);
  return (
    <ul className="dmi-plain dmi-small dmi-tight">
      {told.map((one) => <li key={one}>{one}</li>)}
      {entry.agreements.map((id) => <li key={id} className="dmi-nowrap">{isMandate(id, entry) ? <Mandate id={id} entry={entry} /> : <AgreementLink id={id} />}</li>)}
    </ul>
  );
}
