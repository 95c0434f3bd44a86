/** What the log says about the use of data lately, put together for first screens. */
import type { Agreement, Use } from '../../api';
import { outline } from '../../rights/words';

/** Uses of a dataset by others than its owner. */
export function usesOf(uses: Use[], dataset: string, owner: string): { times: number; refused: number; last: string | null } {
  const found = uses.filter((use) => use.dataset === dataset && use.assignee !== owner);
  return {
    times: found.reduce((sum, use) => sum + use.allowed, 0),
    refused: found.reduce((sum, use) => sum + use.refused, 0),
    last: found.map((use) => use.last_allowed).filter((at): at is string => at !== null).sort().at(-1) ?? null,
  };
}

/** How one agreement of a participant does: its last message, and what was refused on its data. */
export function connectionOf(uses: Use[], agreement: Agreement, me: string): { last: string | null; rows: number; refused: number; reasons: string[] } {
  const { actions } = outline(agreement.document);
  // By what was done, not by the agreement that the gate took: open data allows the same use with fewer duties.
  const under = uses.filter((use) => use.assignee === me && agreement.datasets.includes(use.dataset) && actions.includes(use.action));
  const refused = under.filter((use) => use.refused > 0);
  return {
    last: under.map((use) => use.last_allowed).filter((at): at is string => at !== null).sort().at(-1) ?? null,
    rows: under.reduce((sum, use) => sum + use.rows, 0),
    refused: refused.reduce((sum, use) => sum + use.refused, 0),
    reasons: [...new Set(refused.flatMap((use) => use.last_reasons.map((one) => one.split(':')[0]?.trim() ?? one)))],
  };
}
