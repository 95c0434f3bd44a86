/** MapLibre in React: draws what it is given, tells what was picked. Loaded only by pages with a map. */
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { GeoJSONSource, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { FeatureCollection, Geometry } from 'geojson';
import { boundsOf } from './bounds';
import type { CameraLink } from './camera';
import type { Corner } from './draw';
import { areaLayers, baseStyle, nameLayer, pointLayers, readPalette, tileFill } from './style';
import type { Ramp } from './ramp';

export interface DrawnLayer {
  id: string;
  opacity: number;
  content:
    | { kind: 'points'; data: FeatureCollection }
    | { kind: 'areas'; data: FeatureCollection }
    | { kind: 'tiles'; url: string; ramp: Ramp; property: string };
}

export interface MapCanvasProps {
  label: string;
  /** The first is drawn on top. */
  layers: DrawnLayer[];
  background: FeatureCollection | null;
  /** Address of raster tiles from outside, when the person asked for them. */
  outside?: string | null;
  bounds: [number, number, number, number] | null;
  selected?: [number, number] | null;
  corners?: Corner[];
  drawing?: boolean;
  /** Shared by maps that always show the same place; see `camera.ts`. */
  link?: CameraLink | null;
  /** Buttons to zoom and the scale; off on the lower one of two maps that lie over each other. */
  controls?: boolean;
  onPick?: (layer: string, id: string, at: [number, number]) => void;
  onCorner?: (corner: Corner) => void;
  onCentre?: (centre: Corner) => void;
  onFail?: () => void;
  authorise?: () => Promise<Record<string, string>>;
}

setWorkerUrl(workerUrl);

export default function MapCanvas(props: MapCanvasProps) {
  const { label, layers, background, outside = null, bounds, selected = null, corners, drawing = false, link = null, controls = true } = props;
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const fail = useEffectEvent(() => props.onFail?.());
  const authorise = useEffectEvent(async () => (await props.authorise?.()) ?? {});
  const click = useEffectEvent((made: MapLibre, point: { x: number; y: number }, at: [number, number]) => {
    if (drawing) {
      props.onCorner?.(at);
      return;
    }
    const hit = made.queryRenderedFeatures([[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]])
      .find((f) => layers.some((layer) => layer.id === f.source));
    if (!hit) return;
    if (hit.properties['cluster_id'] !== undefined) {
      const source = made.getSource(hit.source) as GeoJSONSource;
      void source.getClusterExpansionZoom(hit.properties['cluster_id'] as number).then((zoom) => {
        made.easeTo({ center: at, zoom });
      });
      return;
    }
    props.onPick?.(hit.source, String(hit.properties['id'] ?? hit.id ?? ''), at);
  });
  const centre = useEffectEvent((made: MapLibre) => {
    const { lng, lat } = made.getCenter();
    props.onCentre?.([lng, lat]);
  });

  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const listen = () => setDark(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);

  useEffect(() => {
    if (!box.current) return;
    let made: MapLibre;
    try {
      made = new MapLibre({
        container: box.current,
        style: baseStyle(readPalette(), outside),
        center: [5.1, 52.1],
        zoom: 12,
        maxPitch: 0,
        dragRotate: false,
        localIdeographFontFamily: getComputedStyle(document.body).fontFamily,
        attributionControl: outside ? {} : false,
        transformRequest: async (url: string) =>
          new URL(url, location.href).origin === location.origin ? { url, headers: await authorise() } : { url },
      });
    } catch {
      // No WebGL: the page offers its tables instead.
      fail();
      return;
    }
    made.touchZoomRotate.disableRotation();
    if (controls) {
      made.addControl(new NavigationControl({ showCompass: false }), 'top-right');
      made.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left');
    }
    made.on('load', () => setMap(made));
    made.on('error', (event) => {
      // A refused or missing tile is told by the layer list; the map itself goes on.
      if (!/40[134]|AJAX/.test(event.error.message)) console.warn(event.error);
    });
    made.on('click', (event) => click(made, event.point, [event.lngLat.lng, event.lngLat.lat]));
    made.on('moveend', () => centre(made));
    return () => {
      setMap(null);
      made.remove();
    };
  }, [outside, dark, controls]);

  useEffect(() => (map && link ? link.join(map) : undefined), [map, link]);

  useBackground(map, background);
  useLayers(map, layers);
  useOverlay(map, selected, corners ?? []);

  const [west, south, east, north] = bounds ?? [];
  useEffect(() => {
    if (!map || west === undefined || south === undefined || east === undefined || north === undefined) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const fit = (duration: number) => map.fitBounds([west, south, east, north], { padding: 40, maxZoom: 15, duration });
    fit(calm ? 0 : 500);
    // Until a person moves the map, a change of its size shows the same area again.
    const refit = () => fit(0);
    map.on('resize', refit);
    const stay = () => {
      map.off('resize', refit);
    };
    map.once('dragstart', stay);
    map.once('wheel', stay);
    return stay;
  }, [map, west, south, east, north]);

  useEffect(() => {
    const canvas = map?.getCanvas();
    canvas?.setAttribute('aria-label', label);
    if (canvas) canvas.style.cursor = drawing ? 'crosshair' : '';
    if (drawing) map?.doubleClickZoom.disable();
    else map?.doubleClickZoom.enable();
  }, [map, label, drawing]);

  return <div ref={box} className="dmi-map__canvas" />;
}

function geojson(map: MapLibre, id: string): GeoJSONSource | undefined {
  return map.getSource<GeoJSONSource>(id);
}

function useBackground(map: MapLibre | null, background: FeatureCollection | null) {
  useEffect(() => {
    if (!map || !background) return;
    void geojson(map, 'background')?.setData(background);
    const names: FeatureCollection = {
      type: 'FeatureCollection',
      features: background.features.filter((f) => f.properties?.['kind'] === undefined || f.properties['kind'] === 'neighbourhood').map((f) => ({
        type: 'Feature', properties: f.properties, geometry: { type: 'Point', coordinates: middle(f.geometry) },
      })),
    };
    if (geojson(map, 'background-names')) void geojson(map, 'background-names')?.setData(names);
    else {
      map.addSource('background-names', { type: 'geojson', data: names });
      map.addLayer(nameLayer(readPalette()));
    }
  }, [map, background]);
}

/** The middle of the box around a geometry, good enough to hang a name on. */
function middle(geometry: Geometry): [number, number] {
  const box = boundsOf([geometry]) ?? [0, 0, 0, 0];
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}

/** Brings the map's sources and layers in line with what is asked; data alone is only replaced. */
function useLayers(map: MapLibre | null, layers: DrawnLayer[]) {
  const drawn = useRef(new Map<string, { map: MapLibre; shape: string; ids: string[] }>());
  useEffect(() => {
    if (!map) return;
    const known = drawn.current;
    const palette = readPalette();
    for (const [id, entry] of known) {
      const wanted = layers.find((layer) => layer.id === id);
      if (entry.map !== map) known.delete(id);
      else if (!wanted || shapeOf(wanted) !== entry.shape) {
        for (const layer of entry.ids) map.removeLayer(layer);
        map.removeSource(id);
        known.delete(id);
      }
    }
    // From the bottom up, so that the first of the list ends on top.
    for (const layer of [...layers].reverse()) {
      const { content, id } = layer;
      const entry = known.get(id);
      if (entry) {
        if (content.kind !== 'tiles') void geojson(map, id)?.setData(content.data);
        for (const one of entry.ids) map.moveLayer(one);
        continue;
      }
      if (content.kind === 'tiles') map.addSource(id, { type: 'vector', tiles: [content.url], promoteId: 'id' });
      else {
        const cluster = content.kind === 'points';
        map.addSource(id, { type: 'geojson', data: content.data, cluster, clusterMaxZoom: 13, clusterRadius: 40 });
      }
      const specs = content.kind === 'points' ? pointLayers(id, palette, layer.opacity)
        : content.kind === 'tiles' ? areaLayers(id, palette, layer.opacity, tileFill(content.ramp, content.property), 'features')
        : areaLayers(id, palette, layer.opacity, ['get', '_colour']);
      for (const spec of specs) map.addLayer(spec);
      known.set(id, { map, shape: shapeOf(layer), ids: specs.map((spec) => spec.id) });
    }
    // Names stand over what is filled and under what is pointed at.
    const firstPoint = layers.filter((one) => one.content.kind === 'points').at(-1);
    if (map.getLayer('background-name')) map.moveLayer('background-name', firstPoint ? `${firstPoint.id}/cluster` : undefined);
    for (const top of ['drawing-fill', 'drawing-line', 'drawing-corner', 'selected']) if (map.getLayer(top)) map.moveLayer(top);
  }, [map, layers]);
}

/** What must be drawn anew when it changes: the kind, the opacity, the address and classes of tiles. */
function shapeOf(layer: DrawnLayer): string {
  const { content } = layer;
  const tiles = content.kind === 'tiles' ? `${content.url} ${content.property} ${content.ramp.breaks.join(',')}` : '';
  return `${content.kind} ${layer.opacity} ${tiles}`;
}

function useOverlay(map: MapLibre | null, selected: [number, number] | null, corners: Corner[]) {
  useEffect(() => {
    if (!map) return;
    const { accent, halo, text } = readPalette();
    const ring = corners.length > 2 ? [...corners, corners[0] as Corner] : corners;
    const data: FeatureCollection = {
      type: 'FeatureCollection',
      features: [
        ...(ring.length > 3 ? [{ type: 'Feature' as const, properties: { what: 'fill' }, geometry: { type: 'Polygon' as const, coordinates: [ring] } }] : []),
        ...(ring.length > 1 ? [{ type: 'Feature' as const, properties: { what: 'line' }, geometry: { type: 'LineString' as const, coordinates: ring } }] : []),
        ...corners.map((c) => ({ type: 'Feature' as const, properties: { what: 'corner' }, geometry: { type: 'Point' as const, coordinates: c } })),
        ...(selected ? [{ type: 'Feature' as const, properties: { what: 'selected' }, geometry: { type: 'Point' as const, coordinates: selected } }] : []),
      ],
    };
    const source = geojson(map, 'overlay');
    if (source) {
      void source.setData(data);
      return;
    }
    map.addSource('overlay', { type: 'geojson', data });
    map.addLayer({ id: 'drawing-fill', type: 'fill', source: 'overlay', filter: ['==', ['get', 'what'], 'fill'], paint: { 'fill-color': accent, 'fill-opacity': 0.25 } });
    map.addLayer({ id: 'drawing-line', type: 'line', source: 'overlay', filter: ['==', ['get', 'what'], 'line'], paint: { 'line-color': accent, 'line-width': 3 } });
    map.addLayer({ id: 'drawing-corner', type: 'circle', source: 'overlay', filter: ['==', ['get', 'what'], 'corner'], paint: { 'circle-radius': 6, 'circle-color': halo, 'circle-stroke-color': accent, 'circle-stroke-width': 3 } });
    map.addLayer({ id: 'selected', type: 'circle', source: 'overlay', filter: ['==', ['get', 'what'], 'selected'], paint: { 'circle-radius': 22, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': text, 'circle-stroke-width': 3 } });
  }, [map, selected, corners]);
}
