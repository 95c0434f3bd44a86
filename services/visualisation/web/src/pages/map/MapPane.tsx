/** The main part of the map page: one layer as a table, the map, or two maps beside a divider. */
import { lazy, Suspense, useMemo } from 'react';
import type { Layer } from '../../api';
import { useI18n } from '../../i18n';
import type { MapCanvasProps } from '../../map/MapCanvas';
import type { DrawnLayer } from '../../map/sync';
import { Notice, Skeleton } from '../../ui/State';
import type { LayerReport } from './LayerHost';
import { lackOfSide, nameOfSide, shows, type Side, type Sides } from './sides';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));
const SwipeMap = lazy(() => import('../../map/SwipeMap'));

interface Props extends Pick<MapCanvasProps, 'background' | 'outside' | 'bounds' | 'selected' | 'pointed' | 'onPick' | 'onFail' | 'authorise'> {
  /** In the order in which they are drawn, the first on top. */
  layers: Layer[];
  reports: Record<string, LayerReport>;
  off: string[];
  sides: Sides | null;
  /** Whether the browser cannot draw maps. */
  noMap: boolean;
}

export function MapPane({ layers, reports, off, sides, noMap, pointed, ...shared }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  // Layers are renewed every few seconds; what is drawn changes with their order and their reports alone.
  const ids = layers.map((layer) => layer.id).join(' ');
  const rightLayer = sides?.right.layer ?? null;
  const right = useMemo(() => drawnOf(ids, reports, 'drawn', rightLayer), [ids, reports, rightLayer]);
  const left = useMemo(() => drawnOf(ids, reports, 'compared', null), [ids, reports]);
  if (noMap) return <div className="dmi-map__message"><Notice tone="warn">{t.map.noWebgl}</Notice></div>;
  const side = (one: Side, drawn: DrawnLayer[], which: 'drawn' | 'compared') => {
    const layer = layers.find(({ id }) => id === one.layer);
    const ofSide = layers.filter(({ id }) => shows(one, id) && !off.includes(id));
    const loading = ofSide.some(({ id, refused }) => !refused && (reports[id]?.[which] ?? null) === null && !reports[id]?.error);
    return { name: nameOfSide(one, layer, i18n), note: lackOfSide(layer, ofSide.length > 0, loading, countOf(drawn), i18n), layers: drawn };
  };
  return (
    <div className="dmi-map__frame">
      <Suspense fallback={<Skeleton height={400} />}>
        {sides ? (
          <SwipeMap {...shared} label={t.map.compareLabel} left={side(sides.left, left, 'compared')} right={side(sides.right, right, 'drawn')} />
        ) : <MapCanvas {...shared} label={t.map.region} layers={right} pointed={pointed} />}
      </Suspense>
    </div>
  );
}

function drawnOf(ids: string, reports: Record<string, LayerReport>, which: 'drawn' | 'compared', only: string | null): DrawnLayer[] {
  return ids.split(' ').filter((id) => only === null || id === only).map((id) => reports[id]?.[which] ?? null).filter((one): one is DrawnLayer => one !== null);
}

/** How many marks the layers draw; tiles count as one. */
function countOf(drawn: DrawnLayer[]): number {
  return drawn.reduce((sum, { content }) => sum + (content.kind === 'tiles' ? 1 : content.data.features.length), 0);
}
