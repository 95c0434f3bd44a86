/** A text once it has stayed the same for a moment, so that not every key asks a service anew. */
import { useEffect, useState } from 'react';

/** Milliseconds. */
const pause = 250;

export function useLater<T extends string | null>(text: T): T {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
