/** Measures that are over, newest first, each with what came of it. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Measure } from '../../api';
import { RouteLink } from '../../app/router';
import { useI18n } from '../../i18n';
import { Badge, stateTone } from '../../ui/Badge';
import { Withdrawn } from '../../ui/State';
import { LookBackView } from './LookBackView';
import { verdictOf, verdictTone } from './lookBack';
import { Decision } from './words';

const step = 8;

export function PastMeasures({ measures }: { measures: Measure[] }) {
  const { t } = useI18n();
  const [most, setMost] = useState(step);
  return (
    <>
      <ul className="dmi-past">{measures.slice(0, most).map((one) => <Past key={one.id} measure={one} />)}</ul>
      <div className="dmi-pager">
        <p className="dmi-small dmi-soft" role="status">{t.common.rows(Math.min(most, measures.length), measures.length)}</p>
        {most < measures.length ? <SecondaryActionButton className="dmi-small-button" onClick={() => setMost(most + step)}>{t.common.more}</SecondaryActionButton> : null}
      </div>
    </>
  );
}

function Past({ measure }: { measure: Measure }) {
  const { t, say, term, moment, time } = useI18n();
  const [open, setOpen] = useState(false);
  const verdict = verdictOf(measure);
  const endWords: Record<string, string> = { time: t.measures.endTime, 'condition-over': t.measures.endCondition };
  const reason = measure.properties?.['reason'];
  const ended = typeof reason === 'string' ? (endWords[reason] ?? (measure.state === 'rejected' ? reason : null)) : null;
  return (
    <li className="dmi-card">
      <div className="dmi-past__head">
        <div>
          <h3 className="utrecht-heading-3">{say(measure.title)}</h3>
          <p className="dmi-small dmi-soft">{moment(measure.valid_from)} – {time(measure.valid_to)}. <Decision measure={measure} />.</p>
        </div>
        <p className="dmi-badges">
          <Badge tone={stateTone(measure.state)}>{term(measure.state)}</Badge>
          {verdict ? <Badge tone={verdictTone[verdict]}>{t.measures.verdicts[verdict]}</Badge> : null}
        </p>
      </div>
      {measure.withdrawn ? <Withdrawn /> : null}
      <details className="dmi-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{t.measures.showEffect}</summary>
        {open ? (
          <div className="dmi-stack">
            <p>{say(measure.advice)}</p>
            {ended ? <p className="dmi-small dmi-soft">{t.measures.ended(ended)}</p> : null}
            <LookBackView measure={measure} />
            <p className="dmi-small"><RouteLink to={`/lineage/${encodeURIComponent(measure.id)}`}>{t.lineage.show}</RouteLink></p>
          </div>
        ) : null}
      </details>
    </li>
  );
}
