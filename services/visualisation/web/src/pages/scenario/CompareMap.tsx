/** Two situations on the map: their difference, side by side, or under a divider; one legend and one time for both. */
import { lazy, Suspense, useMemo } from 'react';
import type { FeatureCollection } from 'geojson';
import { useI18n } from '../../i18n';
import { boundsOf } from '../../map/bounds';
import { linkCameras } from '../../map/camera';
import type { DrawnLayer } from '../../map/MapCanvas';
import { Skeleton } from '../../ui/State';
import { withFigures } from './areas';
import { areaRows, unitOf, type Comparison } from './figures';
import { paint, type Legend } from './mapData';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));
const SwipeMap = lazy(() => import('../../map/SwipeMap'));
export const views = ['change', 'side', 'swipe'] as const;
export type View = (typeof views)[number];

interface Props {
  comparison: Comparison;
  areas: FeatureCollection;
  indicator: string;
  view: View;
  names: { left: string; right: string };
  /** The time that holds for both. */
  time: string;
}

const layer = (data: FeatureCollection): DrawnLayer[] => [{ id: 'result', opacity: 1, content: { kind: 'areas', data } }];

export function CompareMap({ comparison, areas, indicator, view, names, time }: Props) {
  const i18n = useI18n();
  const { t, term, unit } = i18n;
  const shown = useMemo(() => withFigures(areas, new Set(comparison.result.areas.map((a) => a.id))), [areas, comparison]);
  const painted = useMemo(() => paint(shown, areaRows(comparison, indicator), indicator, i18n), [shown, comparison, indicator, i18n]);
  const drawn = useMemo(() => ({ left: layer(painted.left), right: layer(painted.right), change: layer(painted.change) }), [painted]);
  const bounds = useMemo(() => boundsOf(shown.features.map((f) => f.geometry)), [shown]);
  const link = useMemo(() => linkCameras(), []);
  const label = `${t.scenarios.mapTitle}: ${term(indicator)}`;
  const caption = (
    <div className="dmi-compare__caption">
      <Keys legend={view === 'change' ? painted.changes : painted.values} label={`${t.map.legend}: ${term(indicator)} ${unit(unitOf(indicator))}`} />
      <p className="dmi-small dmi-soft">{time}</p>
    </div>
  );
  return (
    <div className="dmi-noprint">
      <Suspense fallback={<Skeleton height={460} />}>
        {view === 'swipe' ? (
          <div className="dmi-inset-map dmi-inset-map--tall">
            <SwipeMap label={label} left={{ name: names.left, layers: drawn.left }} right={{ name: names.right, layers: drawn.right }} background={shown} bounds={bounds} caption={caption} />
          </div>
        ) : view === 'side' ? (
          <>
            <div className="dmi-compare__two">
              {(['left', 'right'] as const).map((side) => (
                <figure key={side}>
                  <figcaption className="dmi-compare__name">{names[side]}</figcaption>
                  <div className="dmi-inset-map">
                    <MapCanvas label={`${label}: ${names[side]}`} layers={drawn[side]} background={shown} bounds={bounds} link={link} />
                  </div>
                </figure>
              ))}
            </div>
            {caption}
          </>
        ) : (
          <>
            <div className="dmi-inset-map"><MapCanvas label={`${label}: ${t.scenarios.change}`} layers={drawn.change} background={shown} bounds={bounds} /></div>
            {caption}
          </>
        )}
      </Suspense>
    </div>
  );
}

function Keys({ legend, label }: { legend: Legend; label: string }) {
  return (
    <ul className="dmi-legend" aria-label={label}>
      {legend.map(([colour, words]) => <li key={words}><span className="dmi-key" style={{ background: colour }} />{words}</li>)}
    </ul>
  );
}
