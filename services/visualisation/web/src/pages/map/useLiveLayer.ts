/** The features of one layer: kept up to date by its stream of events, or as they were at a moment. */
import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import type { Point } from 'geojson';
import type { Layer, LayerFeature, LayerFeatures, ObservationProperties } from '../../api';
import { asApiError, type ApiError } from '../../api/problem';
import type { StreamState } from '../../api/stream';
import { useApi } from '../../app/session';
import { useResource, type Resource } from '../../app/useResource';

export interface LiveLayer {
  features: LayerFeatures | null;
  /** Sensors of people that may be shown no more, at whatever moment. */
  gone: ReadonlySet<string>;
  resource: Resource<LayerFeatures>;
  stream: StreamState | null;
  ended: ApiError | null;
}

function placeOf({ lon, lat }: ObservationProperties): Point | null {
  return typeof lon === 'number' && typeof lat === 'number' ? { type: 'Point', coordinates: [lon, lat] } : null;
}

type Sent = ObservationProperties | LayerFeature;

/** The values of one event, whether they were sent as bare properties or as GeoJSON features. */
export function valuesOf(data: string): ObservationProperties[] {
  const parsed = JSON.parse(data) as Sent | Sent[];
  return (Array.isArray(parsed) ? parsed : [parsed]).map((one) => {
    if (!isFeature(one)) return one;
    if (one.geometry?.type !== 'Point') return one.properties;
    const [lon, lat] = one.geometry.coordinates;
    return { ...one.properties, lon, lat };
  });
}

function isFeature(sent: Sent): sent is LayerFeature {
  return sent['type'] === 'Feature' && 'properties' in sent;
}

/** Puts newer values over the features; a feature that is not known yet is added when it has a place. */
export function merge(features: LayerFeatures, updates: Map<string, ObservationProperties>): LayerFeatures {
  if (updates.size === 0) return features;
  const left = new Map(updates);
  const merged = features.features.map((feature) => {
    const update = left.get(feature.properties.id);
    if (!update) return feature;
    left.delete(feature.properties.id);
    return {
      ...feature,
      geometry: placeOf(update) ?? feature.geometry,
      properties: { ...feature.properties, ...update },
    };
  });
  for (const update of left.values()) {
    const geometry = placeOf(update);
    if (geometry) merged.push({ type: 'Feature', geometry, properties: update });
  }
  return { ...features, features: merged };
}

/** The features but those of these sensors. */
export function without(features: LayerFeatures, gone: ReadonlySet<string>): LayerFeatures {
  if (gone.size === 0) return features;
  return { ...features, features: features.features.filter((feature) => !gone.has(feature.properties.id)) };
}

const nobody: ReadonlySet<string> = new Set();
/** How long a stream that does not begin may keep its layer from being drawn (milliseconds). */
const patience = 2_000;

export interface PastLayer {
  features: LayerFeatures | null;
  error: ApiError | null;
  loading: boolean;
}

/** The features at a moment (milliseconds); those of the moment before stay until the new ones are there. */
export function usePastLayer(layer: Layer, on: boolean, at: number | null, gone: ReadonlySet<string>): PastLayer {
  const api = useApi();
  const [state, setState] = useState<{ at: number | null; features: LayerFeatures | null; error: ApiError | null }>({ at: null, features: null, error: null });
  // Areas do not change from hour to hour; they are shown as they are.
  const wanted = on && !layer.refused && layer.kind !== 'areas' ? at : null;
  useEffect(() => {
    if (wanted === null) return;
    const control = new AbortController();
    api.visualisation.features(layer.id, control.signal, new Date(wanted).toISOString()).then(
      (features) => {
        if (!control.signal.aborted) setState({ at: wanted, features, error: null });
      },
      (reason: unknown) => {
        if (!control.signal.aborted) setState({ at: wanted, features: null, error: asApiError(reason) });
      },
    );
    return () => control.abort();
  }, [api, layer.id, wanted]);
  const features = useMemo(() => (state.features ? without(state.features, gone) : null), [state.features, gone]);
  if (wanted === null) return { features: null, error: null, loading: false };
  return { features, error: state.error, loading: state.at !== wanted };
}

export function useLiveLayer(layer: Layer, on: boolean, onUpdate: (count: number) => void, onEnded: () => void): LiveLayer {
  const api = useApi();
  const active = on && !layer.refused;
  const follows = active && layer.kind !== 'areas';
  const [updates, setUpdates] = useState(new Map<string, ObservationProperties>());
  const [gone, setGone] = useState(nobody);
  const [stream, setStream] = useState<StreamState | null>(null);
  const [ended, setEnded] = useState<ApiError | null>(null);
  const [late, setLate] = useState(false);
  const [turn, setTurn] = useState(1);
  // The stream first: a consent that ended between the two would else stay on the map, since nothing told of it.
  const ready = !follows || stream !== null || late;
  const resource = useResource(active && ready ? `${layer.id} ${turn}` : null, (signal) => api.visualisation.features(layer.id, signal));
  const told = useEffectEvent(onUpdate);
  const stopped = useEffectEvent(onEnded);

  useEffect(() => {
    if (!follows) return;
    let waiting = new Map<string, ObservationProperties>();
    let unheard = false;
    /** What was fetched and told is of before: who has gone since stands in it, and no stream tells it. */
    const anew = () => {
      waiting = new Map();
      setUpdates(new Map());
      setGone(nobody);
      setTurn((known) => known + 1);
    };
    const timer = setTimeout(() => {
      unheard = true;
      setLate(true);
    }, patience);
    const paint = setInterval(() => {
      if (waiting.size === 0) return;
      const batch = waiting;
      waiting = new Map();
      setUpdates((old) => new Map([...old, ...batch]));
      // Who consents again is seen again.
      setGone((old) => (old.size === 0 ? old : new Set([...old].filter((id) => !batch.has(id)))));
      told(batch.size);
    }, 1_000);
    const close = api.streams.subscribe(layer.id, {
      values: (features) => {
        for (const one of valuesOf(features)) waiting.set(one.id, one);
      },
      gone: (datastreams) => {
        for (const id of datastreams) waiting.delete(id);
        setGone((old) => new Set([...old, ...datastreams]));
      },
      state: (state, error) => {
        clearTimeout(timer);
        setStream(state);
        if (state === 'reconnecting') unheard = true;
        if (state === 'live' && unheard) {
          unheard = false;
          anew();
        }
        if (state === 'ended') {
          setEnded(error);
          stopped();
        }
      },
    });
    return () => {
      clearTimeout(timer);
      clearInterval(paint);
      close();
      setStream(null);
      setLate(false);
      anew();
    };
  }, [follows, api, layer.id]);

  const refused = ended !== null || resource.error?.kind === 'refused';
  const { data } = resource;
  const features = useMemo(() => (refused || !data ? null : without(merge(data, updates), gone)), [refused, data, updates, gone]);
  return { features, gone, resource, stream, ended };
}
