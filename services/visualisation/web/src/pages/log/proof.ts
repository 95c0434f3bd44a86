/** What kept evidence tells of one agreement, in the words of a person: concluded, used, stopped. */
import type { Evidence } from '../../api';

/** Crossing and actions of the entries that tell what became of an agreement, as the exchange writes them. */
export const law = 'law';
export const concluded = 'dmi:conclude';
export const stopped = 'dmi:end';

/** Codes of entries that tell what followed from a decision: rows that left, whose they were, a request carried out. */
const tells = ['given', 'delivered', 'exercised'];

/** Code of a decision about a use that was counted before. */
const goesOn = 'goes_on';

/** What an entry is: a decision, or told of one that was written before. */
export function decides(entry: { crossing: string; reasons?: string[] }): boolean {
  return entry.crossing !== law && !tells.includes(codeOf(entry));
}

/** Whether there is a proof of it: of a decision, and of what was let through under one. */
export function explained(entry: { crossing: string; reasons?: string[] }): boolean {
  return decides(entry) || (entry.crossing !== law && codeOf(entry) !== 'exercised');
}

function codeOf({ reasons }: { reasons?: string[] }): string {
  return reasons?.[0]?.split(':')[0] ?? '';
}

/** Whether it tells rows that left; transfers of earlier versions told theirs as delivered. */
function leaves(entry: { reasons?: string[] }): boolean {
  const code = codeOf(entry);
  return code === 'given' || (code === 'delivered' && (entry.reasons?.[0]?.includes(' rows given to ') ?? false));
}

interface Leaf {
  crossing: string;
  action: string;
  allowed: boolean;
  reasons?: string[];
  rows?: number;
}

export interface Course {
  concluded: number | null;
  stopped: number | null;
  uses: number;
  rows: number;
  refused: number;
}

export function courseOf(evidence: Pick<Evidence, 'entries'>): Course {
  const found: Course = { concluded: null, stopped: null, uses: 0, rows: 0, refused: 0 };
  for (const { sequence, leaf } of evidence.entries) {
    const entry = JSON.parse(leaf) as Leaf;
    const { crossing, action, allowed, rows } = entry;
    if (crossing === law) {
      if (action === concluded) found.concluded = sequence;
      if (action === stopped) found.stopped = sequence;
    } else if (!allowed) found.refused += 1;
    else if (decides(entry)) {
      if (codeOf(entry) !== goesOn) found.uses += 1;
      found.rows += rows ?? 0;
    } else if (leaves(entry)) found.rows += rows ?? 0;
  }
  return found;
}

/** The size of the log in a file that was kept before; null when it is no such file. */
export function sizeIn(text: string): number | null {
  try {
    const found: unknown = (JSON.parse(text) as { head?: { tree_size?: unknown } } | null)?.head?.tree_size;
    return typeof found === 'number' && Number.isInteger(found) && found > 0 ? found : null;
  } catch {
    return null;
  }
}

/** Who signed or stopped, from the reasons of an entry about an agreement. */
export function whoIn(reasons: string[]): string[] {
  return reasons.flatMap((one) => /^(?:signed|stopped): (\S+)/.exec(one)?.[1] ?? []);
}
