/** Where the divider of a swipe map stands, in whole percent of the width from the left. */

export function dividerAt(x: number, left: number, width: number): number {
  if (width <= 0) return 50;
  return Math.round(Math.min(100, Math.max(0, ((x - left) / width) * 100)));
}

/** After a key of the slider pattern; Shift or Page goes ten at a time; null for a key that means nothing here. */
export function dividerAfterKey(at: number, key: string, shift: boolean): number | null {
  const step = shift ? 10 : 2;
  const moves: Record<string, number> = {
    ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step,
    PageDown: at - 10, PageUp: at + 10, Home: 0, End: 100,
  };
  const next = moves[key];
  return next === undefined ? null : Math.min(100, Math.max(0, next));
}
