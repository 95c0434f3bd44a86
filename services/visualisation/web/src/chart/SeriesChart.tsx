/** Up to four series of one kind in one chart: each has a colour, a dash and a mark of its own, and its name at hand. */
import { useMemo, useState } from 'react';
import { useI18n } from '../i18n';
import { outlines, type Shape } from '../map/shapes';
import { DataTable } from '../ui/DataTable';
import { Icon } from '../ui/Icon';
import { Axes, margin, MomentLine, usePlane } from './Axes';
import { linePath, nearest } from './scales';
import { Scrub, type MomentLink } from './Scrub';
import { useWidth } from './useWidth';

export interface Series {
  id: string;
  name: string;
  points: { at: number; value: number | null }[];
}

interface Props {
  title: string;
  unit: string;
  series: Series[];
  /** The series that is chosen elsewhere; its line is thicker. */
  current: string | null;
  link?: MomentLink;
  onPoint: (id: string | null) => void;
  onChoose: (id: string) => void;
  onRemove: (id: string) => void;
}

const height = 240;
export const mostSeries = 4;
/** Marks beside the dashes of theme/charts.css, so that lines are told apart without colour. */
const marks: Shape[] = ['circle', 'square', 'diamond', 'hexagon'];

export function SeriesChart({ title, unit, series, current, link, onPoint, onChoose, onRemove }: Props) {
  const { t, moment, quantity } = useI18n();
  const [box, width] = useWidth(640);
  const [index, setIndex] = useState<number | null>(null);
  const moments = useMemo(() => [...new Set(series.flatMap((one) => one.points.map((p) => p.at)))].sort((a, b) => a - b), [series]);
  const values = useMemo(() => series.flatMap((one) => one.points.map((p) => p.value)).filter((v): v is number => v !== null), [series]);
  const byMoment = useMemo(() => series.map((one) => new Map(one.points.map((p) => [p.at, p.value]))), [series]);
  const plane = usePlane(moments[0] ?? 0, moments.at(-1) ?? 1, values, width, height);
  const { x, y } = plane;
  const at = index === null ? null : (moments[index] ?? null);
  const valueAt = (number: number, when: number | null) => (when === null ? undefined : byMoment[number]?.get(when));
  const reading = at === null ? '' : `${moment(new Date(at))}: ${series.map((one, n) => `${one.name} ${quantity(valueAt(n, at) ?? null, unit)}`).join(', ')}`;
  const move = (event: React.PointerEvent<SVGSVGElement>) => {
    const frame = event.currentTarget.getBoundingClientRect();
    const next = nearest(moments.map(x), ((event.clientX - frame.left) / frame.width) * width);
    setIndex(next);
    const when = next === null ? null : (moments[next] ?? null);
    const pointer = ((event.clientY - frame.top) / frame.height) * height;
    const heights = series.map((_, n) => valueAt(n, when)).map((value) => (typeof value === 'number' ? y(value) : Infinity));
    const line = nearest(heights, pointer);
    onPoint(line === null || heights[line] === Infinity ? null : (series[line]?.id ?? null));
  };

  return (
    <figure className="dmi-chart" ref={box}>
      <ul className="dmi-series" aria-label={t.map.comparison}>
        {series.map((one, n) => (
          <li key={one.id} className={`dmi-series__${n + 1}`}>
            <svg width={36} height={16} viewBox="0 0 36 20" aria-hidden="true">
              <path className="dmi-chart__line" d="M0 10h36" />
              <path className="dmi-series__mark" d={outlines[marks[n] ?? 'circle']} transform="translate(11 3) scale(0.7)" />
            </svg>
            <button
              type="button" className="dmi-link-button" aria-pressed={one.id === current}
              onClick={() => onChoose(one.id)} onFocus={() => onPoint(one.id)} onBlur={() => onPoint(null)} onPointerEnter={() => onPoint(one.id)} onPointerLeave={() => onPoint(null)}
            >
              {one.name}
            </button>
            <button type="button" className="dmi-icon-button" aria-label={t.map.compareRemove(one.name)} onClick={() => onRemove(one.id)}><Icon name="close" size={16} /></button>
          </li>
        ))}
      </ul>
      <svg
        viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}. ${series.map((one) => one.name).join(', ')}.`} className={link ? 'dmi-chart__linked' : undefined}
        onPointerMove={move}
        onPointerUp={() => {
          if (link && at !== null && at >= link.from) link.go(at);
        }}
        onPointerLeave={() => {
          setIndex(null);
          onPoint(null);
        }}
      >
        <Axes plane={plane} unit={unit} />
        <MomentLine plane={plane} at={link?.at} />
        {series.map((one, n) => (
          <g key={one.id} className={`dmi-series__${n + 1}${one.id === current ? ' dmi-series--current' : ''}`}>
            <path className="dmi-chart__line" d={linePath(one.points.map((p) => ({ x: p.at, y: p.value })), x, y)} />
            {one.points.filter((p, k) => p.value !== null && k % 12 === 3 * n).map((p) => (
              <path key={p.at} className="dmi-series__mark" d={outlines[marks[n] ?? 'circle']} transform={`translate(${x(p.at) - 5} ${y(p.value ?? 0) - 5}) scale(0.5)`} />
            ))}
          </g>
        ))}
        {at !== null ? <line className="dmi-chart__cursor" x1={x(at)} x2={x(at)} y1={margin.top} y2={height - margin.bottom} /> : null}
      </svg>
      <Scrub moments={moments} index={index} reading={reading} onIndex={setIndex} link={link} />
      <SeriesTable title={title} unit={unit} series={series} moments={moments} byMoment={byMoment} />
    </figure>
  );
}

function SeriesTable({ title, unit, series, moments, byMoment }: Pick<Props, 'title' | 'unit' | 'series'> & { moments: number[]; byMoment: Map<number, number | null>[] }) {
  const { t, moment, quantity } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <details className="dmi-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.map.asTable}</summary>
      {open ? (
        <DataTable
          caption={title} rows={moments} rowKey={String}
          columns={[
            { key: 'at', head: t.common.time, sort: (at: number) => at, cell: (at: number) => moment(new Date(at)) },
            ...series.map((one, n) => ({
              key: one.id, head: one.name, numeric: true,
              sort: (at: number) => byMoment[n]?.get(at) ?? null, cell: (at: number) => quantity(byMoment[n]?.get(at) ?? null, unit),
            })),
          ]}
        />
      ) : null}
    </details>
  );
}
