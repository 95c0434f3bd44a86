/** Keeps one layer's data alive and tells the page what to draw of it, now or at a moment. */
import { useEffect, useMemo } from 'react';
import type { Layer, LayerFeatures } from '../../api';
import type { ApiError } from '../../api/problem';
import { useApi } from '../../app/session';
import { useI18n, type I18n } from '../../i18n';
import type { Shape } from '../../map/shapes';
import type { DrawnLayer } from '../../map/sync';
import { annotate, annotateAreas, propertiesOf, type Annotated } from './annotate';
import { filtered, type Filters } from './filters';
import { LayerItem, type LayerItemProps } from './LayerItem';
import { useLiveLayer, usePastLayer } from './useLiveLayer';

export interface LayerReport {
  drawn: DrawnLayer | null;
  /** The same layer for the left side of a comparison. */
  compared: DrawnLayer | null;
  /** What is shown, after the filters. */
  features: LayerFeatures | null;
  /** All there is at the shown moment, before the filters. */
  all: LayerFeatures | null;
  loading: boolean;
  /** Why what should be shown could not be fetched. */
  error: ApiError | null;
}

/** How a person wants to see a layer; kept while it is refused and comes back. */
export interface Look {
  opacity: number;
  property: string | null;
}

type Passed = Pick<LayerItemProps, 'layer' | 'on' | 'first' | 'last' | 'onTurn' | 'onMove' | 'onTable' | 'onRetry'>;
interface Props extends Passed {
  layer: Layer;
  shape: Shape;
  look: Look;
  onLook: (look: Look) => void;
  /** Milliseconds; null is live. */
  at: number | null;
  /** The moment on the left side of a comparison; undefined when it does not show this layer. */
  leftAt: number | null | undefined;
  filters: Filters;
  now: Date;
  report: (id: string, report: LayerReport) => void;
  onUpdate: (count: number) => void;
  onEnded: () => void;
}

export function LayerHost({ layer, on, shape, look, onLook, at, leftAt, filters, now, report, onUpdate, onEnded, ...rest }: Props) {
  const i18n = useI18n();
  const api = useApi();
  const live = useLiveLayer(layer, on, onUpdate, onEnded);
  const stopped = live.features === null && live.ended !== null;
  const past = usePastLayer(layer, on && !stopped, at, live.gone);
  const other = usePastLayer(layer, on && !stopped, leftAt ?? null, live.gone);
  const inPast = at !== null && layer.kind !== 'areas';
  const all = stopped ? null : inPast ? past.features : live.features;
  // What counts as late changes with the clock only when the filters ask for it.
  const lateness = filters.age === null ? null : (at ?? now.getTime());
  const features = useMemo(() => (all ? filtered(all, filters, new Date(lateness ?? 0)) : null), [all, filters, lateness]);
  const onLeft = leftAt === undefined || stopped ? null : leftAt === null || layer.kind === 'areas' ? live.features : other.features;
  const leftLateness = filters.age === null ? null : (leftAt ?? now.getTime());
  const before = useMemo(() => (onLeft ? filtered(onLeft, filters, new Date(leftLateness ?? 0)) : null), [onLeft, filters, leftLateness]);
  const properties = useMemo(() => (features ? propertiesOf(features) : []), [features]);
  const property = look.property !== null && properties.includes(look.property) ? look.property : (properties[0] ?? '');
  const annotated = useMemo(() => annotatedOf(layer, features, property, i18n), [layer, features, property, i18n]);
  const annotatedBefore = useMemo(() => annotatedOf(layer, before, property, i18n), [layer, before, property, i18n]);
  const { opacity } = look;
  const url = useMemo(() => new URL(api.visualisation.tiles(layer.id), location.origin).href.replaceAll('%7B', '{').replaceAll('%7D', '}'), [api, layer.id]);
  const drawn = useMemo(() => (on && annotated ? draw(layer, annotated, shape, opacity, url) : null), [on, annotated, layer, shape, opacity, url]);
  const compared = useMemo(
    () => (on && annotatedBefore ? draw(layer, annotatedBefore, shape, opacity, url) : null),
    [on, annotatedBefore, layer, shape, opacity, url],
  );
  const loading = past.loading || other.loading;
  const error = (inPast ? past.error : null) ?? live.ended ?? live.resource.error ?? other.error;

  useEffect(
    () => report(layer.id, { drawn, compared, features: on ? features : null, all: on ? all : null, loading, error: on ? error : null }),
    [report, layer.id, drawn, compared, features, all, on, loading, error],
  );

  return (
    <LayerItem
      {...rest} layer={layer} on={on} live={live} error={inPast ? past.error : live.resource.error} at={inPast ? at : null} shape={shape}
      annotated={annotated} shown={features} total={all} properties={properties} property={property}
      opacity={opacity} onOpacity={(next) => onLook({ ...look, opacity: next })} onProperty={(next) => onLook({ ...look, property: next })}
    />
  );
}

function annotatedOf(layer: Layer, features: LayerFeatures | null, property: string, i18n: I18n): Annotated | null {
  if (!features) return null;
  return layer.kind === 'areas' ? annotateAreas(features, property, i18n) : annotate(features, property, i18n);
}

function draw(layer: Layer, { data, ramp, property }: Annotated, shape: Shape, opacity: number, url: string): DrawnLayer {
  if (layer.kind === 'areas') return { id: layer.id, opacity, content: { kind: 'tiles', url, ramp, property, values: data } };
  return { id: layer.id, opacity, content: { kind: 'points', data, shape } };
}
