/** What a person looks at, kept in the address of the page: a link shows somebody else the same. */
import { useCallback, useMemo } from 'react';
import { useQueryState } from '../../app/router';
import { readSeries } from './compare';
import { readFilters, writeFilters, type Filters } from './filters';
import { momentsAt, readMoment, step, writeMoment, type Moments } from './moment';
import type { Sides } from './sides';

/** In the address, a left side that is live; without a moment nothing is compared. */
const liveWord = 'live';

export interface View {
  moments: Moments;
  /** Milliseconds; null is live. */
  at: number | null;
  /** Whether the address asks for a moment that the map cannot show any more. */
  tooOld: boolean;
  /** What is compared; null when nothing is. */
  sides: Sides | null;
  filters: Filters;
  /** Ids of layers that are off. */
  off: string[];
  /** Ids of datastreams that are compared. */
  series: string[];
  table: string | null;
  /** The kind of place that the table shows. */
  kind: string | null;
  layer: string | null;
  feature: string | null;
  change: (changes: Record<string, string | null>) => void;
  setAt: (at: number | null) => void;
  /** One side of the comparison, or both; null ends it. */
  setSides: (sides: Partial<Sides> | null) => void;
  setFilters: (filters: Filters) => void;
  setSeries: (series: string[]) => void;
}

export function useView(now: Date): View {
  const [query, change] = useQueryState();
  const quarter = Math.floor(now.getTime() / step) * step;
  // The slider's range moves on once in a quarter of an hour, not with every tick of the clock.
  const moments = useMemo(() => momentsAt(quarter + 1), [quarter]);
  const text = query.toString();
  const read = useMemo(() => {
    const q = new URLSearchParams(text);
    return {
      filters: readFilters(q),
      off: q.get('off')?.split(',').filter(Boolean) ?? [],
      series: readSeries(q.get('series')),
    };
  }, [text]);
  const at = readMoment(query.get('at'), moments);
  const compare = query.get('compare');
  const leftAt = readMoment(compare, moments);
  const sides: Sides | null = compare !== liveWord && leftAt === null ? null : { left: { layer: query.get('left'), at: leftAt }, right: { layer: query.get('right'), at } };
  const setSeries = useCallback((series: string[]) => change({ series: series.join(',') || null }), [change]);
  return {
    ...read, moments, at, change, setSeries,
    sides,
    tooOld: (query.get('at') !== null && at === null) || (compare !== null && sides === null),
    table: query.get('table'), kind: query.get('kind'), layer: query.get('layer'), feature: query.get('feature'),
    setAt: (next) => change({ at: writeMoment(next) }),
    setSides: (next) => change(next === null ? { compare: null, left: null, right: null } : {
      ...(next.left ? { left: next.left.layer, compare: writeMoment(next.left.at) ?? liveWord } : {}),
      ...(next.right ? { right: next.right.layer, at: writeMoment(next.right.at) } : {}),
    }),
    setFilters: (next) => change(writeFilters(next)),
  };
}
