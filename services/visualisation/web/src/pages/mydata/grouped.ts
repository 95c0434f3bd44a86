/** Log lines about one person, put together by who did what, with what, for what, and whether it was allowed. */
import type { LogEntry } from '../../api';

export interface GroupedUse extends Pick<LogEntry, 'assignee' | 'action' | 'dataset' | 'purpose' | 'allowed'> {
  key: string;
  times: number;
  /** RFC 3339. */
  last: string;
}

export function grouped(entries: LogEntry[]): GroupedUse[] {
  const found = new Map<string, GroupedUse>();
  for (const { assignee, action, dataset, purpose, allowed, at } of entries) {
    const key = [assignee, action, dataset, purpose, allowed].join(' ');
    const known = found.get(key);
    if (!known) found.set(key, { key, assignee, action, dataset, purpose, allowed, times: 1, last: at });
    else {
      known.times += 1;
      if (at > known.last) known.last = at;
    }
  }
  return [...found.values()].sort((a, b) => b.last.localeCompare(a.last));
}
