/** Health of each service, asked without a token and read whether it is ready or not. */
import { toError } from './problem';
import type { Health } from './types';

export const services = ['exchange', 'ingest', 'platform', 'visualisation', 'support-centre'] as const;
export type ServiceName = (typeof services)[number];

export interface ServiceHealth {
  service: ServiceName;
  state: 'ready' | 'notReady' | 'unreachable';
  milliseconds: number;
  health: Health | null;
}

export async function healthOf(service: ServiceName, signal?: AbortSignal): Promise<ServiceHealth> {
  const started = performance.now();
  try {
    const response = await fetch(`/${service}/health/ready`, { signal: signal ?? null });
    const health = (await response.json().catch(() => null)) as Health | null;
    const milliseconds = performance.now() - started;
    return { service, state: response.ok ? 'ready' : 'notReady', milliseconds, health };
  } catch (reason) {
    if (signal?.aborted) throw reason;
    return { service, state: 'unreachable', milliseconds: performance.now() - started, health: null };
  }
}

/** How many messages a service has not read yet, by topic. */
export interface Lag {
  service: ServiceName;
  topic: string;
  messages: number;
}

/** Reads the lag out of a service's metrics (Prometheus text). */
export function lagIn(service: ServiceName, text: string): Lag[] {
  const found = text.matchAll(/^dmi_\w+_lag\{topic="([^"]+)"\} (\S+)$/gm);
  return [...found].map(([, topic = '', value = '']) => ({ service, topic, messages: Number(value) }));
}

/** The lag of all services together; where one does not tell, there is no such figure. */
export async function lags(signal?: AbortSignal): Promise<Lag[]> {
  const all = await Promise.all(services.map(async (service) => {
    const response = await fetch(`/${service}/metrics`, { signal: signal ?? null });
    if (!response.ok) throw await toError(response);
    return lagIn(service, await response.text());
  }));
  return all.flat();
}
