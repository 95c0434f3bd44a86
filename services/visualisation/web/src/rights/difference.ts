/** What one proposal changes of another, clause by clause, in words. */
import type { OdrlDocument, OdrlRule } from '../api';
import type { Names } from '../app/names';
import type { I18n } from '../i18n';
import { constraintInWords, dutyInWords, list, operand } from './words';

export interface Change {
  key: string;
  /** What the clause is about. */
  clause: string;
  /** Null: the clause was not there. */
  before: string | null;
  /** Null: the clause is gone. */
  after: string | null;
}

interface Clause {
  key: string;
  clause: string;
  text: string;
}

/** The clauses that differ, in the order of the later document; what is gone comes last. Ids and signatures are no clauses. */
export function difference(before: OdrlDocument, after: OdrlDocument, i18n: I18n, names: Names): Change[] {
  const old = clausesOf(before, i18n, names);
  const fresh = clausesOf(after, i18n, names);
  const texts = (clauses: Clause[], key: string) => {
    const found = clauses.filter((one) => one.key === key).map((one) => one.text);
    return found.length > 0 ? found.join('; ') : null;
  };
  const keys = new Map([...fresh, ...old].map((one) => [one.key, one.clause]));
  return [...keys].map(([key, clause]) => ({ key, clause, before: texts(old, key), after: texts(fresh, key) })).filter((one) => one.before !== one.after);
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
  const actions = list(rule.action).map((one) => term(one)).sort().join(', ');
  const data = list(rule.target).map((one) => names.dataset(one)).sort().join(', ');
  return [
    { key: `${key} action`, clause: head + number, text: actions },
    { key: `${key} target`, clause: t.common.dataset + number, text: data },
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
