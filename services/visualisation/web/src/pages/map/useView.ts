/** What a person looks at, kept in the address of the page: a link shows somebody else the same. */
import { useCallback, useMemo } from 'react';
import { useQueryState } from '../../app/router';
import { readSeries } from './compare';
import { readFilters, writeFilters, type Filters } from './filters';
import { momentsAt, readMoment, step, writeMoment, type Moments } from './moment';

export interface View {
  moments: Moments;
  /** Milliseconds; null is live. */
  at: number | null;
  /** Whether the address asks for a moment that the map cannot show any more. */
  tooOld: boolean;
  compareAt: number | null;
  filters: Filters;
  /** Ids of layers that are off. */
  off: string[];
  /** Ids of datastreams that are compared. */
  series: string[];
  table: string | null;
  layer: string | null;
  feature: string | null;
  change: (changes: Record<string, string | null>) => void;
  setAt: (at: number | null) => void;
  setCompareAt: (at: number | null) => void;
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
  const setSeries = useCallback((series: string[]) => change({ series: series.join(',') || null }), [change]);
  return {
    ...read, moments, at, change, setSeries,
    tooOld: query.get('at') !== null && at === null,
    compareAt: readMoment(query.get('compare'), moments),
    table: query.get('table'), layer: query.get('layer'), feature: query.get('feature'),
    setAt: (next) => change({ at: writeMoment(next) }),
    setCompareAt: (next) => change({ compare: writeMoment(next) }),
    setFilters: (next) => change(writeFilters(next)),
  };
}
