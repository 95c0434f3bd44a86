/** Changes a rule as it was seen. Where somebody else was quicker nothing is written, and what holds now is looked up. */
import { useState } from 'react';
import type { Rule } from '../../api';
import { ApiError } from '../../api/problem';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';

/** What a thing is now when it was changed since it was seen; null when the own change was written. */
export async function movedOn<T>(change: () => Promise<unknown>, look: () => Promise<T>): Promise<T | null> {
  try {
    await change();
    return null;
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 412) return look();
    throw reason;
  }
}

export function useRuleChange(change: (seen: Rule) => Promise<unknown>, done: () => void) {
  const api = useApi();
  // The rule as it stood when the dialog opened: the list behind it goes on being renewed.
  const [seen, setSeen] = useState<Rule | null>(null);
  const [moved, setMoved] = useState(false);
  const { run, busy, error, clear } = useAction(async () => {
    if (seen === null) return;
    const now = await movedOn(() => change(seen), () => api.support.rule(seen.id));
    setMoved(now !== null);
    setSeen(now);
    if (now === null) done();
  });
  const open = (rule: Rule) => {
    clear();
    setMoved(false);
    setSeen(rule);
  };
  return { seen, moved, busy, error, run, open, close: () => setSeen(null) };
}
