/** What the log says about the use of data lately, put together for first screens. */
import type { Agreement, OwnUse, Use } from '../../api';

/** Uses of a dataset by others than its owner. */
export function usesOf(uses: Use[], dataset: string, owner: string): { times: number; refused: number; last: string | null } {
  const found = uses.filter((use) => use.dataset === dataset && use.assignee !== owner);
  return {
    times: found.reduce((sum, use) => sum + use.allowed, 0),
    refused: found.reduce((sum, use) => sum + use.refused, 0),
    last: found.map((use) => use.last_allowed).filter((at): at is string => at !== null).sort().at(-1) ?? null,
  };
}

/** How often each used data of a person, over all that it did, as the page of own data counts it; most first. */
export function usesByWhom(uses: OwnUse[]): { participant: string; name: string; dataset: string; times: number }[] {
  const found = new Map<string, { participant: string; name: string; dataset: string; times: number }>();
  for (const { participant, name, dataset, times } of uses) {
    const key = `${participant} ${dataset}`;
    found.set(key, { participant, name, dataset, times: times + (found.get(key)?.times ?? 0) });
  }
  return [...found.values()].sort((a, b) => b.times - a.times);
}

/** A dataset that a participant has agreements about, with those: what runs first. */
export interface Connection {
  dataset: string;
  agreements: Agreement[];
}

/** Whether an agreement is in force, was, or may come to be: a proposal that was replaced or declined never was. */
export function counts(one: Pick<Agreement, 'state' | 'concluded_at'>): boolean {
  return one.state !== 'ended' || one.concluded_at !== null;
}

/** Agreements by dataset: the log tells uses and refusals of a dataset, not of one agreement about it. */
export function connectionsOf(agreements: Agreement[]): Connection[] {
  const found = new Map<string, Agreement[]>();
  for (const one of agreements.filter(counts)) for (const dataset of new Set(one.datasets)) found.set(dataset, [...(found.get(dataset) ?? []), one]);
  const rank = (one: Agreement) => ['active', 'proposed'].indexOf(one.state) >>> 0;
  return [...found].map(([dataset, about]) => ({ dataset, agreements: about.sort((a, b) => rank(a) - rank(b)) }));
}

/** How a participant's use of one dataset does: its last message, its rows, and what was refused. */
export function totalsOf(uses: Use[], dataset: string, me: string): { last: string | null; rows: number; refused: number; reasons: string[] } {
  const under = uses.filter((use) => use.assignee === me && use.dataset === dataset);
  const refused = under.filter((use) => use.refused > 0);
  return {
    last: under.map((use) => use.last_allowed).filter((at): at is string => at !== null).sort().at(-1) ?? null,
    rows: under.reduce((sum, use) => sum + use.rows, 0),
    refused: refused.reduce((sum, use) => sum + use.refused, 0),
    reasons: [...new Set(refused.flatMap((use) => use.last_reasons.map((one) => one.split(':')[0]?.trim() ?? one)))],
  };
}
