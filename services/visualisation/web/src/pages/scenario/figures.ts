/** What the figures of a scenario are, and what two sides of a comparison say about one indicator. */
import type { AreaResult, Beside, Figures, Range, ScenarioResult } from '../../api';

const order = ['inhabitants', 'jobs', 'green_m2', 'green_per_inhabitant', 'parking_demand', 'trips'];
const units: Record<string, string> = {
  inhabitants: '1', jobs: '1', green_m2: 'm2', green_per_inhabitant: 'm2/{person}', parking_demand: '{vehicle}', trips: '1',
};

/** The indicators that the result has, known ones first. */
export function indicators(result: ScenarioResult): string[] {
  const found = new Set([...Object.keys(result.totals?.baseline ?? {}), ...result.areas.flatMap((area) => Object.keys(area.baseline))]);
  return [...order.filter((name) => found.has(name)), ...[...found].filter((name) => !order.includes(name))];
}

export function unitOf(indicator: string): string {
  return units[indicator] ?? '1';
}

/** One row of a comparison; `change` is right minus left, `share` that as a part of the left. */
export interface Row {
  id: string;
  name: string;
  left: number | null;
  right: number | null;
  change: number | null;
  share: number | null;
  range: Range | null;
  suppressed: boolean;
}

/** A result beside the city without its edits, or beside another result. */
export interface Comparison {
  result: ScenarioResult;
  other: ScenarioResult | null;
}

/** The row of an area, or with `area` null of the whole city. */
export function rowOf({ result, other }: Comparison, indicator: string, area: AreaResult | null, name: string): Row {
  const mine: Beside | null = area ?? result.totals;
  const theirs: Beside | null = other === null ? null : area ? (other.areas.find((one) => one.id === area.id) ?? null) : other.totals;
  const value = (figures: Figures | undefined) => figures?.[indicator] ?? null;
  const right = value(mine?.scenario);
  const left = other === null ? value(mine?.baseline) : value(theirs?.scenario);
  // What an edit adds is known even where the figure itself is not; between two results it is the two additions.
  const added = other === null ? value(mine?.change) : minus(value(mine?.change), value(theirs?.change));
  const change = minus(right, left) ?? added;
  return {
    id: area?.id ?? '', name, left, right, change,
    share: change === null || !left ? null : change / left,
    range: other === null ? (mine?.change_range[indicator] ?? null) : null,
    suppressed: area?.suppressed ?? false,
  };
}

function minus(right: number | null, left: number | null): number | null {
  return right === null || left === null ? null : right - left;
}

/** All areas of a comparison for one indicator. */
export function areaRows(comparison: Comparison, indicator: string): Row[] {
  return comparison.result.areas.map((area) => rowOf(comparison, indicator, area, area.name));
}

/** Whether a row changes by more than rounding. */
export function changes(row: Row): boolean {
  return Math.abs(row.change ?? 0) > 1e-9;
}
