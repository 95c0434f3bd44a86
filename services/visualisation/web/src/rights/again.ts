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

/** Under the rulebook of now; a permission whose last day has passed lasts a year from `now` (milliseconds). */
export function sameAgain(document: OdrlDocument, now: number, rulebook?: string): Again {
  const day = toCityInput(now + year).slice(0, 10);
  let until: string | null = null;
  const renewed = (one: OdrlConstraint): OdrlConstraint => {
    // Written so that a date which cannot be read counts as passed: the other side must not sign what ended.
    if (!isLimit(one) || Date.parse(operand(one.rightOperand)) > now) return one;
    until = day;
    return { ...one, rightOperand: { '@value': endOfDay(day), '@type': 'xsd:dateTime' } };
  };
  const rule = (one: OdrlRule): OdrlRule => (one.constraint ? { ...one, constraint: one.constraint.map(renewed) } : one);
  const made: OdrlDocument = { ...document, uid: `urn:uuid:${uuid()}`, ...(rulebook ? { 'dmi:rulebook': rulebook } : {}) };
  if (document.permission) made.permission = document.permission.map(rule);
  return { document: made, until };
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
