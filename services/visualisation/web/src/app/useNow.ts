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

/** Data older than this is history that was handed in, not a measurement that is late. */
const archiveAfter = 30 * 86_400_000;

export function isArchive(at: string, now: Date): boolean {
  return now.getTime() - new Date(at).getTime() > archiveAfter;
}

/** Whether a measurement should have come; an archive waits for none. */
export function isLate(at: string, now: Date): boolean {
  return now.getTime() - new Date(at).getTime() > lateAfter && !isArchive(at, now);
}
