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
  const covered = useMemo(() => coverage(items, say), [items, say]);
  const bounds = useMemo(() => around(items), [items]);
  const layers = useMemo(() => [{ id: 'coverage', opacity: 1, content: { kind: 'outlines' as const, data: covered } }], [covered]);
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
      <ul className="dmi-legend">
        <li><span className="dmi-key dmi-key--line" aria-hidden="true" />{t.catalogue.areaSupply}</li>
        {items.some((item) => item.direction === 'demand') ? <li><span className="dmi-key dmi-key--line dmi-key--demand" aria-hidden="true" />{t.catalogue.areaDemand}</li> : null}
      </ul>
    </Suspense>
  );
}

/**
 * One rectangle for all entries about the same place, the largest first, so that what lies within another can be seen and
 * chosen; with a point at its corner that carries its name. Where only demand is about it, that is told.
 */
export function coverage(items: CatalogueItem[], say: (text: CatalogueItem['title']) => string): FeatureCollection {
  const places = new Map<string, { box: [number, number, number, number]; items: CatalogueItem[] }>();
  for (const item of items) {
    const box = item.about?.spatial.bbox;
    if (!box) continue;
    const known = places.get(box.join(' '));
    if (known) known.items.push(item);
    else places.set(box.join(' '), { box, items: [item] });
  }
  const size = ([west, south, east, north]: [number, number, number, number]) => (east - west) * (north - south);
  const features = [...places.values()].sort((a, b) => size(b.box) - size(a.box)).flatMap(({ box, items: here }): Feature[] => {
    const [west, south, east, north] = box;
    const [first] = here;
    const properties = { id: first?.id, _second: here.every((item) => item.direction === 'demand'), _label: nameOf(here, say) };
    return [
      { type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] } },
      { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [west, north] } },
    ];
  });
  return { type: 'FeatureCollection', features };
}

/** One entry by its title; several by the place that they are about, and how many. */
function nameOf(items: CatalogueItem[], say: (text: CatalogueItem['title']) => string): string {
  const [first] = items;
  if (!first || items.length === 1) return first ? say(first.title) : '';
  const place = items.map((item) => say(item.about?.spatial.name ?? '')).find((name) => name !== '');
  return place ? `${place} (${items.length})` : `${say(first.title)} (+${items.length - 1})`;
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
