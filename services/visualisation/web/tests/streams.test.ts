import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HttpClient } from '../src/api/http';
import { LayerStreams } from '../src/api/streams';

/** A connection of the fake: what was asked, a way to tell, and whether the browser hung up. */
interface Line {
  path: string;
  after: string | undefined;
  tell: (text: string) => void;
  closed: () => boolean;
}

function fake(): { http: HttpClient; lines: Line[] } {
  const lines: Line[] = [];
  const raw = (path: string, { signal, after }: { signal: AbortSignal; after?: string }) => {
    let control: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (given) => { control = given; } });
    lines.push({ path, after, tell: (text) => control.enqueue(new TextEncoder().encode(text)), closed: () => signal.aborted });
    return Promise.resolve(new Response(body));
  };
  return { http: { raw } as unknown as HttpClient, lines };
}

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const listener = () => ({ values: vi.fn(), gone: vi.fn(), state: vi.fn() });

/** Readers of the layers a and b, asked for together. */
function two() {
  const { http, lines } = fake();
  const streams = new LayerStreams(http);
  const [a, b] = [listener(), listener()];
  streams.subscribe('a', a);
  streams.subscribe('b', b);
  return { lines, a, b };
}

describe('live values of all layers over one connection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const settle = () => vi.advanceTimersByTimeAsync(100);

  it('asks once for layers that come on together and hands each its own', async () => {
    const { lines, a, b } = two();
    await settle();
    expect(lines.map((line) => line.path)).toEqual(['/visualisation/v1/events?layer=a&layer=b']);
    lines[0]?.tell(event('observation', { layer: 'b', features: [{ id: 1 }] }));
    await settle();
    expect(b.values).toHaveBeenCalledWith('[{"id":1}]');
    expect(a.values).not.toHaveBeenCalled();
  });

  it('tells a layer alone which sensors may be shown no more', async () => {
    const { lines, a, b } = two();
    await settle();
    lines[0]?.tell(event('gone', { layer: 'b', datastreams: ['b1', 'b2'] }));
    await settle();
    expect(b.gone).toHaveBeenCalledWith(['b1', 'b2']);
    expect(b.values).not.toHaveBeenCalled();
    expect(a.gone).not.toHaveBeenCalled();
  });

  it('hangs up the old connection only when the new one is there', async () => {
    const { http, lines } = fake();
    const streams = new LayerStreams(http);
    streams.subscribe('a', listener());
    await settle();
    streams.subscribe('b', listener());
    expect(lines[0]?.closed()).toBe(false);
    await settle();
    expect(lines[1]?.path).toContain('layer=b');
    expect(lines[0]?.closed()).toBe(true);
    expect(lines[1]?.closed()).toBe(false);
  });

  it('ends one layer with its reason while the other goes on', async () => {
    const { lines, a, b } = two();
    await settle();
    lines[0]?.tell(event('ended', { layer: 'a', detail: 'ended', agreement: 'urn:uuid:1' }));
    await settle();
    expect(a.state.mock.lastCall?.[0]).toBe('ended');
    expect(a.state.mock.lastCall?.[1]).toMatchObject({ problem: { agreement: 'urn:uuid:1' } });
    expect(b.state.mock.lastCall?.[0]).toBe('live');
    expect(lines.at(-1)?.path).toBe('/visualisation/v1/events?layer=b');
  });

  it('goes on at once, behind the last event, where only the token has expired', async () => {
    const { http, lines } = fake();
    const a = listener();
    new LayerStreams(http).subscribe('a', a);
    await settle();
    lines[0]?.tell('retry: 2000\nid: 0abc1234-4\n\n');
    lines[0]?.tell(event('expired', { status: 401 }));
    await settle();
    expect(lines.map((line) => line.after)).toEqual(['', '0abc1234-4']);
    lines[1]?.tell(`${event('observation', { layer: 'a', features: [{ id: 1 }] }).trimEnd()}\nid: 0abc1234-9\n\n${event('expired', {})}`);
    await settle();
    expect(lines.at(-1)?.after).toBe('0abc1234-9');
    expect(a.values).toHaveBeenCalledTimes(1);
    expect(a.state.mock.calls.map(([state]) => state as string)).toEqual(['live', 'live', 'live']);
  });

  it('leaves no connection open when nobody looks any more', async () => {
    const { http, lines } = fake();
    const streams = new LayerStreams(http);
    const leave = streams.subscribe('a', listener());
    await settle();
    leave();
    await settle();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.closed()).toBe(true);
  });
});
