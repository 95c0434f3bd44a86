/** For what goes away once it is done, such as the button that signed: the focus goes on to the title, not to nothing. */
import { useEffect, useRef } from 'react';

/** `what` is another value once the page has changed by what a person did. */
export function useHeld(what: string | number | null): void {
  const before = useRef(what);
  useEffect(() => {
    if (before.current === what) return;
    before.current = what;
    // Only a focus that was lost: somebody may have gone on elsewhere.
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    const title = document.querySelector<HTMLElement>('h1');
    if (!title) return;
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }, [what]);
}
