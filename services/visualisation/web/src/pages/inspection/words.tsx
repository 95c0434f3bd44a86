/** Words for what supervision shows: roles, shares, amounts of limits, and how a contribution stands. */
import type { Reach, Standing } from '../../api/inspection';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';

/** A share from 0 to 1 in percent; null when there was nothing to measure. */
export function share(value: number | null | undefined, number: (value: number) => string): string | null {
  return typeof value === 'number' ? `${number(Math.round(value * 1000) / 10)} %` : null;
}

export function useRoles(): (ids: string[]) => string {
  const { say, term } = useI18n();
  const { rulebook } = useNames();
  return (ids) => ids.map((id) => say(rulebook?.roles?.find((one) => one.id === id)?.label ?? {}) || term(id)).join(', ');
}

/** An amount in the unit of a limit, and the limit itself in words. */
export function useAmounts() {
  const { t, money, number } = useI18n();
  const amount = (value: number, unit: string) => (unit === 'EUR cent' ? money(value) : `${number(value)} ${t.inspection.units[unit] ?? unit}`);
  const allowed = (reach: Reach) => {
    const { minimum, maximum, unit } = reach;
    if (unit === 'EUR cent' || minimum === null) return t.inspection.atMost(amount(maximum ?? 0, unit));
    if (maximum === null) return t.inspection.atLeast(amount(minimum, unit));
    return t.inspection.between(number(minimum), amount(maximum, unit));
  };
  return { amount, allowed };
}

export function Contribution({ standing }: { standing: Standing }) {
  const { t } = useI18n();
  const part = standing.contribution;
  if (part === null) return <Badge>{t.inspection.left}</Badge>;
  if (part.rides_free) return <Badge tone="bad">{t.inspection.ridesFree}</Badge>;
  if (part.early) return <Badge>{t.inspection.early}</Badge>;
  return part.short > 0 ? <Badge tone="info">{t.inspection.short}</Badge> : <Badge tone="good">{t.inspection.enough}</Badge>;
}
