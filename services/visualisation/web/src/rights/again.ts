/** The terms of an agreement that was stopped, as a new proposal between the same two. */
import type { Agreement, OdrlConstraint, OdrlDocument, OdrlRule } from '../api';
import { toCityInput } from '../i18n/cityTime';
import { uuid } from './templates';
import { endOfDay } from './terms';
import { operand } from './words';

const year = 365 * 86_400_000;

const isLimit = (one: OdrlConstraint) => one.leftOperand === 'dateTime' && one.operator.startsWith('lt');

export interface Again {
  document: OdrlDocument;
  /** The last day that took the place of one that has passed; null where none had. */
  until: string | null;
}

/**
 * Under the rulebook of now. A permission whose last day has passed lasts as long from `now` (milliseconds) as it did from
 * `concluded`, a year at most: some uses may not last longer, such as 30 days in an emergency.
 */
export function sameAgain({ document, concluded_at }: Pick<Agreement, 'document' | 'concluded_at'>, now: number, rulebook?: string): Again {
  const concluded = Date.parse(concluded_at ?? '');
  let until: string | null = null;
  const renewed = (one: OdrlConstraint): OdrlConstraint => {
    // Written so that a date which cannot be read counts as passed: the other side must not sign what ended.
    const end = Date.parse(operand(one.rightOperand));
    if (!isLimit(one) || end > now) return one;
    const day = lastDay(now, end - concluded);
    until = until === null || day < until ? day : until;
    return { ...one, rightOperand: { '@value': endOfDay(day), '@type': 'xsd:dateTime' } };
  };
  const rule = (one: OdrlRule): OdrlRule => (one.constraint ? { ...one, constraint: one.constraint.map(renewed) } : one);
  const made: OdrlDocument = { ...document, uid: `urn:uuid:${uuid()}`, ...(rulebook ? { 'dmi:rulebook': rulebook } : {}) };
  if (document.permission) made.permission = document.permission.map(rule);
  return { document: made, until };
}

/** The day that ends within `lasted` milliseconds from `now`, today at the earliest; a year where it cannot be known. */
function lastDay(now: number, lasted: number): string {
  const known = lasted > 0 && lasted < year;
  const day = toCityInput(now + (known ? lasted : year)).slice(0, 10);
  // It ends late on its day: a bound that is told in days must not be passed by those hours.
  if (!known || Date.parse(endOfDay(day)) <= now + lasted) return day;
  const before = toCityInput(now + lasted - 86_400_000).slice(0, 10);
  return Date.parse(endOfDay(before)) > now ? before : day;
}

/** What already runs or was proposed between the same two with these terms, whatever the last day of each. */
export function standing(document: OdrlDocument, agreements: Agreement[]): Agreement | null {
  const wanted = termsIn(document);
  return agreements.find((one) => one.state !== 'ended' && termsIn(one.document) === wanted) ?? null;
}

function termsIn({ assigner, assignee, permission = [], prohibition = [], obligation = [] }: OdrlDocument): string {
  const open = permission.map((one) => ({ ...one, constraint: (one.constraint ?? []).filter((each) => !isLimit(each)) }));
  return JSON.stringify([assigner, assignee, open, prohibition, obligation]);
}
