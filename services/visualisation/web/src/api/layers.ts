/** Ingest, platform and visualisation: how data comes in, is kept, and is shown. */
import type { FeatureCollection } from 'geojson';
import { segment, type HttpClient } from './http';
import type { FoundPlace } from './places';
import type * as T from './types';

export function ingestApi(http: HttpClient) {
  return {
    kinds: (signal?: AbortSignal) => http.list<T.ImportKind>('/ingest/v1/kinds', { signal }),
    importFiles: (kind: string, dataset: string, files: File[]) => {
      const form = new FormData();
      for (const file of files) form.append('file', file, file.name);
      return http.json<T.ImportReport>('/ingest/v1/imports', { method: 'POST', body: form, query: { kind, dataset } });
    },
    report: (id: string, signal?: AbortSignal) =>
      http.json<T.ImportReport>(`/ingest/v1/imports/${segment(id)}`, { signal }),
    rejects: (id: string, signal?: AbortSignal) =>
      http.list<T.RejectedRow>(`/ingest/v1/imports/${segment(id)}/rejects`, { query: { limit: 20 }, signal }),
    replay: (id: string, rows: { id: string | number; raw: Record<string, unknown> | string }[]) =>
      http.json<unknown>(`/ingest/v1/imports/${segment(id)}/replay`, { method: 'POST', body: { rows } }),
    create: (entity: string, body: Record<string, unknown>) =>
      http.json<Record<string, unknown>>(`/ingest/v1.1/${entity}`, { method: 'POST', body }),
  };
}

export function platformApi(http: HttpClient) {
  return {
    /** `whose` here and below: a person that one represents. */
    datastreams: (dataset: string, signal?: AbortSignal, whose = '') =>
      http.list<T.Datastream>('/platform/v1/datastreams', { query: { dataset, limit: 200, for: whose }, signal }),
    /** A few values, also for who may not read the dataset but may have a sample. */
    sample: (dataset: string, signal?: AbortSignal) =>
      http.list<T.Latest>(`/platform/v1/datasets/${segment(dataset)}/sample`, { signal }),
    latest: (dataset: string, signal?: AbortSignal, whose = '') =>
      http.list<T.Latest>('/platform/v1/latest', { query: { dataset, for: whose }, signal }),
    /** Values of one datastream since a moment, or up to another (not included), at most ten thousand. */
    observations: (datastream: string, from: Date, signal?: AbortSignal, whose = '', to?: Date) =>
      http.page<Omit<T.Latest, 'datastream'>>(`/platform/v1/datastreams/${segment(datastream)}/observations`, { query: { from: from.toISOString(), to: to?.toISOString(), limit: 10_000, for: whose }, signal }),
    /** What waits to be played again. */
    rejects: (signal?: AbortSignal) => http.list<T.Reject>('/platform/v1/rejects', { query: { pending: true, limit: 1000 }, signal }),
    replayReject: (id: string) =>
      http.json<unknown>(`/platform/v1/rejects/${segment(id)}/replay`, { method: 'POST', body: {} }),
    export: (dataset: string, format: string, whose = '') =>
      http.raw('/platform/v1/export', { query: { dataset, format, for: whose } }).then((answer) => answer.blob()),
  };
}

export function visualisationApi(http: HttpClient) {
  const base = '/visualisation/v1';
  return {
    layers: (signal?: AbortSignal) => http.json<T.LayerList>(`${base}/layers`, { signal }),
    /** The newest values, or with `at` (RFC 3339) the last ones before that quarter of an hour. */
    features: (id: string, signal?: AbortSignal, at?: string) =>
      http.json<T.LayerFeatures>(`${base}/layers/${segment(id)}/features`, { query: { at }, signal }),
    search: (text: string, signal?: AbortSignal) =>
      http.list<FoundPlace>(`${base}/search`, { query: { q: text, limit: 8 }, signal }),
    tiles: (id: string) => `${base}/layers/${segment(id)}/tiles/{z}/{x}/{y}`,
    history: (datastream: string, from: Date, to: Date, points: number, signal?: AbortSignal) =>
      http.json<T.History>(`${base}/datastreams/${segment(datastream)}/history`, {
        query: { from: from.toISOString(), to: to.toISOString(), points },
        signal,
      }),
    background: (signal?: AbortSignal) =>
      http.json<FeatureCollection>(`${base}/background`, { signal }),
  };
}
