/** The settings of a rule as a form has them, and as the support centre takes them. */
import type { Rule } from '../../api';

export const levels = ['B', 'C', 'D', 'E', 'F'];
/** A rule speaks again only after the value fell this far below its threshold (share of the capacity). */
const gap = 0.1;

export interface Given {
  /** Percent of the capacity. */
  share: string;
  level: string;
  minutes: string;
}

/** A rule's settings as the form begins with them. */
export function givenOf(rule: Rule): Given {
  return {
    share: rule.full_share === undefined ? '' : String(Math.round(rule.full_share * 100)),
    level: rule.threshold ?? '',
    minutes: String(rule.duration_min ?? ''),
  };
}

export function wrongSettings(kind: string, given: Given): { threshold: boolean; minutes: boolean } {
  return {
    threshold: kind === 'garage' ? !whole(given.share, 1, 100) : !levels.includes(given.level),
    minutes: !whole(given.minutes, 5, 24 * 60),
  };
}

export function settingsOf(rule: Rule, given: Given): Record<string, unknown> {
  const lasting = { duration_min: Number(given.minutes) };
  if (rule.kind !== 'garage') return { ...lasting, threshold: given.level };
  const full = Number(given.share) / 100;
  return { ...lasting, full_share: full, release_share: Math.max(0, Math.round((full - gap) * 100) / 100) };
}

function whole(text: string, least: number, most: number): boolean {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most;
}
