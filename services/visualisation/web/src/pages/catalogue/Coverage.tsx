/** Where the found entries are about, on a map; the list beside it tells the same in words. */
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import type { Feature, FeatureCollection } from 'geojson';
import type { CatalogueItem } from '../../api';
import { useI18n } from '../../i18n';
import { Skeleton } from '../../ui/State';
import { covering, Picked } from './Picked';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));

interface Props {
  items: CatalogueItem[];
  background: FeatureCollection | null;
  onPick: (id: string) => void;
}

export default function Coverage({ items, background, onPick }: Props) {
  const { t, say } = useI18n();
  const covered = useMemo(() => coverage(items, (item) => say(item.title)), [items, say]);
  const bounds = useMemo(() => around(items), [items]);
  const layers = useMemo(() => [{ id: 'coverage', opacity: 0.35, content: { kind: 'areas' as const, data: covered } }], [covered]);
  const frame = useRef<HTMLDivElement>(null);
  const [picked, setPicked] = useState<{ at: [number, number]; items: CatalogueItem[] } | null>(null);
  const pick = (hit: string, at: [number, number]) => {
    const here = covering(items, at);
    if (here.length > 1) setPicked({ at, items: here });
    else onPick(here[0]?.id ?? hit);
  };
  const close = () => {
    setPicked(null);
    frame.current?.querySelector('canvas')?.focus();
  };
  return (
    <Suspense fallback={<Skeleton height={360} />}>
      <div ref={frame} className="dmi-inset-map">
        <MapCanvas label={t.catalogue.coverage} layers={layers} background={background} bounds={bounds} selected={picked?.at ?? null} pickCentre onPick={(_layer, id, at) => pick(id, at)} />
        {picked ? <Picked items={picked.items} onClose={close} /> : null}
      </div>
    </Suspense>
  );
}

/** One rectangle an entry, the largest first, so that what lies within another can be seen and chosen. */
export function coverage(items: CatalogueItem[], name: (item: CatalogueItem) => string): FeatureCollection {
  const features = items.flatMap((item): Feature[] => {
    const box = item.about?.spatial.bbox;
    if (!box) return [];
    const [west, south, east, north] = box;
    return [{
      type: 'Feature', id: item.id,
      properties: { id: item.id, _label: name(item), _colour: item.direction === 'demand' ? '#b5651d' : '#2a6f97' },
      geometry: { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] },
    }];
  });
  const size = (one: Feature) => {
    const [west, south, east, north] = items.find((item) => item.id === one.id)?.about?.spatial.bbox ?? [0, 0, 0, 0];
    return (east - west) * (north - south);
  };
  return { type: 'FeatureCollection', features: features.sort((a, b) => size(b) - size(a)) };
}

/** The box around all entries; null when none has a place. */
export function around(items: CatalogueItem[]): [number, number, number, number] | null {
  const boxes = items.flatMap((item) => (item.about ? [item.about.spatial.bbox] : []));
  if (boxes.length === 0) return null;
  return [
    Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])),
    Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3])),
  ];
}
