/** One door for every call: the bearer token, the purpose, JSON in and out, problems as errors. */
import { ApiError, offline, toError } from './problem';
import type { Page } from './types';

export interface Credentials {
  /** The current access token, or null for a public call. */
  token: () => Promise<string | null>;
  /** Gets a fresh token after a 401; null when that is not possible. */
  renew: () => Promise<string | null>;
  /** The purpose of the header; empty: the one that each dataset is collected for. */
  purpose: () => string;
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  query?: Record<string, string | number | boolean | string[] | null | undefined>;
  signal?: AbortSignal;
  purpose?: string;
  public?: boolean;
  /** The id of the last event of a stream, behind which it goes on. */
  after?: string;
  /** The version that a change is about; the service refuses it with 412 when another one holds. */
  version?: number;
}

export class HttpClient {
  constructor(
    private readonly credentials: Credentials,
    private readonly send: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** The headers of a call that something else sends, such as the map for its tiles. */
  async headers(purpose?: string): Promise<Record<string, string>> {
    const token = await this.credentials.token();
    const named = purpose ?? this.credentials.purpose();
    return {
      ...(named === '' ? {} : { 'DMI-Purpose': named }),
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    };
  }

  /** Sends a call and gives the answer as it is; errors are ``ApiError``. */
  async raw(path: string, options: CallOptions = {}): Promise<Response> {
    const token = options.public ? null : await this.credentials.token();
    let response = await this.attempt(path, options, token);
    if (response.status === 401 && !options.public) {
      const fresh = await this.credentials.renew();
      if (fresh !== null && fresh !== token) response = await this.attempt(path, options, fresh);
    }
    if (!response.ok) throw await toError(response);
    return response;
  }

  async json<T>(path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.raw(path, options);
    if (response.status === 204) return undefined as T;
    const type = response.headers.get('content-type') ?? '';
    if (!type.includes('json')) throw new ApiError('server', response.status, { detail: `unexpected ${type}` });
    return (await response.json()) as T;
  }

  /** A list, whether the service answers with a page or with a bare array. */
  async list<T>(path: string, options: CallOptions = {}): Promise<T[]> {
    const answer = await this.json<Page<T> | T[]>(path, options);
    return Array.isArray(answer) ? answer : answer.items;
  }

  /** A whole list, page by page. */
  async every<T>(path: string, options: CallOptions = {}): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const part: Page<T> = await this.page<T>(path, { ...options, query: { ...options.query, cursor } });
      found.push(...part.items);
      cursor = part.next;
    }
    return found;
  }

  async page<T>(path: string, options: CallOptions = {}): Promise<Page<T>> {
    const answer = await this.json<Page<T> | T[]>(path, options);
    return Array.isArray(answer) ? { items: answer, next: null } : answer;
  }

  private async attempt(path: string, options: CallOptions, token: string | null): Promise<Response> {
    const headers = new Headers({ Accept: 'application/json, application/problem+json' });
    // What was refused is told in the language of the page, whatever that of the browser is.
    const language = typeof document === 'undefined' ? '' : document.documentElement.lang;
    if (language !== '') headers.set('Accept-Language', language);
    if (token !== null) headers.set('Authorization', `Bearer ${token}`);
    const purpose = options.public ? '' : (options.purpose ?? this.credentials.purpose());
    if (purpose !== '') headers.set('DMI-Purpose', purpose);
    if (options.after) headers.set('Last-Event-ID', options.after);
    if (options.version !== undefined) headers.set('If-Match', `"${options.version}"`);
    let body: BodyInit | null = null;
    if (options.body instanceof FormData) body = options.body;
    else if (options.body !== undefined) {
      headers.set('Content-Type', 'application/json');
      body = JSON.stringify(options.body);
    }
    try {
      return await this.send(withQuery(path, options.query), {
        method: options.method ?? 'GET',
        headers,
        body,
        signal: options.signal ?? null,
      });
    } catch (reason) {
      if (options.signal?.aborted) throw reason;
      throw offline();
    }
  }
}

/** Adds a query; a list repeats its key, an empty value is left out. */
export function withQuery(path: string, query: CallOptions['query']): string {
  if (!query) return path;
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) parts.append(key, one);
    else if (value !== null && value !== undefined && value !== '') parts.append(key, String(value));
  }
  const text = parts.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** An id as one segment of a path. Colons stay readable, slashes do not slip through. */
export function segment(id: string): string {
  return encodeURIComponent(id).replaceAll('%3A', ':');
}
