/** Server-sent events over fetch, since EventSource cannot send a bearer token. */
import type { HttpClient } from './http';
import { ApiError, asApiError } from './problem';

export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/** Cuts a growing text into events; `feed` gives the events that are complete. */
export class EventParser {
  private rest = '';
  /** The id that was told last, also by a block without data: behind it a later stream goes on. */
  last = '';

  feed(chunk: string): ServerEvent[] {
    this.rest = (this.rest + chunk).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
    const blocks = this.rest.split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      const parsed = parseBlock(block);
      if (parsed.id !== '') this.last = parsed.id;
      return parsed.data !== '' ? [parsed] : [];
    });
  }
}

function parseBlock(block: string): ServerEvent {
  const data: string[] = [];
  let event = 'message';
  let id = '';
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) continue;
    const at = line.indexOf(':');
    const field = at === -1 ? line : line.slice(0, at);
    const value = at === -1 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }
  return { event, data: data.join('\n'), id };
}

export type StreamState = 'live' | 'reconnecting' | 'ended';

export interface StreamHandlers {
  event: (event: ServerEvent) => void;
  state: (state: StreamState, error: ApiError | null) => void;
}

/**
 * Follows one stream until it is closed, ended by the service, or refused. Reconnects after 1, 2, 4 … 30 s, and at once
 * where only the token has expired, each time behind the last event that came.
 */
export function follow(
  client: HttpClient,
  path: string,
  handlers: StreamHandlers,
  purpose?: string,
  ends: (event: ServerEvent) => boolean = ({ event }) => event === 'ended',
): () => void {
  const control = new AbortController();
  let wait = 1_000;
  const place = { after: '' };
  const closed = () => control.signal.aborted;
  const run = async (): Promise<void> => {
    while (!closed()) {
      try {
        const end = await readOnce(client, path, handlers, control.signal, purpose, ends, place, () => (wait = 1_000));
        if (end === 'ended') return;
        if (end === 'expired') continue;
        if (!closed()) handlers.state('reconnecting', null);
      } catch (reason) {
        if (closed()) return;
        const error = asApiError(reason);
        if (error.kind === 'refused' || error.kind === 'missing' || error.kind === 'signedOut') {
          handlers.state('ended', error);
          return;
        }
        handlers.state('reconnecting', error);
      }
      await pause(wait, control.signal);
      wait = Math.min(wait * 2, 30_000);
    }
  };
  void run();
  return () => control.abort();
}

async function readOnce(
  client: HttpClient,
  path: string,
  handlers: StreamHandlers,
  signal: AbortSignal,
  purpose: string | undefined,
  ends: (event: ServerEvent) => boolean,
  place: { after: string },
  opened: () => void,
): Promise<'ended' | 'expired' | 'broken'> {
  const response = await client.raw(path, { signal, purpose, after: place.after });
  if (!response.body) return 'broken';
  handlers.state('live', null);
  opened();
  const parser = new EventParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return 'broken';
    const events = parser.feed(value);
    place.after = parser.last || place.after;
    for (const event of events) {
      // The service has told all that it knows under this token; the next call gets a fresh one.
      if (event.event === 'expired') return 'expired';
      handlers.event(event);
      if (ends(event)) {
        handlers.state('ended', problemOf(event.data));
        return 'ended';
      }
    }
  }
}

function problemOf(data: string): ApiError {
  try {
    return new ApiError('refused', 403, JSON.parse(data) as ApiError['problem']);
  } catch {
    return new ApiError('refused', 403, { detail: data });
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
