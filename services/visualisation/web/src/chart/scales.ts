/** The arithmetic of a chart: scales, round ticks, and paths that leave a gap where a value is missing. */
import { offsetAt } from '../i18n/cityTime';

export type Scale = (value: number) => number;

export function linear([from, to]: [number, number], [start, end]: [number, number]): Scale {
  const span = to - from;
  if (span === 0) return () => (start + end) / 2;
  return (value) => start + ((value - from) / span) * (end - start);
}

/** Round steps of 1, 2 or 5 times a power of ten that cover the range; always at least two ticks. */
export function niceTicks(low: number, high: number, wanted = 5): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  const step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

const minute = 60_000;
const timeSteps = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080].map((n) => n * minute);

/** Ticks on round times of the city: quarters, hours, days. */
export function timeTicks(from: number, to: number, wanted = 6): number[] {
  const step = timeSteps.find((one) => (to - from) / one <= wanted) ?? (to - from) / wanted;
  const shift = -offsetAt(from);
  const ticks: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) ticks.push(at);
  return ticks;
}

export interface Point {
  x: number;
  y: number | null;
}

/** An SVG path through the points; a missing value ends a piece, a lone point becomes a short stroke. */
export function linePath(points: Point[], x: Scale, y: Scale): string {
  let path = '';
  let drawing = false;
  for (const [index, point] of points.entries()) {
    if (point.y === null) {
      drawing = false;
      continue;
    }
    const at = `${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`;
    const alone = !drawing && (points[index + 1]?.y ?? null) === null;
    path += drawing ? `L${at}` : `M${at}`;
    if (alone) path += 'h0.1';
    drawing = true;
  }
  return path;
}

export interface BandPoint {
  x: number;
  low: number | null;
  high: number | null;
}

/** Closed areas between low and high, one for each unbroken run. */
export function bandPath(points: BandPoint[], x: Scale, y: Scale): string {
  const runs: { x: number; low: number; high: number }[][] = [[]];
  for (const { x: at, low, high } of points) {
    if (low === null || high === null) runs.push([]);
    else runs.at(-1)?.push({ x: at, low, high });
  }
  return runs
    .filter((run) => run.length > 1)
    .map((run) => {
      const up = run.map((p) => `${x(p.x).toFixed(1)} ${y(p.high).toFixed(1)}`).join('L');
      const down = [...run].reverse().map((p) => `${x(p.x).toFixed(1)} ${y(p.low).toFixed(1)}`).join('L');
      return `M${up}L${down}Z`;
    })
    .join('');
}

/**
 * Puts an empty moment into every hole of a series, so that a chart shows it as a hole. A hole is a step of
 * more than two and a half times the usual (median) one.
 */
export function withGaps<T extends { at: number }>(rows: T[], empty: (at: number) => T): T[] {
  const steps = rows.slice(1).map((row, index) => row.at - (rows[index]?.at ?? row.at)).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  return rows.flatMap((row, index) => {
    const before = rows[index - 1];
    return before && row.at - before.at > usual * 2.5 ? [empty(before.at + usual), row] : [row];
  });
}

/** The point nearest to a place on the horizontal axis. */
export function nearest(xs: number[], x: number): number | null {
  if (xs.length === 0) return null;
  let best = 0;
  for (const [index, value] of xs.entries()) {
    if (Math.abs(value - x) < Math.abs((xs[best] ?? Infinity) - x)) best = index;
  }
  return best;
}
