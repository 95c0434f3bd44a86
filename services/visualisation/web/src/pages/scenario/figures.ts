/** What the figures of a scenario are, and how they leave as a file. */
import type { Change, ScenarioResult } from '../../api';

const order = ['inhabitants', 'jobs', 'green_m2', 'green_per_inhabitant', 'parking_demand', 'trips'];
const units: Record<string, string> = {
  inhabitants: '1', jobs: '1', green_m2: 'm2', green_per_inhabitant: 'm2/{person}', parking_demand: '{vehicle}', trips: '1',
};

/** The indicators that the result has, known ones first. */
export function indicators(result: ScenarioResult): string[] {
  const found = new Set([...Object.keys(result.totals?.baseline ?? {}), ...result.areas.flatMap((area) => Object.keys(area.baseline))]);
  return [...order.filter((name) => found.has(name)), ...[...found].filter((name) => !order.includes(name))];
}

/** The change itself, however it was given. */
export function absolute(change: Change | undefined): number | null {
  if (change === null || change === undefined) return null;
  return typeof change === 'number' ? change : change.absolute;
}

/** The range of a change within plausible coefficients, when it is known. */
export function rangeOf(change: Change | undefined): { low: number; high: number } | null {
  return change !== null && typeof change === 'object' ? (change.range ?? null) : null;
}

export function unitOf(indicator: string): string {
  return units[indicator] ?? '1';
}

/** All figures as CSV with scenario, version and unit in every row, so that a copy explains itself. */
export function csvOf(result: ScenarioResult): string {
  const rows = [['scenario', 'version', 'area', 'name', 'indicator', 'unit', 'baseline', 'value', 'change']];
  for (const area of result.areas) {
    for (const indicator of indicators(result)) {
      const before = area.baseline[indicator];
      const after = area.scenario[indicator];
      rows.push([
        result.scenario, String(result.version), area.id, area.name, indicator, unitOf(indicator),
        String(before ?? ''), String(after ?? ''), String(absolute(area.change[indicator]) ?? ''),
      ]);
    }
  }
  return rows.map((row) => row.map(quote).join(',')).join('\r\n') + '\r\n';
}

function quote(text: string): string {
  // A leading = + - @ would be carried out as a formula by a spreadsheet, unless it is a number.
  const safe = /^[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
