import { describe, expect, it, vi } from 'vitest';
import { exchangeApi } from '../src/api/exchange';
import { HttpClient, segment, withQuery } from '../src/api/http';
import { ApiError, kindOf } from '../src/api/problem';
import { EventParser } from '../src/api/stream';

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers } });

function client(answers: Response[], purpose = 'dmi:purpose:mobility') {
  const send = vi.fn<typeof fetch>(() => Promise.resolve(answers.shift() ?? json({})));
  const renew = vi.fn(() => Promise.resolve('fresh'));
  const http = new HttpClient({ token: () => Promise.resolve('old'), renew, purpose: () => purpose }, send);
  const headers = (call: number) => new Headers(send.mock.calls[call]?.[1]?.headers);
  return { http, send, renew, headers };
}

describe('the API client', () => {
  it('sends the bearer token and the purpose', async () => {
    const { http, headers } = client([json({ items: [] })]);
    await http.list('/x');
    expect(headers(0).get('authorization')).toBe('Bearer old');
    expect(headers(0).get('dmi-purpose')).toBe('dmi:purpose:mobility');
  });

  it('leaves the purpose out when none is chosen, so that the data’s own purpose holds', async () => {
    const { http, headers } = client([json({ items: [] })], '');
    await http.list('/x');
    expect(headers(0).has('dmi-purpose')).toBe(false);
  });

  it('sends neither token nor purpose on a public call', async () => {
    const { http, headers } = client([json([])]);
    await http.list('/x', { public: true });
    expect(headers(0).has('authorization')).toBe(false);
    expect(headers(0).has('dmi-purpose')).toBe(false);
  });

  it('gets a fresh token once after a 401 and repeats the call', async () => {
    const { http, send, renew, headers } = client([json({}, 401), json({ items: [1] })]);
    expect(await http.list('/x')).toEqual([1]);
    expect(renew).toHaveBeenCalledOnce();
    expect(send).toHaveBeenCalledTimes(2);
    expect(headers(1).get('authorization')).toBe('Bearer fresh');
  });

  it('reads a list from a page and from a bare array', async () => {
    const { http } = client([json({ items: ['a'], next: null }), json(['b'])]);
    expect(await http.list('/x')).toEqual(['a']);
    expect(await http.list('/x')).toEqual(['b']);
  });

  it('reads a whole list page by page, each behind the one before', async () => {
    const { http, send } = client([json({ items: ['a'], next: 'x y' }), json({ items: ['b'], next: null })]);
    expect(await http.every('/x', { query: { agreement: 'urn:a' } })).toEqual(['a', 'b']);
    expect(send.mock.calls.map(([path]) => path)).toEqual(['/x?agreement=urn%3Aa', '/x?agreement=urn%3Aa&cursor=x+y']);
  });

  it('asks for all negotiations that go on and, of those that are over, for the newest alone', async () => {
    const { http, send } = client([]);
    const answers: Record<string, unknown> = {
      '/exchange/v1/negotiations?limit=100': { items: [{ id: 'over' }, { id: 'open' }], next: 'older' },
      '/exchange/v1/negotiations?open=true': { items: [{ id: 'open' }], next: 'x' },
      '/exchange/v1/negotiations?open=true&cursor=x': { items: [{ id: 'long open' }], next: null },
    };
    send.mockImplementation((path) => Promise.resolve(json(answers[typeof path === 'string' ? path : ''])));
    const found = await exchangeApi(http).negotiations();
    expect(found.map((one) => one.id)).toEqual(['over', 'open', 'long open']);
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('turns a refusal into an error that keeps agreement and moment', async () => {
    const { http } = client([json({ detail: 'ended', agreement: 'urn:uuid:1', moment: '2026-01-01T00:00:00Z' }, 403)]);
    const error = await http.json('/x').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ kind: 'refused', status: 403, problem: { agreement: 'urn:uuid:1', moment: '2026-01-01T00:00:00Z' } });
  });

  it('keeps Retry-After and survives an error without JSON', async () => {
    const { http } = client([new Response('<html>', { status: 503, headers: { 'retry-after': '7' } })]);
    await expect(http.json('/x')).rejects.toMatchObject({ kind: 'busy', retryAfter: 7 });
  });

  it('calls a failed connection offline', async () => {
    const send = vi.fn<typeof fetch>(() => Promise.reject(new TypeError('failed to fetch')));
    const http = new HttpClient({ token: () => Promise.resolve(null), renew: () => Promise.resolve(null), purpose: () => '' }, send);
    await expect(http.json('/x')).rejects.toMatchObject({ kind: 'offline' });
  });

  it.each([[401, 'signedOut'], [403, 'refused'], [404, 'missing'], [413, 'invalid'], [429, 'busy'], [500, 'server']] as const)(
    'shows status %i as %s',
    (status, kind) => expect(kindOf(status)).toBe(kind),
  );

  it('writes queries and path segments safely', () => {
    expect(withQuery('/x', { a: 1, b: '', c: null, d: ['p', 'q'] })).toBe('/x?a=1&d=p&d=q');
    expect(segment('urn:dmi:dataset:a:b/../c')).toBe('urn:dmi:dataset:a:b%2F..%2Fc');
  });
});

describe('the event parser', () => {
  it('gives events that arrive in pieces, once they are whole', () => {
    const parser = new EventParser();
    expect(parser.feed('event: observation\nda')).toEqual([]);
    expect(parser.feed('ta: [1]\n\n: heartbeat\n\nevent: ended\r\ndata: {"a":1}\r\n\r\n')).toEqual([
      { event: 'observation', data: '[1]', id: '' },
      { event: 'ended', data: '{"a":1}', id: '' },
    ]);
  });

  it('joins several lines of data', () => {
    expect(new EventParser().feed('data: a\ndata: b\n\n')).toEqual([{ event: 'message', data: 'a\nb', id: '' }]);
  });
});
