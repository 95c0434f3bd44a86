import { dealingsApi } from './dealings';
import { exchangeApi } from './exchange';
import { inspectionApi } from './inspection';
import { HttpClient, type Credentials } from './http';
import { ingestApi, platformApi, visualisationApi } from './layers';
import { LayerStreams } from './streams';
import { supportApi } from './support';

export function createApi(credentials: Credentials) {
  const http = new HttpClient(credentials);
  return {
    http,
    exchange: exchangeApi(http),
    dealings: dealingsApi(http),
    inspection: inspectionApi(http),
    ingest: ingestApi(http),
    platform: platformApi(http),
    visualisation: visualisationApi(http),
    streams: new LayerStreams(http),
    support: supportApi(http),
  };
}

export type Api = ReturnType<typeof createApi>;
export { ApiError } from './problem';
export type * from './places';
export type * from './myTypes';
export type * from './types';
