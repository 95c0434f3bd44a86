import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { Heading1 } from '@utrecht/component-library-react';
import type { FeatureCollection } from 'geojson';
import type { Layer } from '../api';
import { useLive } from '../app/live';
import { useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Empty, Loaded, Notice, Skeleton } from '../ui/State';
import { LayerHost, type LayerReport } from './map/LayerHost';
import { FeaturePanel } from './map/FeaturePanel';
import { LayerTable } from './map/LayerTable';
import { MapSearch } from './map/MapSearch';
import { boundsOf } from '../map/bounds';
import type { DrawnLayer } from '../map/MapCanvas';

const MapCanvas = lazy(() => import('../map/MapCanvas'));

export default function MapPage() {
  const { t } = useI18n();
  const api = useApi();
  const layers = useResource('layers', (signal) => api.visualisation.layers(signal));
  useEffect(() => {
    document.title = `${t.map.title} · ${t.shell.product} ${t.shell.city}`;
  }, [t]);
  return (
    <div className="dmi-map">
      <Heading1 className="dmi-sr-only">{t.map.title}</Heading1>
      <Loaded resource={layers} height={600} isEmpty={(list) => list.items.length === 0} empty={<div className="dmi-map__message"><Empty title={t.map.noLayers}>{t.map.noLayersText}</Empty></div>}>
        {(list) => <MapView layers={list.items} outside={list.background ?? null} />}
      </Loaded>
    </div>
  );
}

function MapView({ layers, outside }: { layers: Layer[]; outside: string | null }) {
  const { t, say } = useI18n();
  const api = useApi();
  const live = useLive();
  const [query, change] = useQueryState();
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const [order, setOrder] = useState(() => inOrder(layers));
  const [reports, setReports] = useState<Record<string, LayerReport>>({});
  const [at, setAt] = useState<[number, number] | null>(null);
  const [noMap, setNoMap] = useState(false);
  const [pdok, setPdok] = useState(localStorage.getItem('dmi.pdok') === 'on');
  const table = query.get('table');
  const chosen = query.get('feature');
  const chosenLayer = layers.find((layer) => layer.id === query.get('layer')) ?? null;
  const off = query.get('off')?.split(',') ?? [];

  const report = useCallback((id: string, next: LayerReport) => setReports((old) => ({ ...old, [id]: next })), []);
  const sorted = order.map((id) => layers.find((layer) => layer.id === id)).filter((l): l is Layer => l !== undefined);
  const drawn = useMemo(
    () => order.map((id) => reports[id]?.drawn ?? null).filter((one): one is DrawnLayer => one !== null),
    [order, reports],
  );
  const features = chosenLayer ? (reports[chosenLayer.id]?.features?.features ?? []) : [];
  const feature = features.find((one) => one.properties.id === chosen) ?? null;
  const siblings = feature ? features.filter((one) => one.properties.name !== undefined && one.properties.name === feature.properties.name) : [];
  const selected = feature?.geometry?.type === 'Point' ? (feature.geometry.coordinates as [number, number]) : feature ? at : null;
  const [goal, setGoal] = useState<[number, number, number, number] | null>(null);
  const areas = useMemo(() => namesOf(background.data), [background.data]);
  const whole = useMemo(() => boundsOf(background.data?.features.map((f) => f.geometry) ?? []), [background.data]);
  const bounds = goal ?? whole;
  const tableLayer = layers.find((layer) => layer.id === table) ?? null;
  const tableFeatures = table ? (reports[table]?.features ?? null) : null;

  const pick = (layer: string, id: string, place: [number, number] | null) => {
    setAt(place);
    change({ layer, feature: id });
  };
  const show = (layer: string, id: string) => {
    const found = reports[layer]?.features?.features.find((one) => one.properties.id === id);
    if (found?.geometry?.type === 'Point') {
      const [x, y] = found.geometry.coordinates as [number, number];
      setGoal([x - 0.002, y - 0.0012, x + 0.002, y + 0.0012]);
    }
    pick(layer, id, null);
  };
  const move = (id: string, by: -1 | 1) =>
    setOrder((old) => {
      const from = old.indexOf(id);
      const next = old.filter((one) => one !== id);
      next.splice(from + by, 0, id);
      return next;
    });
  const authorise = useCallback(() => api.http.headers(), [api]);

  return (
    <>
      <div className="dmi-map__side">
        <MapSearch layers={sorted} reports={reports} onShow={show} />
        <h2 className="utrecht-heading-2">{t.map.layers}</h2>
        <ul className="dmi-layers">
          {sorted.map((layer, index) => (
            <LayerHost
              key={layer.id} layer={layer} on={!off.includes(layer.id)} first={index === 0} last={index === sorted.length - 1}
              report={report}
              onTurn={(on) => change({ off: (on ? off.filter((id) => id !== layer.id) : [...off, layer.id]).join(',') || null })}
              onMove={(by) => move(layer.id, by)}
              onTable={() => change({ table: layer.id })}
              onUpdate={(count) => live(t.map.update(say(layer.title), count))}
              onEnded={() => live(t.map.stopped(say(layer.title)))}
            />
          ))}
        </ul>
        {outside ? <label className="dmi-radio dmi-small">
          <input
            type="checkbox" checked={pdok}
            onChange={(event) => {
              localStorage.setItem('dmi.pdok', event.target.checked ? 'on' : 'off');
              setPdok(event.target.checked);
            }}
          />
          <span>{t.map.pdok}</span>
        </label> : null}
      </div>
      <div className="dmi-map__main">
        {tableLayer && tableFeatures ? (
          <div className="dmi-map__table">
            <p><button type="button" className="dmi-link-button" onClick={() => change({ table: null })}>← {t.map.asMap}</button></p>
            <LayerTable
              layer={tableLayer} features={tableFeatures} areas={areas} current={chosen}
              onShow={(row) => {
                change({ table: null });
                show(tableLayer.id, row.properties.id);
              }}
            />
          </div>
        ) : noMap ? (
          <div className="dmi-map__message"><Notice tone="warn">{t.map.noWebgl}</Notice></div>
        ) : (
          <Suspense fallback={<Skeleton height={400} />}>
            <MapCanvas
              label={t.map.region} layers={drawn} background={background.data} outside={pdok ? outside : null} bounds={bounds} selected={selected}
              onPick={pick} onFail={() => setNoMap(true)} authorise={authorise}
            />
          </Suspense>
        )}
      </div>
      <div className={feature && chosenLayer ? 'dmi-map__panel dmi-map__panel--open' : 'dmi-map__panel'}>
        {feature && chosenLayer ? (
          <FeaturePanel
            layer={chosenLayer} feature={feature} siblings={siblings} areas={areas} at={at}
            onClose={() => change({ feature: null, layer: null })}
            onChoose={(id) => change({ feature: id })}
          />
        ) : null}
      </div>
    </>
  );
}

/** Names of neighbourhoods by their code, from the background. */
function namesOf(background: FeatureCollection | null): Map<string, string> {
  const places = (background?.features ?? []).filter((f) => f.properties?.['kind'] === 'neighbourhood');
  return new Map(places.map((f) => [String(f.properties?.['id']), String(f.properties?.['name'])]));
}

/** What moves on top, areas at the bottom. */
function inOrder(layers: Layer[]): string[] {
  const rank = { vehicles: 0, points: 1, areas: 2 };
  return [...layers].sort((a, b) => rank[a.kind] - rank[b.kind]).map((layer) => layer.id);
}
