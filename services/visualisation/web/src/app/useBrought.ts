/** For a button that goes away once it is pressed: the focus goes on to what it brought, not back to the top of the page. */
import { useRef, type RefObject } from 'react';

/** `there` belongs at what is brought, which can have the focus; `go` is called when it is pressed. */
export function useBrought<E extends HTMLElement>(): { there: RefObject<E | null>; go: () => void } {
  const there = useRef<E>(null);
  // A frame later the page shows what was pressed for.
  return { there, go: () => requestAnimationFrame(() => there.current?.focus()) };
}
