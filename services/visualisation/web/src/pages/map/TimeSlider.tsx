/** The time of the map: live, or any quarter of an hour of the last day; or two sides with a layer and a time each. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Layer } from '../../api';
import { timeTicks } from '../../chart/scales';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { positionOf, type Moments } from './moment';
import { MomentSlider } from './MomentSlider';
import { SideRow } from './SideRow';
import { areSame, type Side, type Sides } from './sides';

interface Props {
  layers: Layer[];
  moments: Moments;
  /** Milliseconds; null is live. */
  at: number | null;
  /** What is compared; null when nothing is. */
  sides: Sides | null;
  busy: boolean;
  onAt: (at: number | null) => void;
  onSide: (which: keyof Sides, side: Side) => void;
  /** Begins comparing. */
  onBegin: () => void;
  onStop: () => void;
}

export function TimeSlider({ layers, moments, at, sides, busy, onAt, onSide, onBegin, onStop }: Props) {
  const { t, moment } = useI18n();
  return (
    <section className="dmi-time" aria-label={t.map.timeSlider}>
      <div className="dmi-time__head">
        {sides ? <strong>{t.map.compareLabel}</strong> : at === null ? <Badge tone="good">{t.map.nowLive}</Badge> : <strong>{t.map.momentOf(moment(new Date(at)))}</strong>}
        {busy ? <span className="dmi-small dmi-soft">{t.map.momentBusy}</span> : sides && areSame(sides) ? <span className="dmi-small" role="status">{t.map.sidesSame}</span> : null}
        <span className="dmi-time__actions">
          {at === null || sides ? null : <SecondaryActionButton className="dmi-small-button" onClick={() => onAt(null)}>{t.map.backToLive}</SecondaryActionButton>}
          <SecondaryActionButton className="dmi-small-button" aria-pressed={sides !== null} onClick={sides ? onStop : onBegin}>
            {sides ? t.map.compareStop : t.map.compareBegin}
          </SecondaryActionButton>
        </span>
      </div>
      {sides ? (
        <>
          <SideRow label={t.map.compareLeft} layers={layers} moments={moments} side={sides.left} onSide={(side) => onSide('left', side)} />
          <SideRow label={t.map.compareRight} layers={layers} moments={moments} side={sides.right} onSide={(side) => onSide('right', side)} />
        </>
      ) : (
        <>
          <MomentSlider label={t.map.timeSlider} moments={moments} at={at} onAt={onAt} />
          <Scale moments={moments} />
        </>
      )}
    </section>
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
