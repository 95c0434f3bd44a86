import type { Reject } from '../../api';

export interface RejectGroup {
  key: string;
  dataset: string | null;
  reason: string;
  detail: string | null;
  rows: number;
  /** The newest of them. */
  at: string;
  ids: string[];
}

/** Rejects by dataset and reason, each with its rows counted and the ids to play again. */
export function grouped(rejects: Reject[]): RejectGroup[] {
  const groups = new Map<string, RejectGroup>();
  for (const one of rejects) {
    const key = `${one.dataset ?? ''} ${one.reason}`;
    const known: RejectGroup = groups.get(key) ?? { key, dataset: one.dataset ?? null, reason: one.reason, detail: one.detail ?? null, rows: 0, at: one.at ?? '', ids: [] };
    known.rows += one.rows ?? 1;
    known.ids.push(one.id);
    if (one.at && one.at > known.at) known.at = one.at;
    groups.set(key, known);
  }
  return [...groups.values()];
}
