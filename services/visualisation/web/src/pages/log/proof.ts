/** What kept evidence tells of one agreement, in the words of a person: concluded, used, stopped. */
import type { Evidence } from '../../api';

/** Crossing and actions of the entries that tell what became of an agreement, as the exchange writes them. */
export const law = 'law';
export const concluded = 'dmi:conclude';
export const stopped = 'dmi:end';

interface Leaf {
  crossing: string;
  action: string;
  allowed: boolean;
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
    const { crossing, action, allowed, rows } = JSON.parse(leaf) as Leaf;
    if (crossing === law) {
      if (action === concluded) found.concluded = sequence;
      if (action === stopped) found.stopped = sequence;
    } else if (allowed) {
      found.uses += 1;
      found.rows += rows ?? 0;
    } else found.refused += 1;
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
