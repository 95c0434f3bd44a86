import { useEffect, type RefObject } from 'react';

/**
 * Brings a panel that opened to where it can be seen: on a narrow screen it stands below the map.
 * After a choice the focus follows to what was chosen; a page that just opened keeps its own start.
 */
export function useOpened(panel: RefObject<HTMLElement | null>, key: string): void {
  useEffect(() => {
    if (document.activeElement !== document.body) panel.current?.focus({ preventScroll: true });
    panel.current?.scrollIntoView({ block: 'start' });
  }, [panel, key]);
}

/** The same for what comes by itself in the place of a panel: who is busy elsewhere on the page stays there. */
export function useReplaced(panel: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const { activeElement } = document;
    if (activeElement === document.body || activeElement?.tagName === 'CANVAS') panel.current?.scrollIntoView({ block: 'start' });
  }, [panel]);
}
