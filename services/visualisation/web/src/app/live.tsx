/** One polite live region for the whole application, at most one message in five seconds. */
import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from 'react';

export const minimumGap = 5_000;

const Context = createContext<((text: string) => void) | null>(null);

export function LiveProvider({ children }: { children: ReactNode }) {
  const [text, setText] = useState('');
  const last = useRef(0);
  const waiting = useRef<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const say = useCallback((message: string) => {
    waiting.current = message;
    if (timer.current !== null) return;
    const wait = Math.max(0, last.current + minimumGap - Date.now());
    timer.current = setTimeout(() => {
      timer.current = null;
      last.current = Date.now();
      setText(waiting.current ?? '');
      waiting.current = null;
    }, wait);
  }, []);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  return (
    <Context value={say}>
      {children}
      <div className="dmi-sr-only" role="status" aria-live="polite">
        {text}
      </div>
    </Context>
  );
}

export function useLive(): (text: string) => void {
  const value = useContext(Context);
  if (!value) throw new Error('useLive needs a LiveProvider');
  return value;
}
