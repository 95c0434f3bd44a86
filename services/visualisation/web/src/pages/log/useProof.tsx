/** The proof of one decision below a list of them: asked for by a button, to which the focus goes back when it closes. */
import { useRef, useState, type ReactNode } from 'react';
import type { LogEntry } from '../../api';
import { ProofCard } from './ProofCard';

/** `heading`: the level that follows on those above it. */
export function useProof(heading: 'h2' | 'h3'): { ask: (entry: LogEntry | null) => void; shown: ReactNode } {
  const [asked, setAsked] = useState<LogEntry | null>(null);
  const opener = useRef<HTMLElement | null>(null);
  const ask = (entry: LogEntry | null) => {
    opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setAsked(entry);
  };
  const close = () => {
    setAsked(null);
    opener.current?.focus();
  };
  return { ask, shown: asked ? <ProofCard key={asked.sequence} entry={asked} heading={heading} onClose={close} /> : null };
}
