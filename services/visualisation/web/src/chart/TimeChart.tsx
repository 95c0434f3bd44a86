/** A line chart over time with an interval, readable by pointer, by screen reader and as a table. */
import { useMemo, useState } from 'react';
import { useI18n } from '../i18n';
import { DataTable } from '../ui/DataTable';
import { bandPath, linear, linePath, nearest, niceTicks, timeTicks } from './scales';
import { useWidth } from './useWidth';

export interface ChartRow {
  at: number;
  /** The middle or measured value; null is a gap. */
  value: number | null;
  low?: number | null;
  high?: number | null;
  /** A second line, such as what was measured beside what was expected. */
  second?: number | null;
}

interface Props {
  title: string;
  unit: string;
  rows: ChartRow[];
  names: { value: string; low?: string; high?: string; band?: string; second?: string; reference?: string };
  reference?: number | null;
  height?: number;
}

const margin = { top: 24, right: 24, bottom: 28, left: 48 };

export function TimeChart({ title, unit, rows, names, reference, height = 220 }: Props) {
  const { t, number, unit: unitWords, time, date, moment, quantity } = useI18n();
  const [box, width] = useWidth(640);
  const [index, setIndex] = useState<number | null>(null);
  const shape = useMemo(() => {
    const values = rows.flatMap((r) => [r.value, r.low, r.high, r.second]).filter((v): v is number => typeof v === 'number');
    if (reference) values.push(reference);
    const ticks = niceTicks(Math.min(0, ...values), Math.max(1, ...values), 4);
    const from = rows[0]?.at ?? 0;
    const to = rows.at(-1)?.at ?? 1;
    const x = linear([from, to], [margin.left, width - margin.right]);
    const y = linear([ticks[0] ?? 0, ticks.at(-1) ?? 1], [height - margin.bottom, margin.top]);
    return { ticks, x, y, from, to, times: timeTicks(from, to, width < 480 ? 4 : 8) };
  }, [rows, reference, width, height]);
  const { ticks, x, y, from, to, times } = shape;
  const daily = to - from > 36 * 3_600_000;
  const row = index === null ? null : (rows[index] ?? null);
  const known = rows.filter((r) => r.value !== null);
  const last = known.at(-1);
  const summary = last
    ? `${title}. ${moment(new Date(from))} – ${moment(new Date(to))}. ${names.value}: ${quantity(last.value, unit)} (${moment(new Date(last.at))}).`
    : `${title}. ${t.common.noData}.`;
  const move = (event: React.PointerEvent<SVGSVGElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    const place = ((event.clientX - frame.left) / frame.width) * width;
    setIndex(nearest(rows.map((r) => x(r.at)), place));
  };
  const hasBand = rows.some((r) => typeof r.low === 'number');
  const hasSecond = rows.some((r) => typeof r.second === 'number');

  return (
    <figure className="dmi-chart" ref={box}>
      <ul className="dmi-legend" aria-hidden="true">
        <li><span className="dmi-key dmi-key--line" />{names.value}</li>
        {hasBand && names.band ? <li><span className="dmi-key dmi-key--band" />{names.band}</li> : null}
        {hasSecond ? <li><span className="dmi-key dmi-key--line dmi-key--second" />{names.second}</li> : null}
        {reference ? <li><span className="dmi-key dmi-key--line dmi-key--dashed" />{names.reference} ({quantity(reference, unit)})</li> : null}
      </ul>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={summary} onPointerMove={move} onPointerLeave={() => setIndex(null)}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line className="dmi-chart__grid" x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
            <text x={margin.left - 8} y={y(tick) + 4} textAnchor="end">{number(tick)}</text>
          </g>
        ))}
        <text x={margin.left} y={12}>{unitWords(unit)}</text>
        {times.map((at) => (
          <text key={at} x={x(at)} y={height - 8} textAnchor="middle">
            {daily ? date(new Date(at)).replace(/ \d{4}$/, '') : time(new Date(at))}
          </text>
        ))}
        <line className="dmi-chart__axis" x1={margin.left} x2={width - margin.right} y1={height - margin.bottom} y2={height - margin.bottom} />
        {hasBand ? <path className="dmi-chart__band" d={bandPath(rows.map((r) => ({ x: r.at, low: r.low ?? null, high: r.high ?? null })), x, y)} /> : null}
        {reference ? <line className="dmi-chart__line dmi-chart__line--dashed" x1={margin.left} x2={width - margin.right} y1={y(reference)} y2={y(reference)} /> : null}
        {hasSecond ? <path className="dmi-chart__line dmi-chart__line--second" d={linePath(rows.map((r) => ({ x: r.at, y: r.second ?? null })), x, y)} /> : null}
        <path className="dmi-chart__line" d={linePath(rows.map((r) => ({ x: r.at, y: r.value })), x, y)} />
        {row ? <line className="dmi-chart__cursor" x1={x(row.at)} x2={x(row.at)} y1={margin.top} y2={height - margin.bottom} /> : null}
        {row && row.value !== null ? <circle className="dmi-chart__dot" cx={x(row.at)} cy={y(row.value)} r={4} /> : null}
      </svg>
      <p className="dmi-chart__read" aria-hidden="true">
        {row ? `${moment(new Date(row.at))}: ${quantity(row.value, unit)}${typeof row.low === 'number' && typeof row.high === 'number' ? ` (${number(row.low)} – ${number(row.high)})` : ''}` : ''}
      </p>
      <ChartTable title={title} unit={unit} rows={rows} names={names} hasBand={hasBand} hasSecond={hasSecond} />
    </figure>
  );
}

interface TableProps extends Pick<Props, 'title' | 'unit' | 'rows' | 'names'> {
  hasBand: boolean;
  hasSecond: boolean;
}

function ChartTable({ title, unit, rows, names, hasBand, hasSecond }: TableProps) {
  const { t, moment, quantity } = useI18n();
  const [open, setOpen] = useState(false);
  const part = (key: 'value' | 'low' | 'high' | 'second', head: string) => ({
    key, head, numeric: true, sort: (r: ChartRow) => r[key], cell: (r: ChartRow) => quantity(r[key], unit),
  });
  return (
    <details className="dmi-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.map.asTable}</summary>
      {open ? (
        <DataTable
          caption={title}
          rows={rows}
          rowKey={(r) => String(r.at)}
          columns={[
            { key: 'at', head: t.common.time, sort: (r) => r.at, cell: (r) => moment(new Date(r.at)) },
            ...(hasBand ? [part('low', names.low ?? '–')] : []),
            part('value', names.value),
            ...(hasBand ? [part('high', names.high ?? '–')] : []),
            ...(hasSecond ? [part('second', names.second ?? '–')] : []),
          ]}
        />
      ) : null}
    </details>
  );
}
