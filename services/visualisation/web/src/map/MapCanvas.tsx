/** MapLibre in React: draws what it is given, tells what was picked. Loaded only by pages with a map. */
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { type GeoJSONSource, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { FeatureCollection } from 'geojson';
import { useI18n } from '../i18n';
import type { CameraLink } from './camera';
import type { Corner } from './draw';
import { baseStyle, readPalette } from './style';
import { useBackground, useLayers, useOverlay, type DrawnLayer } from './sync';

export type { DrawnLayer } from './sync';

export interface MapCanvasProps {
  label: string;
  /** The first is drawn on top. */
  layers: DrawnLayer[];
  background: FeatureCollection | null;
  /** Address of raster tiles from outside, when the person asked for them. */
  outside?: string | null;
  bounds: [number, number, number, number] | null;
  selected?: [number, number] | null;
  /** Places that something else on the page points at, such as the line of a chart under the pointer. */
  pointed?: [number, number][];
  corners?: Corner[];
  drawing?: boolean;
  /** Shared by maps that always show the same place; see `camera.ts`. */
  link?: CameraLink | null;
  /** Buttons to zoom and the scale; off on the lower one of two maps that lie over each other. */
  controls?: boolean;
  /** Whether Enter on the map picks what lies in its middle, which a cross then marks. */
  pickCentre?: boolean;
  onPick?: (layer: string, id: string, at: [number, number]) => void;
  onCorner?: (corner: Corner) => void;
  onCentre?: (centre: Corner) => void;
  onFail?: () => void;
  authorise?: () => Promise<Record<string, string>>;
}

setWorkerUrl(workerUrl);
const none: [number, number][] = [];
/** Nearer than this the map shows nothing more. */
const closest = 16;

export default function MapCanvas(props: MapCanvasProps) {
  const { label, layers, background, outside = null, bounds, selected = null, pointed, corners, drawing = false, link = null, controls = true, pickCentre = false } = props;
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const { t, language } = useI18n();
  // From its first moment on, before it has loaded: a map without a name of its own is one of many called "Map".
  const words = useEffectEvent(() => ({ 'Map.Title': label, 'NavigationControl.ZoomIn': t.map.zoomIn, 'NavigationControl.ZoomOut': t.map.zoomOut }));
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
        locale: words(),
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
  }, [outside, dark, controls, language]);

  useEffect(() => (map && link ? link.join(map) : undefined), [map, link]);

  useBackground(map, background);
  useLayers(map, layers);
  useOverlay(map, selected, pointed ?? none, corners ?? none);

  const [west, south, east, north] = bounds ?? [];
  useEffect(() => {
    if (!map || west === undefined || south === undefined || east === undefined || north === undefined) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const fit = (duration: number) => map.fitBounds([west, south, east, north], { padding: 40, maxZoom: closest, duration });
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
    if (!map || !pickCentre) return;
    const canvas = map.getCanvas();
    const enter = (event: KeyboardEvent) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      const { lng, lat } = map.getCenter();
      click(map, map.project([lng, lat]), [lng, lat]);
    };
    canvas.addEventListener('keydown', enter);
    return () => canvas.removeEventListener('keydown', enter);
  }, [map, pickCentre]);

  useEffect(() => {
    const canvas = map?.getCanvas();
    canvas?.setAttribute('aria-label', label);
    if (canvas) canvas.style.cursor = drawing ? 'crosshair' : '';
    if (drawing) map?.doubleClickZoom.disable();
    else map?.doubleClickZoom.enable();
  }, [map, label, drawing]);

  return <div ref={box} className={pickCentre ? 'dmi-map__canvas dmi-map__canvas--centre' : 'dmi-map__canvas'} />;
}
