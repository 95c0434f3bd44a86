/** The look of the map: the city's own background, and how each kind of layer is drawn over it. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { missingColour, sequential, type Ramp } from './ramp';
import type { Shape } from './shapes';

export interface Palette {
  ground: string;
  area: string;
  line: string;
  text: string;
  halo: string;
  accent: string;
  /** Stands beside the accent, and is told from it by everybody. */
  second: string;
  bad: string;
}

/** The colours of the page's tokens, so that the map follows theme and dark scheme. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    ground: token('--dmi-ground-firm'),
    area: token('--dmi-ground-soft'),
    line: token('--dmi-line-firm'),
    text: token('--dmi-text'),
    halo: token('--dmi-ground'),
    accent: token('--dmi-accent'),
    second: token('--dmi-series-2'),
    bad: token('--dmi-bad'),
  };
}

/** How much of its colour an area shows at full opacity, so that streets stay to be seen. */
export const areaShare = 0.75;
export const font = ['Noto Sans Regular'];
/** The source and the layer of the names of areas. */
export const names = 'background-name';
/** For each anchor of a label how far it stands from its point. */
type Places = (string | [number, number])[];

export function baseStyle(palette: Palette, outside: string | null): StyleSpecification {
  const layers: LayerSpecification[] = [
    { id: 'ground', type: 'background', paint: { 'background-color': palette.ground } },
  ];
  if (outside) layers.push({ id: 'outside', type: 'raster', source: 'outside' });
  const shown = outside ? 'none' : 'visible';
  layers.push(
    {
      id: 'background-area', type: 'fill', source: 'background', layout: { visibility: shown },
      filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': palette.area },
    },
    {
      id: 'background-border', type: 'line', source: 'background', layout: { visibility: shown },
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'line-color': palette.line, 'line-width': 1, 'line-opacity': 0.6 },
    },
    {
      id: 'background-line', type: 'line', source: 'background', layout: { visibility: shown, 'line-cap': 'round' },
      filter: ['==', ['geometry-type'], 'LineString'],
      paint: { 'line-color': palette.halo, 'line-width': ['interpolate', ['linear'], ['zoom'], 11, 2, 15, 6] },
    },
    {
      id: 'background-line-edge', type: 'line', source: 'background', layout: { visibility: shown },
      filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': palette.line, 'line-width': 1 },
    },
    {
      id: 'background-stop', type: 'circle', source: 'background', minzoom: 13, layout: { visibility: shown },
      filter: ['==', ['geometry-type'], 'Point'],
      paint: { 'circle-radius': 3, 'circle-color': palette.halo, 'circle-stroke-color': palette.line, 'circle-stroke-width': 1 },
    },
    nameLayer(palette),
  );
  return {
    version: 8,
    sources: {
      [names]: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
      background: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
      ...(outside
        ? { outside: { type: 'raster' as const, tiles: [outside], tileSize: 256, attribution: 'Kaart: PDOK, BRT (CC BY 4.0)' } }
        : {}),
    },
    layers,
  };
}

/**
 * Where a label goes when a mark stands in its middle, the nearest place first; in letters' heights. No further than this:
 * what stands on the next area would be read as that one's.
 */
const aside: Places = [
  'center', [0, 0], 'top', [0, 0.2], 'bottom', [0, -0.2], 'left', [-1.5, 0], 'right', [1.5, 0],
  'top', [0, 1.4], 'bottom', [0, -1.4], 'top-left', [-1.5, 0.2], 'top-right', [1.5, 0.2], 'bottom-left', [-1.5, -0.2], 'bottom-right', [1.5, -0.2],
  'top', [0, 2.3], 'bottom', [0, -2.3], 'top-left', [-1.5, 1.4], 'top-right', [1.5, 1.4], 'bottom-left', [-1.5, -1.4], 'bottom-right', [1.5, -1.4],
  'top-left', [-1.5, 2.3], 'top-right', [1.5, 2.3], 'bottom-left', [-1.5, -2.3], 'bottom-right', [1.5, -2.3],
];
/** Around a mark, just outside of it. */
const around: Places = ['top', [0, 1.7], 'bottom', [0, -1.7], 'left', [1.8, 0], 'right', [-1.8, 0]];
/** Images of marks have room around them for their rims; labels need not stay clear of that room. */
const rim = 6;

/** Names of areas; letters are drawn by the browser, so no font is fetched. */
function nameLayer(palette: Palette): LayerSpecification {
  return {
    id: names, type: 'symbol', source: names, minzoom: 11,
    layout: { 'text-field': ['get', 'name'], 'text-font': font, 'text-size': 12, 'text-max-width': 8, 'text-variable-anchor-offset': aside },
    paint: { 'text-color': palette.text, 'text-halo-color': palette.halo, 'text-halo-width': 1.5 },
  };
}

/** The number of an area under its name, in one label, so that the two stay together. */
export function valueLayer(id: string, palette: Palette): LayerSpecification {
  return {
    id: `${id}/value`, type: 'symbol', source: `${id}/values`, minzoom: 11,
    layout: {
      'text-field': ['case', ['has', '_name'], ['format', ['get', '_name'], {}, '\n', {}, ['get', '_text'], { 'font-scale': 0.92 }], ['get', '_text']],
      'text-font': font, 'text-size': 12, 'text-max-width': 8, 'text-variable-anchor-offset': aside,
    },
    paint: { 'text-color': palette.text, 'text-halo-color': palette.halo, 'text-halo-width': 1.5 },
  };
}

/**
 * The order of the map's layers, the lowest first. Marks never give way, and MapLibre gives room from the top down: so
 * labels stand right over the highest fill, under the marks that they stay clear of. Of the labels, names come first.
 */
export function inDrawingOrder(layers: { ids: string[]; filled: boolean }[]): string[] {
  const isLabel = (id: string) => /\/(label|value)$/.test(id);
  const upwards = [...layers].reverse();
  const fills = upwards.findLastIndex((layer) => layer.filled) + 1;
  const marks = (some: typeof layers) => some.flatMap(({ ids }) => ids.filter((id) => !isLabel(id)));
  return [...marks(upwards.slice(0, fills)), ...upwards.flatMap(({ ids }) => ids.filter(isLabel)), names, ...marks(upwards.slice(fills))];
}

export function pointLayers(id: string, palette: Palette, opacity: number, shape: Shape): LayerSpecification[] {
  const alone: ExpressionSpecification = ['!', ['has', 'point_count']];
  const size = (base: number): ExpressionSpecification => ['step', ['get', 'point_count'], base, 20, base * 1.15, 100, base * 1.4];
  return [
    // Two rings and a times sign tell a number of points from a value.
    {
      id: `${id}/ring`, type: 'symbol', source: id, filter: ['has', 'point_count'],
      layout: { 'icon-image': shape, 'icon-size': size(1.5), 'icon-allow-overlap': true, 'icon-padding': -2 * rim },
      paint: { 'icon-color': palette.halo, 'icon-halo-color': palette.text, 'icon-halo-width': 1.5, 'icon-opacity': opacity },
    },
    {
      id: `${id}/cluster`, type: 'symbol', source: id, filter: ['has', 'point_count'],
      layout: {
        'icon-image': shape, 'icon-size': size(1.15), 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'text-field': ['concat', ['get', 'point_count_abbreviated'], '×'], 'text-font': font, 'text-size': 12, 'text-allow-overlap': true, 'text-ignore-placement': true,
      },
      paint: {
        'icon-color': palette.halo, 'icon-halo-color': palette.text, 'icon-halo-width': 2, 'icon-opacity': opacity,
        'text-color': palette.text, 'text-opacity': opacity,
      },
    },
    {
      id: `${id}/point`, type: 'symbol', source: id, filter: alone,
      layout: {
        'icon-image': shape, 'icon-allow-overlap': true, 'icon-padding': -rim,
        'text-field': ['get', '_text'], 'text-font': font, 'text-size': 11, 'text-allow-overlap': true, 'text-ignore-placement': true,
      },
      paint: {
        'icon-color': ['get', '_colour'], 'icon-halo-color': palette.text, 'icon-halo-width': 1.5, 'icon-opacity': opacity,
        'text-color': ['get', '_ink'], 'text-opacity': opacity,
      },
    },
    {
      id: `${id}/flag`, type: 'symbol', source: id, filter: ['all', alone, ['==', ['get', '_flagged'], true]],
      layout: {
        'icon-image': 'diamond', 'icon-size': 0.45, 'icon-offset': [29, -29], 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'text-field': '!', 'text-font': font, 'text-size': 12, 'text-offset': [1.08, -1.08], 'text-allow-overlap': true, 'text-ignore-placement': true,
      },
      paint: { 'icon-color': palette.bad, 'icon-halo-color': palette.halo, 'icon-halo-width': 1, 'text-color': palette.halo },
    },
    {
      id: `${id}/label`, type: 'symbol', source: id, filter: alone, minzoom: 13,
      layout: {
        'text-field': ['get', '_label'], 'text-font': font, 'text-size': 12,
        'text-variable-anchor-offset': around, 'text-max-width': 10,
      },
      paint: { 'text-color': palette.text, 'text-halo-color': palette.halo, 'text-halo-width': 1.5, 'text-opacity': opacity },
    },
  ];
}

export function areaLayers(id: string, palette: Palette, opacity: number, fill: ExpressionSpecification | string, sourceLayer?: string): LayerSpecification[] {
  const from = sourceLayer ? { source: id, 'source-layer': sourceLayer } : { source: id };
  return [
    { id: `${id}/area`, type: 'fill', ...from, paint: { 'fill-color': fill, 'fill-opacity': opacity * areaShare } },
    { id: `${id}/border`, type: 'line', ...from, paint: { 'line-color': palette.text, 'line-width': 1, 'line-opacity': opacity * 0.6 } },
  ];
}

/**
 * Areas that lie over each other: told apart by their borders and names, with so little fill that many still let the map
 * through. Features with `_second` have the other colour and a broken border; points among them carry `_label`.
 */
export function outlineLayers(id: string, palette: Palette): LayerSpecification[] {
  const colour: ExpressionSpecification = ['case', ['==', ['get', '_second'], true], palette.second, palette.accent];
  const polygon: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon'];
  const second = (is: boolean): ExpressionSpecification => ['all', polygon, [is ? '==' : '!=', ['get', '_second'], true]];
  return [
    { id: `${id}/area`, type: 'fill', source: id, filter: polygon, paint: { 'fill-color': colour, 'fill-opacity': 0.1 } },
    // Light under dark, so that a border is seen on every ground and beside every other one.
    { id: `${id}/halo`, type: 'line', source: id, filter: polygon, layout: { 'line-join': 'round' }, paint: { 'line-color': palette.halo, 'line-width': 6 } },
    { id: `${id}/border`, type: 'line', source: id, filter: second(false), layout: { 'line-join': 'round' }, paint: { 'line-color': palette.accent, 'line-width': 3 } },
    { id: `${id}/broken`, type: 'line', source: id, filter: second(true), paint: { 'line-color': palette.second, 'line-width': 3, 'line-dasharray': [2, 1.5] } },
    {
      id: `${id}/label`, type: 'symbol', source: id, filter: ['==', ['geometry-type'], 'Point'],
      layout: {
        'text-field': ['get', '_label'], 'text-font': font, 'text-size': 14, 'text-max-width': 16, 'text-justify': 'left',
        // Over the border, or else just within it.
        'text-variable-anchor-offset': ['bottom-left', [0, -0.35], 'top-left', [0.5, 0.5]],
      },
      paint: { 'text-color': colour, 'text-halo-color': palette.halo, 'text-halo-width': 2 },
    },
  ];
}

/** The ramp as a MapLibre expression on one property of a vector tile. */
export function tileFill(ramp: Ramp, property: string): ExpressionSpecification {
  const steps = ramp.breaks.flatMap((bound, index) => [bound, sequential[index + 1] ?? missingColour]);
  return [
    'case',
    ['==', ['typeof', ['get', property]], 'number'],
    steps.length > 0 ? ['step', ['get', property], sequential[0], ...steps] : sequential[2],
    missingColour,
  ] as unknown as ExpressionSpecification;
}
