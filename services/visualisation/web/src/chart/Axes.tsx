/** Grid, ticks and axis of a chart over time, and how they follow from what is drawn. */
import { useMemo } from 'react';
import { useI18n } from '../i18n';
import { linear, niceTicks, timeTicks, type Scale } from './scales';

export const margin = { top: 24, right: 24, bottom: 28, left: 48 };

export interface Plane {
  width: number;
  height: number;
  from: number;
  to: number;
  ticks: number[];
  times: number[];
  x: Scale;
  y: Scale;
}

/** A plane for moments from `from` to `to` (milliseconds) and these values, with zero on it. */
export function usePlane(from: number, to: number, values: number[], width: number, height: number): Plane {
  return useMemo(() => {
    const low = values.reduce((least, value) => Math.min(least, value), 0);
    const high = values.reduce((most, value) => Math.max(most, value), 1);
    const ticks = niceTicks(low, high, 4);
    const x = linear([from, to], [margin.left, width - margin.right]);
    const y = linear([ticks[0] ?? 0, ticks.at(-1) ?? 1], [height - margin.bottom, margin.top]);
    return { width, height, from, to, ticks, x, y, times: timeTicks(from, to, width < 480 ? 4 : 8) };
  }, [from, to, values, width, height]);
}

export function Axes({ plane, unit }: { plane: Plane; unit: string }) {
  const { number, unit: unitWords, clock, date } = useI18n();
  const { width, height, ticks, times, x, y, from, to } = plane;
  const daily = to - from > 36 * 3_600_000;
  return (
    <>
      {ticks.map((tick) => (
        <g key={tick}>
          <line className="dmi-chart__grid" x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
          <text x={margin.left - 8} y={y(tick) + 4} textAnchor="end">{number(tick)}</text>
        </g>
      ))}
      <text x={margin.left} y={12}>{unitWords(unit)}</text>
      {times.map((at) => (
        <text key={at} x={x(at)} y={height - 8} textAnchor="middle">
          {daily ? date(new Date(at)).replace(/ \d{4}$/, '') : clock(new Date(at))}
        </text>
      ))}
      <line className="dmi-chart__axis" x1={margin.left} x2={width - margin.right} y1={height - margin.bottom} y2={height - margin.bottom} />
    </>
  );
}

/** The moment that something else on the page shows, such as the map. */
export function MomentLine({ plane, at }: { plane: Plane; at: number | null | undefined }) {
  if (at === null || at === undefined || at < plane.from || at > plane.to) return null;
  return <line className="dmi-chart__moment" x1={plane.x(at)} x2={plane.x(at)} y1={margin.top - 8} y2={plane.height - margin.bottom} />;
}
