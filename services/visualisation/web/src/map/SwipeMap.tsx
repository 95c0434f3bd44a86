/**
 * Two maps over each other with a divider between them: left of it the one, right of it the other. Both show
 * the same place; the legend and the time that hold for both are the page's own, given as `caption`.
 *
 * Load it lazily, as MapCanvas: `lazy(() => import('../map/SwipeMap'))`. It fills a box with `position: relative`.
 */
import { useMemo, useRef, useState, type ReactNode } from 'react';
import type { FeatureCollection } from 'geojson';
import { useI18n } from '../i18n';
import { linkCameras } from './camera';
import MapCanvas, { type DrawnLayer, type MapCanvasProps } from './MapCanvas';
import { dividerAfterKey, dividerAt } from './swipe';

export interface SwipeSide {
  /** What this side shows, in a few words: "14:00", "Uitgangssituatie". */
  name: string;
  /** Why it shows nothing, in a few words. */
  note?: string | null;
  /** The first is drawn on top. */
  layers: DrawnLayer[];
  /** Outlines under the layers, when they differ from the other side's. */
  background?: FeatureCollection | null;
}

export interface SwipeMapProps extends Pick<MapCanvasProps, 'outside' | 'bounds' | 'selected' | 'onPick' | 'onFail' | 'authorise'> {
  /** What is compared; screen readers hear it before each side's own name. */
  label: string;
  left: SwipeSide;
  right: SwipeSide;
  background: FeatureCollection | null;
  /** One legend and one time for both, under the maps. */
  caption?: ReactNode;
}

export default function SwipeMap({ label, left, right, background, caption, bounds, ...shared }: SwipeMapProps) {
  const { t } = useI18n();
  const link = useMemo(() => linkCameras(), []);
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(50);
  const drag = (event: React.PointerEvent<HTMLDivElement>) => {
    const frame = box.current?.getBoundingClientRect();
    if (frame && event.currentTarget.hasPointerCapture(event.pointerId)) setAt(dividerAt(event.clientX, frame.left, frame.width));
  };
  const press = (event: React.KeyboardEvent) => {
    const next = dividerAfterKey(at, event.key, event.shiftKey);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  };
  return (
    <figure className="dmi-swipe" aria-label={label} style={{ '--dmi-swipe-at': `${at}%` } as React.CSSProperties}>
      <div className="dmi-swipe__maps" ref={box}>
        <MapCanvas {...shared} label={`${label}: ${left.name}. ${t.map.region}`} layers={left.layers} background={left.background ?? background} bounds={bounds} link={link} controls={false} />
        <div className="dmi-swipe__over">
          <MapCanvas {...shared} label={`${label}: ${right.name}. ${t.map.region}`} layers={right.layers} background={right.background ?? background} bounds={null} link={link} />
        </div>
        <p className="dmi-swipe__name dmi-swipe__name--left">{left.name}{left.note ? <span className="dmi-swipe__note">{left.note}</span> : null}</p>
        <p className="dmi-swipe__name dmi-swipe__name--right">{right.name}{right.note ? <span className="dmi-swipe__note">{right.note}</span> : null}</p>
        <div
          className="dmi-swipe__divider" role="slider" tabIndex={0} aria-orientation="horizontal" aria-label={t.map.divider}
          aria-valuemin={0} aria-valuemax={100} aria-valuenow={at} aria-valuetext={t.map.dividerAt(left.name, at, right.name)}
          onKeyDown={press} onPointerMove={drag}
          onPointerDown={(event) => {
            event.preventDefault();
            event.currentTarget.focus();
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
        >
          <span className="dmi-swipe__grip" aria-hidden="true">◂▸</span>
        </div>
      </div>
      {caption ? <figcaption className="dmi-swipe__caption">{caption}</figcaption> : null}
    </figure>
  );
}
