/** One measure that waits for a decision or holds now. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Measure } from '../../api';
import { useLive } from '../../app/live';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { fromCityInput, toCityInput } from '../../i18n/cityTime';
import { Badge, stateTone } from '../../ui/Badge';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { Withdrawn } from '../../ui/State';
import { Decision } from './words';

/** Roles that may decide; the service refuses all others. */
export const deciders = ['municipality', 'operator', 'analyst'];

export function MeasureCard({ measure, changed }: { measure: Measure; changed: () => void }) {
  const { t, say, term, moment, time, elsewhere } = useI18n();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const [asking, setAsking] = useState<'approve' | 'reject' | null>(null);
  const [until, setUntil] = useState(() => toCityInput(new Date(measure.valid_to).getTime()));
  const [tried, setTried] = useState(false);
  const [now] = useState(() => Date.now());
  const end = fromCityInput(until);
  const wrongEnd = Number.isNaN(end) || end <= now ? t.measures.untilWrong : null;
  const decide = useAction(async () => {
    if (asking === 'approve') await api.support.approve(measure.id, new Date(end).toISOString().replace(/\.\d+Z$/, 'Z'));
    else await api.support.reject(measure.id);
    live(asking === 'approve' ? t.measures.approved : t.measures.rejectedDone);
    setAsking(null);
    changed();
  });
  const place = measure.place_name ?? null;
  const open = measure.state === 'proposed';
  const may = deciders.includes(identity?.role ?? '');

  return (
    <li className="dmi-card">
      <p className="dmi-badges"><Badge tone={stateTone(measure.state)}>{term(measure.state)}</Badge>{open ? null : <Badge tone="info">{t.measures.inFeed}</Badge>}</p>
      <h3 className="utrecht-heading-3">{say(measure.title)}</h3>
      {measure.withdrawn ? <Withdrawn /> : null}
      <p>{say(measure.advice)}</p>
      <dl className="dmi-facts">
        {place ? (<><dt>{t.common.place}</dt><dd>{place}</dd></>) : null}
        {measure.audience ? (<><dt>{t.measures.audience}</dt><dd>{say(measure.audience)}</dd></>) : null}
        <dt>{t.measures.valid}</dt><dd>{t.measures.fromTo(moment(measure.valid_from), time(measure.valid_to))}</dd>
      </dl>
      <p className="dmi-small dmi-soft">{open ? t.measures.proposedAt(moment(measure.proposed_at)) : <Decision measure={measure} />}</p>
      <p className="dmi-small"><RouteLink to={`/lineage/${encodeURIComponent(measure.id)}`}>{t.lineage.show}</RouteLink></p>
      {open && may ? (
        <div className="dmi-actions">
          <PrimaryActionButton onClick={() => setAsking('approve')}>{t.measures.approve}</PrimaryActionButton>
          <SecondaryActionButton onClick={() => setAsking('reject')}>{t.measures.reject}</SecondaryActionButton>
        </div>
      ) : null}
      {open && !may ? <p className="dmi-small dmi-soft">{t.measures.notDecider}</p> : null}
      <ConfirmDialog
        open={asking !== null} busy={decide.busy} error={decide.error} danger={asking === 'reject'}
        title={asking === 'reject' ? t.measures.rejectTitle : t.measures.approveTitle}
        confirm={asking === 'reject' ? t.measures.reject : t.measures.approveConfirm}
        onClose={() => setAsking(null)}
        onConfirm={() => {
          setTried(true);
          if (asking === 'reject' || wrongEnd === null) void decide.run();
        }}
      >
        <p><strong>{say(measure.advice)}</strong></p>
        <p>{asking === 'reject' ? t.measures.rejectText : t.measures.approveText(place ?? say(measure.title))}</p>
        {asking === 'approve' ? <TextField type="datetime-local" label={elsewhere ? t.shell.onCityClock(t.measures.until) : t.measures.until} value={until} onChange={setUntil} error={tried ? wrongEnd : null} /> : null}
      </ConfirmDialog>
    </li>
  );
}
