/** Gets one thing from a service and keeps the last good answer while it is fetched again. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { asApiError, type ApiError } from '../api/problem';

export interface Resource<T> {
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  /** When the shown data arrived. */
  at: Date | null;
  reload: () => void;
}

interface State<T> {
  key: string | null;
  /** Which turn of fetching this state is the outcome of. */
  turn: number;
  data: T | null;
  error: ApiError | null;
  at: Date | null;
}

/** How long an answer is waited for before the next turn asks again (milliseconds). */
const longest = 60_000;

/**
 * `key` names what is fetched; null fetches nothing yet. Another key drops the old data.
 * `every` renews in the background, in milliseconds, and pauses while the page is hidden.
 */
export function useResource<T>(
  key: string | null,
  fetcher: (signal: AbortSignal) => Promise<T>,
  every?: number,
): Resource<T> {
  const [state, setState] = useState<State<T>>({ key: null, turn: 0, data: null, error: null, at: null });
  const [turn, setTurn] = useState(1);
  const latest = useRef({ fetcher, repeats: every !== undefined });
  const waiting = useRef(0);
  useEffect(() => {
    latest.current = { fetcher, repeats: every !== undefined };
  });

  useEffect(() => {
    if (key === null) return;
    const control = new AbortController();
    const { repeats } = latest.current;
    waiting.current = Date.now();
    latest.current.fetcher(control.signal).then(
      (data) => {
        if (control.signal.aborted) return;
        waiting.current = 0;
        setState({ key, turn, data, error: null, at: new Date() });
      },
      (reason: unknown) => {
        if (control.signal.aborted) return;
        waiting.current = 0;
        const error = asApiError(reason).leaving(repeats ? 'repeats' : null);
        setState((old) => (old.key === key ? { ...old, turn, error } : { key, turn, data: null, error, at: null }));
      },
    );
    return () => control.abort();
  }, [key, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    if (every === undefined || key === null) return;
    const timer = setInterval(() => {
      // A turn gives up the one before: while answers take longer than a turn, none would ever come. One that hangs ends.
      if (!document.hidden && Date.now() - waiting.current > longest) reload();
    }, every);
    return () => clearInterval(timer);
  }, [every, key, reload]);

  // What failed for want of a connection is fetched when there is one again.
  const cut = state.key === key && state.error?.kind === 'offline';
  useEffect(() => {
    if (!cut) return;
    window.addEventListener('online', reload);
    return () => window.removeEventListener('online', reload);
  }, [cut, reload]);

  const known = state.key === key;
  return {
    data: known ? state.data : null,
    error: known ? state.error : null,
    loading: key !== null && (!known || state.turn !== turn),
    at: known ? state.at : null,
    reload,
  };
}

/** The same, but what was shown stays until the answer to another key comes: what has the focus keeps it. */
export function useKept<T>(resource: Resource<T>): Resource<T> {
  const [kept, setKept] = useState<T | null>(null);
  if (resource.data !== null && resource.data !== kept) setKept(resource.data);
  return { ...resource, data: resource.data ?? (resource.error ? null : kept) };
}
