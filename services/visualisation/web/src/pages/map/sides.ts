/** The two sides of a comparison on the map: each shows one layer, or all that are on, at a moment of its own. */
import type { Layer } from '../../api';
import type { I18n } from '../../i18n';

export interface Side {
  /** Null: all layers that are on. */
  layer: string | null;
  /** Milliseconds; null is live. */
  at: number | null;
}

export interface Sides {
  left: Side;
  right: Side;
}

export function shows(side: Side, layer: string): boolean {
  return side.layer === null || side.layer === layer;
}

/** The moment at which list, table and panel speak of a layer: that of the right side, unless only the left one shows it. */
export function momentFor(layer: string, at: number | null, sides: Sides | null): number | null {
  return sides && !shows(sides.right, layer) && shows(sides.left, layer) ? sides.left.at : at;
}

/** Two sides that cannot differ. */
export function areSame({ left, right }: Sides): boolean {
  return left.layer === right.layer && left.at === right.at;
}

/** What a side shows, in a few words: "21 nov 2026, 14:00", or with its layer where one was chosen. */
export function nameOfSide(side: Side, layer: Layer | undefined, { t, say, moment }: I18n): string {
  if (!layer) return side.at === null ? t.map.nowLive : moment(new Date(side.at));
  return layer.kind === 'areas' ? say(layer.title) : `${say(layer.title)}: ${side.at === null ? t.map.sideLive : moment(new Date(side.at))}`;
}

/** Why a side is empty, in a few words; null when it is not, or while it is loading. */
export function lackOfSide(layer: Layer | undefined, on: boolean, loading: boolean, shown: number | null, { t }: I18n): string | null {
  if (layer?.refused) return t.map.ended;
  if (!on) return t.map.sideOff;
  return !loading && shown === 0 ? t.map.sideEmpty : null;
}
