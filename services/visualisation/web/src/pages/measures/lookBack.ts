/** What a look back says: how sure one may be, and its rows for a chart. */
import type { CrowdLookBack, LookBackPart, Measure } from '../../api';
import type { BadgeTone } from '../../ui/Badge';
import type { ChartRow } from '../../chart/TimeChart';

export type Verdict = 'beyond' | 'within' | 'below' | 'above' | 'unknown';
export const verdictTone: Record<Verdict, BadgeTone> = { beyond: 'info', within: 'neutral', below: 'info', above: 'neutral', unknown: 'neutral' };
export const parts = ['before', 'during', 'after'] as const;

/** How sure one may be of an effect; null where there was nothing to look back on. */
export function verdictOf(measure: Measure): Verdict | null {
  return measure.look_back ? (measure.look_back.verdict ?? 'unknown') : null;
}

/** What was seen beside what had been forecast, moment by moment. */
export function chartRows(part: LookBackPart): ChartRow[] {
  return part.moments.map((one) => ({ at: new Date(one.at).getTime(), value: one.p50, low: one.p10, high: one.p90, second: one.actual }));
}

/** How many people passed, moment by moment: the time of the measure as a line of its own. */
export function crowdRows(seen: CrowdLookBack): ChartRow[] {
  const [from, to] = [Date.parse(seen.during.start), Date.parse(seen.during.end)];
  return seen.moments.map((one) => {
    const at = Date.parse(one.at);
    const during = at >= from && at < to;
    return { at, value: during ? null : one.flow, second: during ? one.flow : null };
  });
}
