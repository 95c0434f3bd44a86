/** Keeps one layer's data alive and tells the page what to draw of it. */
import { useEffect, useMemo, useState } from 'react';
import type { Layer, LayerFeatures } from '../../api';
import { useApi } from '../../app/session';
import { useI18n } from '../../i18n';
import type { DrawnLayer } from '../../map/MapCanvas';
import { annotate, annotateAreas, propertiesOf } from './annotate';
import { LayerItem, type LayerItemProps } from './LayerItem';
import { useLiveLayer } from './useLiveLayer';

export interface LayerReport {
  drawn: DrawnLayer | null;
  features: LayerFeatures | null;
}

type Passed = Pick<LayerItemProps, 'layer' | 'on' | 'first' | 'last' | 'onTurn' | 'onMove' | 'onTable'>;
interface Props extends Passed {
  layer: Layer;
  report: (id: string, report: LayerReport) => void;
  onUpdate: (count: number) => void;
  onEnded: () => void;
}

export function LayerHost({ layer, on, report, onUpdate, onEnded, ...rest }: Props) {
  const i18n = useI18n();
  const api = useApi();
  const [opacity, setOpacity] = useState(layer.kind === 'areas' ? 0.5 : 1);
  const [wanted, setWanted] = useState<string | null>(null);
  const live = useLiveLayer(layer, on, onUpdate, onEnded);
  const { features } = live;
  const properties = useMemo(() => (features ? propertiesOf(features) : []), [features]);
  const property = wanted ?? properties[0] ?? '';
  const annotated = useMemo(() => (features ? (layer.kind === 'areas' ? annotateAreas(features, property) : annotate(features, property, i18n)) : null), [features, property, i18n, layer.kind]);

  const drawn = useMemo<DrawnLayer | null>(() => {
    if (!on || !annotated) return null;
    if (layer.kind === 'areas') {
      const url = new URL(api.visualisation.tiles(layer.id), location.origin).href.replaceAll('%7B', '{').replaceAll('%7D', '}');
      return { id: layer.id, opacity, content: { kind: 'tiles', url, ramp: annotated.ramp, property: annotated.property } };
    }
    return { id: layer.id, opacity, content: { kind: 'points', data: annotated.data } };
  }, [on, annotated, layer, opacity, api]);

  useEffect(() => report(layer.id, { drawn, features: on ? features : null }), [report, layer.id, drawn, features, on]);

  return (
    <LayerItem
      {...rest} layer={layer} on={on} live={live} annotated={annotated} properties={properties} property={property}
      opacity={opacity} onOpacity={setOpacity} onProperty={setWanted}
    />
  );
}
