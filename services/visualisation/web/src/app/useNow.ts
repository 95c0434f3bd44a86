import { useEffect, useState } from 'react';

/** Data older than this is shown as late. */
const lateAfter = 15 * 60_000;

/** The present, renewed every ten seconds, so that ages on the page stay true. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function isLate(at: string, now: Date): boolean {
  return now.getTime() - new Date(at).getTime() > lateAfter;
}
