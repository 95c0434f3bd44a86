/** Brings MapLibre's sources and layers in line with what a page asks to be drawn. */
import { useEffect, useRef } from 'react';
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl';
import type { FeatureCollection, Geometry } from 'geojson';
import { boundsOf } from './bounds';
import type { Corner } from './draw';
import type { Ramp } from './ramp';
import { distanceField, type Shape } from './shapes';
import { areaLayers, inDrawingOrder, names, outlineLayers, pointLayers, readPalette, tileFill, valueLayer, type Palette } from './style';

export interface DrawnLayer {
  id: string;
  opacity: number;
  content:
    /** Features with `_colour`, `_ink`, `_text`, `_label` and `_flagged`; they cluster when they are close. */
    | { kind: 'points'; data: FeatureCollection; shape: Shape }
    | { kind: 'areas'; data: FeatureCollection }
    /** Areas over each other, told apart by border and name; see `outlineLayers`. */
    | { kind: 'outlines'; data: FeatureCollection }
    /** Areas from vector tiles; `values` are points with `_text`, so that no value is told by colour alone. */
    | { kind: 'tiles'; url: string; ramp: Ramp; property: string; values: FeatureCollection };
}

interface Known {
  map: MapLibre;
  content: DrawnLayer['content'];
  shape: string;
  ids: string[];
}

function geojson(map: MapLibre, id: string): GeoJSONSource | undefined {
  return map.getSource<GeoJSONSource>(id);
}

export function useBackground(map: MapLibre | null, background: FeatureCollection | null) {
  useEffect(() => {
    if (!map || !background) return;
    void geojson(map, 'background')?.setData(background);
    const named: FeatureCollection = {
      type: 'FeatureCollection',
      features: background.features.filter((f) => f.properties?.['kind'] === undefined || f.properties['kind'] === 'neighbourhood').map((f) => ({
        type: 'Feature', properties: f.properties, geometry: { type: 'Point', coordinates: middle(f.geometry) },
      })),
    };
    void geojson(map, names)?.setData(named);
  }, [map, background]);
}

/** The middle of the box around a geometry, good enough to hang a name on. */
function middle(geometry: Geometry): [number, number] {
  const box = boundsOf([geometry]) ?? [0, 0, 0, 0];
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}

/** Brings the map's sources and layers in line with what is asked; data alone is only replaced. */
export function useLayers(map: MapLibre | null, layers: DrawnLayer[]) {
  const drawn = useRef(new Map<string, Known>());
  useEffect(() => {
    if (!map) return;
    const known = drawn.current;
    const palette = readPalette();
    for (const [id, entry] of known) {
      const asked = layers.find((layer) => layer.id === id);
      if (entry.map !== map) known.delete(id);
      else if (!asked || shapeOf(asked) !== entry.shape) {
        for (const layer of entry.ids) map.removeLayer(layer);
        map.removeSource(id);
        if (map.getSource(`${id}/values`)) map.removeSource(`${id}/values`);
        known.delete(id);
      }
    }
    for (const layer of layers) {
      const { content, id } = layer;
      const entry = known.get(id);
      if (entry) {
        if (entry.content !== content) setContent(map, id, content);
        entry.content = content;
        continue;
      }
      addSource(map, id, content);
      const specs = layersFor(layer, palette);
      for (const spec of specs) map.addLayer(spec);
      known.set(id, { map, content, shape: shapeOf(layer), ids: specs.map((spec) => spec.id) });
    }
    const wanted = inDrawingOrder(layers.map((one) => ({ ids: known.get(one.id)?.ids ?? [], filled: one.content.kind !== 'points' })));
    const order = map.getLayersOrder().filter((id) => wanted.includes(id));
    // With every value that comes in, labels would be placed anew; so only what is out of order is moved.
    if (order.join(' ') !== wanted.join(' ')) for (const id of wanted) map.moveLayer(id);
    // An area that is labelled with its number has its name there.
    map.setFilter(names, ['!', ['in', ['get', 'id'], ['literal', layers.flatMap(labelled)]]]);
    for (const top of ['drawing-fill', 'drawing-line', 'drawing-corner', 'pointed', 'selected']) if (map.getLayer(top)) map.moveLayer(top);
  }, [map, layers]);
}

/** Ids of the areas whose names stand with their numbers. */
function labelled({ content }: DrawnLayer): string[] {
  return content.kind === 'tiles' ? content.values.features.filter((one) => one.properties?.['_name'] !== undefined).map((one) => String(one.properties?.['id'])) : [];
}

function addSource(map: MapLibre, id: string, content: DrawnLayer['content']) {
  if (content.kind === 'tiles') {
    map.addSource(id, { type: 'vector', tiles: [content.url], promoteId: 'id' });
    map.addSource(`${id}/values`, { type: 'geojson', data: content.values });
    return;
  }
  const cluster = content.kind === 'points';
  if (cluster) {
    // The mark of a flagged value is a diamond on every layer.
    for (const shape of new Set<Shape>([content.shape, 'diamond'])) if (!map.hasImage(shape)) map.addImage(shape, distanceField(shape), { sdf: true });
  }
  map.addSource(id, { type: 'geojson', data: content.data, cluster, clusterMaxZoom: 13, clusterRadius: 40 });
}

function setContent(map: MapLibre, id: string, content: DrawnLayer['content']) {
  if (content.kind === 'tiles') void geojson(map, `${id}/values`)?.setData(content.values);
  else void geojson(map, id)?.setData(content.data);
}

function layersFor({ id, content, opacity }: DrawnLayer, palette: Palette): LayerSpecification[] {
  if (content.kind === 'points') return pointLayers(id, palette, opacity, content.shape);
  if (content.kind === 'outlines') return outlineLayers(id, palette);
  if (content.kind === 'areas') return areaLayers(id, palette, opacity, ['get', '_colour']);
  return [...areaLayers(id, palette, opacity, tileFill(content.ramp, content.property), 'features'), valueLayer(id, palette)];
}

/** What must be drawn anew when it changes: the kind, the mark, the opacity, the address and classes of tiles. */
function shapeOf(layer: DrawnLayer): string {
  const { content } = layer;
  if (content.kind === 'points') return `points ${layer.opacity} ${content.shape}`;
  const tiles = content.kind === 'tiles' ? `${content.url} ${content.property} ${content.ramp.breaks.join(',')}` : '';
  return `${content.kind} ${layer.opacity} ${tiles}`;
}

export function useOverlay(map: MapLibre | null, selected: [number, number] | null, pointed: [number, number][], corners: Corner[]) {
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
        ...pointed.map((c) => ({ type: 'Feature' as const, properties: { what: 'pointed' }, geometry: { type: 'Point' as const, coordinates: c } })),
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
    map.addLayer({ id: 'pointed', type: 'circle', source: 'overlay', filter: ['==', ['get', 'what'], 'pointed'], paint: { 'circle-radius': 28, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': accent, 'circle-stroke-width': 4 } });
    map.addLayer({ id: 'selected', type: 'circle', source: 'overlay', filter: ['==', ['get', 'what'], 'selected'], paint: { 'circle-radius': 22, 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': text, 'circle-stroke-width': 3 } });
  }, [map, selected, pointed, corners]);
}
