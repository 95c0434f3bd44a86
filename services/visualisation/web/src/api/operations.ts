/** Health of each service, asked without a token and read whether it is ready or not. */
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
