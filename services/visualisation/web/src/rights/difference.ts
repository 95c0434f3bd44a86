/** What one proposal changes of another, clause by clause, in words. */
import type { OdrlDocument, OdrlRule } from '../api';
import type { Names } from '../app/names';
import type { I18n } from '../i18n';
import { constraintInWords, dutyInWords, list, operand } from './words';

export interface Change {
  key: string;
  /** What the clause is about. */
  clause: string;
  /** Null: the clause was not there; of a list, nothing goes from it. */
  before: string | null;
  /** Null: the clause is gone; of a list, nothing comes to it. */
  after: string | null;
  /** Whether the clause is a list: then `before` holds what goes from it and `after` what comes to it, without what stays. */
  list: boolean;
}

interface Clause {
  key: string;
  clause: string;
  text: string;
  /** The same one by one, where the clause is a list. */
  items?: string[];
}

/** The clauses that differ, in the order of the later document; what is gone comes last. Ids and signatures are no clauses. */
export function difference(before: OdrlDocument, after: OdrlDocument, i18n: I18n, names: Names): Change[] {
  const old = clausesOf(before, i18n, names);
  const fresh = clausesOf(after, i18n, names);
  const keys = new Map([...fresh, ...old].map((one) => [one.key, one]));
  const told = [...keys.values()].map(({ key, clause, items }) => {
    const was = old.filter((one) => one.key === key);
    const becomes = fresh.filter((one) => one.key === key);
    const side = (these: Clause[], those: Clause[]) => (items ? apart(these, those) : joined(these));
    return { key, clause, before: side(was, becomes), after: side(becomes, was), list: items !== undefined };
  });
  return told.filter((one) => one.before !== one.after);
}

function joined(clauses: Clause[]): string | null {
  return clauses.length > 0 ? clauses.map((one) => one.text).join('; ') : null;
}

/** What stands in these lists and not in those; null for nothing. */
function apart(these: Clause[], those: Clause[]): string | null {
  const other = new Set(those.flatMap((one) => one.items ?? []));
  return these.flatMap((one) => one.items ?? []).filter((one) => !other.has(one)).join(', ') || null;
}

function clausesOf(document: OdrlDocument, i18n: I18n, names: Names): Clause[] {
  const { t, term } = i18n;
  const permissions = document.permission ?? [];
  const prohibitions = document.prohibition ?? [];
  const rules = [
    ...permissions.map((rule, index) => ({ rule, head: t.negotiate.may, key: `permission ${index}`, of: permissions.length })),
    ...prohibitions.map((rule, index) => ({ rule, head: t.negotiate.mayNot, key: `prohibition ${index}`, of: prohibitions.length })),
  ];
  return [
    ...rules.flatMap(({ rule, head, key, of }, index) => ruleClauses(rule, head, key, of > 1 ? ` (${index + 1})` : '', names.keeps(document.assignee), i18n, names)),
    { key: 'basis', clause: t.agreements.basis, text: term(document['dmi:legalBasis']) },
    { key: 'rulebook', clause: t.agreements.rulebook, text: document['dmi:rulebook'] ?? '' },
  ].filter((one) => one.text !== '');
}

function ruleClauses(rule: OdrlRule, head: string, key: string, number: string, keeps: boolean, i18n: I18n, names: Names): Clause[] {
  const { t, term, moment } = i18n;
  const actions = list(rule.action).map((one) => term(one)).sort();
  const data = list(rule.target).map((one) => names.dataset(one)).sort();
  return [
    { key: `${key} action`, clause: head + number, text: actions.join(', '), items: actions },
    { key: `${key} target`, clause: t.common.dataset + number, text: data.join(', '), items: data },
    ...(rule.constraint ?? []).map((one) => {
      const value = operand(one.rightOperand);
      if (one.leftOperand === 'purpose') return { key: `${key} purpose`, clause: t.common.purpose + number, text: names.purpose(value) };
      if (one.leftOperand === 'dateTime') {
        const last = one.operator.startsWith('lt');
        return { key: `${key} ${last ? 'until' : 'from'}`, clause: (last ? t.agreements.until : t.negotiate.from) + number, text: moment(value) };
      }
      return { key: `${key} ${one.leftOperand}`, clause: t.negotiate.condition + number, text: constraintInWords(one, i18n, names) };
    }),
    ...(rule.duty ?? []).map((duty) => ({ key: `${key} ${duty.action}`, clause: t.negotiate.duty + number, text: dutyInWords(duty.action, duty.constraint ?? [], i18n, keeps) })),
  ];
}
