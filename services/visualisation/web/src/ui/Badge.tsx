/** A short state in words, with a colour and a mark of its own shape. */
import { Icon, type IconName } from './Icon';

export type BadgeTone = 'neutral' | 'good' | 'warn' | 'bad' | 'info';
const marks: Record<BadgeTone, IconName | null> = { neutral: null, good: 'good', warn: 'warning', bad: 'stop', info: 'info' };

export function Badge({ tone = 'neutral', children }: { tone?: BadgeTone; children: string }) {
  const mark = marks[tone];
  return (
    <span className={`dmi-badge dmi-badge--${tone}`}>
      {mark ? <Icon name={mark} size={14} /> : null}
      {children}
    </span>
  );
}

export function stateTone(state: string): BadgeTone {
  if (state === 'active' || state === 'published') return 'good';
  if (state === 'proposed') return 'info';
  if (state === 'ended' || state === 'withdrawn') return 'bad';
  return 'neutral';
}
