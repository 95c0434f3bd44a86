/** Shares that always add up to 100: moving one moves the others in proportion. */

export type Shares = Record<string, number>;

/** Sets one share in whole percents; the rest divides what is left, in the proportion that it had. */
export function setShare(shares: Shares, name: string, value: number): Shares {
  const wanted = Math.round(Math.min(100, Math.max(0, value)));
  const others = Object.keys(shares).filter((key) => key !== name);
  const left = 100 - wanted;
  const before = others.reduce((sum, key) => sum + (shares[key] ?? 0), 0);
  const exact = others.map((key) => (before === 0 ? left / others.length : ((shares[key] ?? 0) / before) * left));
  const whole = exact.map(Math.floor);
  let missing = left - whole.reduce((sum, n) => sum + n, 0);
  // The largest remainders get the percents that rounding down left over.
  const order = exact.map((n, index) => ({ index, rest: n - Math.floor(n) })).sort((a, b) => b.rest - a.rest);
  for (const { index } of order) {
    if (missing <= 0) break;
    whole[index] = (whole[index] ?? 0) + 1;
    missing -= 1;
  }
  const next: Shares = {};
  for (const key of Object.keys(shares)) next[key] = key === name ? wanted : (whole[others.indexOf(key)] ?? 0);
  return next;
}

export function total(shares: Shares): number {
  return Object.values(shares).reduce((sum, n) => sum + n, 0);
}

/** As the interface wants it: fractions, without the parts that are nothing. */
export function toMix(shares: Shares): Record<string, number> {
  return Object.fromEntries(Object.entries(shares).filter(([, n]) => n > 0).map(([key, n]) => [key, n / 100]));
}
