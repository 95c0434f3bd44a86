/** The time of the map: live, or any quarter of an hour of the last day; with a second one to compare. */
import { useEffect, useEffectEvent, useId, useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import { timeTicks } from '../../chart/scales';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { Icon } from '../../ui/Icon';
import { momentOf, positionOf, type Moments } from './moment';

interface Props {
  moments: Moments;
  /** Milliseconds; null is live. */
  at: number | null;
  compareAt: number | null;
  busy: boolean;
  onAt: (at: number | null) => void;
  onCompare: (at: number | null) => void;
  /** Begins comparing. */
  onBegin: () => void;
}

export function TimeSlider({ moments, at, compareAt, busy, onAt, onCompare, onBegin }: Props) {
  const { t, moment } = useI18n();
  const comparing = compareAt !== null;
  return (
    <section className="dmi-time" aria-label={t.map.timeSlider}>
      <div className="dmi-time__head">
        {comparing ? <strong>{t.map.compareLabel}</strong> : at === null ? <Badge tone="good">{t.map.nowLive}</Badge> : <strong>{t.map.momentOf(moment(new Date(at)))}</strong>}
        {busy ? <span className="dmi-small dmi-soft">{t.map.momentBusy}</span> : null}
        <span className="dmi-time__actions">
          {at === null || comparing ? null : <SecondaryActionButton className="dmi-small-button" onClick={() => onAt(null)}>{t.map.backToLive}</SecondaryActionButton>}
          <SecondaryActionButton className="dmi-small-button" aria-pressed={comparing} onClick={() => (comparing ? onCompare(null) : onBegin())}>
            {comparing ? t.map.compareStop : t.map.compareMoments}
          </SecondaryActionButton>
        </span>
      </div>
      {comparing ? (
        // The left one stops before live: two live maps would show the same. Both sliders have one scale.
        <Slider label={t.map.compareLeft} moments={moments} at={compareAt} last={moments.live - 1} onAt={onCompare} named />
      ) : null}
      <Slider label={comparing ? t.map.compareRight : t.map.timeSlider} moments={moments} at={at} last={moments.live} onAt={onAt} named={comparing} />
      <Scale moments={moments} />
    </section>
  );
}

interface SliderProps {
  label: string;
  moments: Moments;
  at: number | null;
  last: number;
  named: boolean;
  onAt: (at: number | null) => void;
}

/** Data is asked for when the hand rests, so that dragging over the day does not ask for all of it. */
const rest = 150;

function Slider({ label, moments, at, last, named, onAt }: SliderProps) {
  const { t, moment } = useI18n();
  const id = useId();
  const [dragged, setDragged] = useState<number | null>(null);
  const position = dragged ?? positionOf(at, moments);
  const settle = useEffectEvent((chosen: number) => {
    onAt(momentOf(chosen, moments));
    setDragged(null);
  });
  useEffect(() => {
    if (dragged === null) return;
    const timer = setTimeout(() => settle(dragged), rest);
    return () => clearTimeout(timer);
  }, [dragged]);
  const go = (next: number) => setDragged(Math.min(last, Math.max(0, next)));
  const words = (which: number) => {
    const when = momentOf(which, moments);
    return when === null ? t.map.nowLive : moment(new Date(when));
  };
  return (
    <div className={named ? 'dmi-time__row dmi-time__row--named' : 'dmi-time__row'}>
      <label htmlFor={id} className={named ? 'dmi-time__label' : 'dmi-sr-only'}>
        {label}{named ? <span className="dmi-soft dmi-small"> {words(position)}</span> : null}
      </label>
      <button type="button" className="dmi-icon-button" aria-label={`${label}: ${t.map.earlier}`} disabled={position <= 0} onClick={() => go(position - 1)}>
        <span className="dmi-turn-left"><Icon name="right" /></span>
      </button>
      <input id={id} type="range" min={0} max={moments.live} value={position} aria-valuetext={words(position)} onChange={(event) => go(Number(event.target.value))} />
      <button type="button" className="dmi-icon-button" aria-label={`${label}: ${t.map.later}`} disabled={position >= last} onClick={() => go(position + 1)}>
        <Icon name="right" />
      </button>
      {dragged !== null && !named ? <output className="dmi-time__bubble" htmlFor={id}>{words(position)}</output> : null}
    </div>
  );
}

/** Hours under the slider. */
function Scale({ moments }: { moments: Moments }) {
  const { clock } = useI18n();
  const hours = timeTicks(moments.first, moments.last, 8);
  return (
    <div className="dmi-time__scale" aria-hidden="true">
      {hours.map((at) => <span key={at} style={{ insetInlineStart: `${(positionOf(at, moments) / moments.live) * 100}%` }}>{clock(new Date(at))}</span>)}
    </div>
  );
}
