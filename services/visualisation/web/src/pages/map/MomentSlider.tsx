/** A slider over the moments of the map, with a step earlier and later beside it. */
import { useEffect, useEffectEvent, useId, useState } from 'react';
import { useI18n } from '../../i18n';
import { Icon } from '../../ui/Icon';
import { momentOf, positionOf, type Moments } from './moment';

interface Props {
  label: string;
  moments: Moments;
  /** Milliseconds; null is live. */
  at: number | null;
  disabled?: boolean;
  /** Whether the moment stands beside the slider; else a bubble tells it while it moves. */
  named?: boolean;
  onAt: (at: number | null) => void;
}

/** Data is asked for when the hand rests, so that dragging over the day does not ask for all of it. */
const rest = 150;

export function MomentSlider({ label, moments, at, disabled = false, named = false, onAt }: Props) {
  const { t, moment } = useI18n();
  const id = useId();
  const [dragged, setDragged] = useState<number | null>(null);
  const position = dragged ?? positionOf(at, moments);
  const last = moments.live;
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
  const when = momentOf(position, moments);
  const words = when === null ? t.map.nowLive : moment(new Date(when));
  return (
    <div className={named ? 'dmi-time__row dmi-time__row--named' : 'dmi-time__row'}>
      <label htmlFor={id} className="dmi-sr-only">{label}</label>
      <button type="button" className="dmi-icon-button" aria-label={`${label}: ${t.map.earlier}`} disabled={disabled || position <= 0} onClick={() => go(position - 1)}>
        <span className="dmi-turn-left"><Icon name="right" /></span>
      </button>
      <input id={id} type="range" min={0} max={last} value={position} disabled={disabled} aria-valuetext={words} onChange={(event) => go(Number(event.target.value))} />
      <button type="button" className="dmi-icon-button" aria-label={`${label}: ${t.map.later}`} disabled={disabled || position >= last} onClick={() => go(position + 1)}>
        <Icon name="right" />
      </button>
      {named ? <span className="dmi-time__when">{disabled ? t.map.momentAlways : words}</span> : null}
      {dragged !== null && !named ? <output className="dmi-time__bubble" htmlFor={id}>{words}</output> : null}
    </div>
  );
}
