/** Who an entry of the log names: who acted and for whom, and which of its grounds are mandates. */
import type { LogEntry } from '../../api';
import { law, whoIn } from './proof';

type Told = Pick<LogEntry, 'assignee' | 'crossing' | 'reasons' | 'actor' | 'mandate'>;

export interface Acting {
  /** Who did it; `null`: a person who was erased, or whom one may not see. */
  by: (string | null)[];
  /** For whom, when that is somebody else. */
  behalf: string | null;
  mandate: string | null;
}

export function actingIn(entry: Told): Acting {
  // Who signed or stopped an agreement stands in its reasons: the assignee of such an entry is who it was made with.
  const parties = entry.crossing === law ? whoIn(entry.reasons) : [];
  if (parties.length > 0) return { by: parties, behalf: null, mandate: null };
  if (entry.mandate && entry.actor !== entry.assignee) return { by: [entry.actor ?? null], behalf: entry.assignee, mandate: entry.mandate };
  return { by: [entry.assignee], behalf: null, mandate: null };
}

/** Whether a ground of a decision is a mandate: the one that was acted by, or one that it was given on from. */
export function isMandate(id: string, entry: Pick<LogEntry, 'mandate' | 'reasons'>): boolean {
  return id === entry.mandate || entry.reasons.some((one) => one.includes(`mandate ${id}`) || (one.startsWith('no_mandate') && one.includes(id)));
}

/** The code of each reason, told apart where the same code speaks of a mandate. */
export function codesOf(entry: Pick<LogEntry, 'reasons'>): string[] {
  return [...new Set(entry.reasons.map((one) => {
    const [code = '', ...rest] = one.split(':');
    const ofMandate = ['ended', 'expired', 'not_yet'].includes(code.trim()) && rest.join(':').trim().startsWith('the mandate ');
    return ofMandate ? `mandate_${code.trim()}` : code.trim();
  }))];
}
