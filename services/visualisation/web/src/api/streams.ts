/**
 * Live values of all layers over one connection. Browsers open six connections to an address at most, over all tabs:
 * with a stream for each layer nothing else would get through.
 */
import type { HttpClient } from './http';
import { ApiError } from './problem';
import { follow, type ServerEvent, type StreamState } from './stream';

const base = '/visualisation/v1/events';
/** Layers that are switched on together are asked for together (milliseconds). */
const gather = 50;

export interface LayerHandlers {
  /** The features of one event, as JSON. */
  values: (features: string) => void;
  /** Sensors of people that may be shown no more: a consent ended, or all was erased. */
  gone: (datastreams: string[]) => void;
  state: (state: StreamState, error: ApiError | null) => void;
}

export class LayerStreams {
  private readonly readers = new Map<string, Set<LayerHandlers>>();
  private close: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly http: HttpClient) {}

  /** Follow one layer until the returned function is called, or it ends. */
  subscribe(layer: string, handlers: LayerHandlers): () => void {
    const known = this.readers.get(layer) ?? new Set();
    this.readers.set(layer, known.add(handlers));
    this.renew();
    return () => {
      if (!this.forget(layer, handlers)) return;
      this.renew();
    };
  }

  private forget(layer: string, handlers: LayerHandlers): boolean {
    const known = this.readers.get(layer);
    if (!known?.delete(handlers)) return false;
    if (known.size === 0) this.readers.delete(layer);
    return true;
  }

  private renew() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.open();
    }, gather);
  }

  private open() {
    const before = this.close;
    this.close = null;
    const layers = [...this.readers.keys()].sort();
    if (layers.length === 0) {
      before?.();
      return;
    }
    let replaced = before;
    const query = layers.map((layer) => `layer=${encodeURIComponent(layer)}`).join('&');
    this.close = follow(this.http, `${base}?${query}`, {
      event: (event) => this.hand(event),
      state: (state, error) => {
        // The old connection goes when the new one tells, so that nothing is missed in between.
        replaced?.();
        replaced = null;
        for (const layer of layers) for (const one of [...(this.readers.get(layer) ?? [])]) one.state(state, error);
      },
    }, undefined, () => false);
  }

  private hand({ event, data }: ServerEvent) {
    if (event !== 'observation' && event !== 'gone' && event !== 'ended') return;
    const { layer, features, datastreams, ...problem } = JSON.parse(data) as { layer: string; features?: unknown; datastreams?: string[] };
    for (const one of [...(this.readers.get(layer) ?? [])]) {
      if (event === 'observation') {
        one.values(JSON.stringify(features));
      } else if (event === 'gone') {
        one.gone(datastreams ?? []);
      } else {
        this.forget(layer, one);
        this.renew();
        one.state('ended', new ApiError('refused', 403, problem));
      }
    }
  }
}
