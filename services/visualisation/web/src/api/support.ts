/** The support centre: forecasts, scenarios and measures. */
import type { FeatureCollection } from 'geojson';
import { segment, type HttpClient } from './http';
import type * as T from './types';

const base = '/support-centre/v1';

export function supportApi(http: HttpClient) {
  const scenario = (id: string) => `${base}/scenarios/${segment(id)}`;
  const measure = (id: string) => `${base}/measures/${segment(id)}`;
  return {
    forecasts: (place?: string, signal?: AbortSignal) =>
      http.list<T.Forecast>(`${base}/forecasts`, { query: { place }, signal }),
    scores: (signal?: AbortSignal) => http.list<T.ForecastScore>(`${base}/forecasts/scores`, { signal }),
    recompute: () => http.json<unknown>(`${base}/forecasts/recompute`, { method: 'POST', body: {} }),
    crowd: (signal?: AbortSignal) => http.list<T.Crowd>(`${base}/crowd`, { signal }),
    scenarios: (signal?: AbortSignal) => http.every<T.ScenarioSummary>(`${base}/scenarios`, { query: { limit: 100 }, signal }),
    newestScenarios: (limit: number, signal?: AbortSignal) =>
      http.list<T.ScenarioSummary>(`${base}/scenarios`, { query: { limit }, signal }),
    createScenario: (title: string) =>
      http.json<T.Scenario>(`${base}/scenarios`, { method: 'POST', body: { title } }),
    scenario: (id: string, signal?: AbortSignal) => http.json<T.Scenario>(scenario(id), { signal }),
    deleteScenario: (id: string) => http.json<undefined>(scenario(id), { method: 'DELETE' }),
    edit: (id: string, edit: T.ScenarioEdit) =>
      http.json<T.Scenario>(`${scenario(id)}/edits`, { method: 'POST', body: edit }),
    undo: (id: string) => http.json<T.Scenario>(`${scenario(id)}/undo`, { method: 'POST', body: {} }),
    branch: (id: string, title: string) =>
      http.json<T.Scenario>(`${scenario(id)}/branch`, { method: 'POST', body: { title } }),
    result: (id: string, version?: number, signal?: AbortSignal) =>
      http.json<T.ScenarioResult>(`${scenario(id)}/result`, { query: { version }, signal }),
    restore: (id: string, version: number) =>
      http.json<T.Scenario>(`${scenario(id)}/restore`, { method: 'POST', body: { version } }),
    renew: (id: string) => http.json<T.Scenario>(`${scenario(id)}/renew`, { method: 'POST', body: {} }),
    mergePlan: (id: string, other: string, signal?: AbortSignal) =>
      http.json<T.MergePlan>(`${scenario(id)}/merge`, { query: { with: other }, signal }),
    merge: (id: string, other: string, choices: Record<string, string>) =>
      http.json<T.Scenario>(`${scenario(id)}/merge`, { method: 'POST', body: { with: other, choices } }),
    exportResult: (id: string, format: 'csv' | 'geojson', version?: number) =>
      http.raw(`${scenario(id)}/export`, { query: { format, version } }).then((answer) => answer.blob()),
    coefficients: (signal?: AbortSignal) => http.list<T.Coefficient>(`${base}/coefficients`, { public: true, signal }),
    outlines: (id: string, version?: number, signal?: AbortSignal) =>
      http.json<FeatureCollection>(`${scenario(id)}/areas`, { query: { version }, signal }),
    recomputeScenario: (id: string) => http.json<unknown>(`${scenario(id)}/recompute`, { method: 'POST', body: {} }),
    areas: (signal?: AbortSignal) => http.json<FeatureCollection>(`${base}/scenarios/areas`, { signal }),
    rules: (signal?: AbortSignal) => http.list<T.Rule>(`${base}/rules`, { signal }),
    measures: (state?: string, signal?: AbortSignal) =>
      http.list<T.Measure>(`${base}/measures`, { query: { state }, signal }),
    approve: (id: string, until: string) =>
      http.json<T.Measure>(`${measure(id)}/approve`, { method: 'POST', body: { until } }),
    reject: (id: string) => http.json<T.Measure>(`${measure(id)}/reject`, { method: 'POST', body: {} }),
    rule: (rule: string, signal?: AbortSignal) => http.json<T.Rule>(`${base}/rules/${segment(rule)}`, { signal }),
    changeRule: (rule: string, version: number, settings: Record<string, unknown>) =>
      http.json<T.Rule>(`${base}/rules/${segment(rule)}`, { method: 'PATCH', body: settings, version }),
    letPublish: (rule: string, version: number, until: string) =>
      http.json<T.Rule>(`${base}/rules/${segment(rule)}/automatic`, { method: 'POST', body: { until }, version }),
    // Of any version: stopping must not fail because somebody else was quicker.
    stopPublishing: (rule: string) =>
      http.json<T.Rule>(`${base}/rules/${segment(rule)}/automatic`, { method: 'POST', body: { until: null } }),
    subscriptions: (signal?: AbortSignal) => http.list<T.Subscription>(`${base}/subscriptions`, { signal }),
    subscribe: (url: string) => http.json<T.Subscription>(`${base}/subscriptions`, { method: 'POST', body: { url } }),
    unsubscribe: (id: string) => http.json<undefined>(`${base}/subscriptions/${segment(id)}`, { method: 'DELETE' }),
    feed: (signal?: AbortSignal) => http.list<T.Measure>(`${base}/measures/feed`, { public: true, signal }),
  };
}
