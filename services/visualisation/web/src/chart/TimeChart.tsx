/** A line chart over time with an interval, readable by pointer, by keyboard, by screen reader and as a table. */
import { useMemo, useState } from 'react';
import { useI18n } from '../i18n';
import { DataTable } from '../ui/DataTable';
import { Axes, margin, MomentLine, usePlane } from './Axes';
import { bandPath, linePath, nearest } from './scales';
import { Scrub, type MomentLink } from './Scrub';
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
  /** Links the chart with a view of one moment, such as the map. */
  link?: MomentLink;
  /** Tells whether somebody points at the chart or reads it by keyboard. */
  onPoint?: (pointing: boolean) => void;
}

export function TimeChart({ title, unit, rows, names, reference, height = 220, link, onPoint }: Props) {
  const { t, number, moment, quantity } = useI18n();
  const [box, width] = useWidth(640);
  const [index, setIndex] = useState<number | null>(null);
  const values = useMemo(
    () => [...rows.flatMap((r) => [r.value, r.low, r.high, r.second]), reference].filter((v): v is number => typeof v === 'number'),
    [rows, reference],
  );
  const moments = useMemo(() => rows.map((r) => r.at), [rows]);
  const plane = usePlane(rows[0]?.at ?? 0, rows.at(-1)?.at ?? 1, values, width, height);
  const { x, y, from, to } = plane;
  const row = index === null ? null : (rows[index] ?? null);
  const last = rows.filter((r) => r.value !== null).at(-1);
  const summary = last
    ? `${title}. ${moment(new Date(from))} – ${moment(new Date(to))}. ${names.value}: ${quantity(last.value, unit)} (${moment(new Date(last.at))}).`
    : `${title}. ${t.common.noData}.`;
  const place = (event: React.PointerEvent<SVGSVGElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    return nearest(moments.map(x), ((event.clientX - frame.left) / frame.width) * width);
  };
  const choose = (event: React.PointerEvent<SVGSVGElement>) => {
    const chosen = moments[place(event) ?? -1];
    if (link && chosen !== undefined && chosen >= link.from) link.go(chosen);
  };
  const hasBand = rows.some((r) => typeof r.low === 'number');
  const hasSecond = rows.some((r) => typeof r.second === 'number');
  // Where only the second line has a value, that is what is read out.
  const only = row?.value === null && typeof row.second === 'number' ? row.second : null;
  const reading = row
    ? `${moment(new Date(row.at))}: ${only === null ? quantity(row.value, unit) : `${names.second ?? ''} ${quantity(only, unit)}`}${typeof row.low === 'number' && typeof row.high === 'number' ? ` (${number(row.low)} – ${number(row.high)})` : ''}`
    : '';

  return (
    <figure className="dmi-chart" ref={box}>
      <ul className="dmi-legend" aria-hidden="true">
        <li><span className="dmi-key dmi-key--line" />{names.value}</li>
        {hasBand && names.band ? <li><span className="dmi-key dmi-key--band" />{names.band}</li> : null}
        {hasSecond ? <li><span className="dmi-key dmi-key--line dmi-key--second" />{names.second}</li> : null}
        {reference ? <li><span className="dmi-key dmi-key--line dmi-key--dashed" />{names.reference} ({quantity(reference, unit)})</li> : null}
      </ul>
      <svg
        viewBox={`0 0 ${width} ${height}`} role="img" aria-label={summary} className={link ? 'dmi-chart__linked' : undefined}
        onPointerMove={(event) => setIndex(place(event))} onPointerEnter={() => onPoint?.(true)} onPointerUp={choose}
        onPointerLeave={() => {
          setIndex(null);
          onPoint?.(false);
        }}
      >
        <Axes plane={plane} unit={unit} />
        {hasBand ? <path className="dmi-chart__band" d={bandPath(rows.map((r) => ({ x: r.at, low: r.low ?? null, high: r.high ?? null })), x, y)} /> : null}
        {reference ? <line className="dmi-chart__line dmi-chart__line--dashed" x1={margin.left} x2={width - margin.right} y1={y(reference)} y2={y(reference)} /> : null}
        {hasSecond ? <path className="dmi-chart__line dmi-chart__line--second" d={linePath(rows.map((r) => ({ x: r.at, y: r.second ?? null })), x, y)} /> : null}
        <path className="dmi-chart__line" d={linePath(rows.map((r) => ({ x: r.at, y: r.value })), x, y)} />
        <MomentLine plane={plane} at={link?.at} />
        {row ? <line className="dmi-chart__cursor" x1={x(row.at)} x2={x(row.at)} y1={margin.top} y2={height - margin.bottom} /> : null}
        {row && row.value !== null ? <circle className="dmi-chart__dot" cx={x(row.at)} cy={y(row.value)} r={4} /> : null}
      </svg>
      <Scrub moments={moments} index={index} reading={reading} onIndex={setIndex} link={link} onFocus={onPoint} />
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
