/** What a look back says: how sure one may be, and its rows for a chart. */
import type { LookBackPart, Measure } from '../../api';
import type { BadgeTone } from '../../ui/Badge';
import type { ChartRow } from '../../chart/TimeChart';

export type Verdict = 'beyond' | 'within' | 'unknown';
export const verdictTone: Record<Verdict, BadgeTone> = { beyond: 'info', within: 'neutral', unknown: 'neutral' };

/** How sure one may be of an effect; null where there was nothing to look back on. */
export function verdictOf(measure: Measure): Verdict | null {
  return measure.look_back ? (measure.look_back.verdict ?? 'unknown') : null;
}

/** What was seen beside what had been forecast, moment by moment. */
export function chartRows(part: LookBackPart): ChartRow[] {
  return part.moments.map((one) => ({ at: new Date(one.at).getTime(), value: one.p50, low: one.p10, high: one.p90, second: one.actual }));
}
