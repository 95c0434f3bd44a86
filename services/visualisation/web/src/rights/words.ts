/** An ODRL agreement in plain sentences. A term that is not known is named, never left out. */
import type { OdrlConstraint, OdrlDocument, OdrlRule } from '../api';
import type { Names } from '../app/names';
import type { I18n } from '../i18n';
import { compacted } from './spelling';

export const list = (one: string | string[]): string[] => (Array.isArray(one) ? one : [one]);

/** The bare value of a right operand, typed or not. */
export function operand(value: unknown): string {
  if (value !== null && typeof value === 'object' && '@value' in value) return String(value['@value']);
  if (Array.isArray(value)) return value.map(operand).join(', ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

export function inWords(document: OdrlDocument, i18n: I18n, names: Names): string[] {
  const { t } = i18n;
  const keeps = names.keeps(document.assignee);
  const lines = [t.agreements.gives(names.participant(document.assigner), names.participant(document.assignee))];
  for (const rule of document.permission ?? []) lines.push(...ruleInWords(rule, t.agreements.mayDo, keeps, i18n, names));
  for (const rule of document.prohibition ?? []) lines.push(...ruleInWords(rule, t.agreements.mayNot, keeps, i18n, names));
  for (const duty of document.obligation ?? []) lines.push(dutyInWords(duty.action, duty.constraint ?? [], i18n, keeps));
  lines.push(...beside(document, ofDocuments, i18n));
  return [...new Set(lines)];
}

/** An agreement that somebody is about to sign: what it says, and that it has no end where it has none. */
export function proposalInWords(document: OdrlDocument, i18n: I18n, names: Names): string[] {
  const { until } = outline(document);
  return [...inWords(document, i18n, names), ...(until === null ? [i18n.t.nodes.agreeNoEnd] : [])];
}

/** What bounds a use besides its purpose: until when, where, and what is done to the data first. */
export function limitsInWords(document: OdrlDocument, i18n: I18n, names: Names): string[] {
  const lines = (document.permission ?? []).flatMap((rule) => [
    ...(rule.constraint ?? []).filter((one) => one.leftOperand !== 'purpose').map((one) => constraintInWords(one, i18n, names)),
    ...(rule.duty ?? []).map((duty) => dutyInWords(duty.action, duty.constraint ?? [], i18n, names.keeps(document.assignee))),
  ]);
  return [...new Set(lines)];
}

function ruleInWords(rule: OdrlRule, write: (actions: string, dataset: string) => string, keeps: boolean, i18n: I18n, names: Names): string[] {
  const actions = list(rule.action).map((one) => i18n.term(one)).join(', ');
  const datasets = list(rule.target).map((one) => names.dataset(one)).join(', ');
  return [
    write(actions, datasets),
    ...(rule.constraint ?? []).map((one) => constraintInWords(one, i18n, names)),
    ...(rule.duty ?? []).map((duty) => dutyInWords(duty.action, duty.constraint ?? [], i18n, keeps)),
    ...beside(rule, ofRules, i18n),
  ];
}

/** What a document or rule may say that has no words here, such as policies that it inherits from. */
const ofDocuments = ['action', 'target', 'inheritFrom', 'conflict'];
const ofRules = ['remedy', 'assigner', 'assignee'];

function beside(said: object, members: string[], i18n: I18n): string[] {
  return members.filter((name) => name in said).map((name) => i18n.t.agreements.otherTerm(name));
}

export function constraintInWords(spelled: OdrlConstraint, i18n: I18n, names: Names): string {
  const { t } = i18n;
  const constraint = compacted(spelled);
  const value = operand(constraint.rightOperand);
  switch (constraint.leftOperand) {
    case 'purpose':
      return t.agreements.forPurpose(names.purpose(value));
    case 'dateTime':
      return constraint.operator.startsWith('lt') ? t.agreements.onlyUntil(i18n.moment(value)) : t.agreements.onlyFrom(i18n.moment(value));
    case 'recipient': {
      const ids = Array.isArray(constraint.rightOperand) ? constraint.rightOperand.map(operand) : [value];
      return t.agreements.onlyRecipients(ids.map((id) => names.participant(id)).join(', '));
    }
    case 'spatial':
      return t.agreements.onlyArea;
    default:
      return t.agreements.otherTerm(`${constraint.leftOperand} ${constraint.operator} ${value}`);
  }
}

/** `keeps`: whether who uses the data operates layers, which delete what they keep; to others older rows are not given. */
export function dutyInWords(named: string, bounds: OdrlConstraint[], i18n: I18n, keeps: boolean): string {
  const { t } = i18n;
  const { action, constraints } = compacted({ action: named, constraints: bounds });
  const value = operand(constraints[0]?.rightOperand ?? '');
  switch (action) {
    case 'dmi:leaveOut':
      return t.agreements.dutyLeaveOut(value);
    case 'dmi:coarsen':
      return t.agreements.dutyCoarsen(value);
    case 'dmi:aggregate':
      return t.agreements.dutyAggregate;
    case 'dmi:suppress':
      return t.agreements.dutySuppress(value);
    case 'dmi:cutEnds':
      return t.agreements.dutyCutEnds(value);
    case 'dmi:delay':
      return t.agreements.dutyDelay(value);
    case 'dmi:deleteAfter':
      return keeps ? t.agreements.dutyDelete(value) : t.agreements.dutyOlder(value);
    case 'dmi:pay': {
      const given = new Map(constraints.map((one) => [one.leftOperand, operand(one.rightOperand)]));
      const unit: Record<string, string> = t.agreements.chargedUnits;
      return t.agreements.dutyPay(i18n.money(Number(given.get('dmi:cents'))), i18n.number(Number(given.get('dmi:per'))), unit[given.get('dmi:chargedUnit') ?? ''] ?? '');
    }
    default:
      return t.agreements.otherTerm(action);
  }
}

/** The only participants that an agreement or consent lets use the data; none when it names none. */
export function recipientsOf(document: OdrlDocument): string[] {
  const found = (document.permission ?? []).flatMap((rule) => rule.constraint ?? []).filter((one) => one.leftOperand === 'recipient');
  return [...new Set(found.flatMap((one) => (Array.isArray(one.rightOperand) ? one.rightOperand.map(operand) : [operand(one.rightOperand)])))];
}

/** Whether nothing that a document allows can be done any more: the last day of each permission lies before `now`. */
export function hasPassed(document: OdrlDocument, now: Date): boolean {
  const ended = (rule: OdrlRule) => (rule.constraint ?? []).some((one) => isEnd(one) && Date.parse(operand(one.rightOperand)) <= now.getTime());
  const rules = document.permission ?? [];
  return rules.length > 0 && rules.every(ended);
}

const isEnd = (spelled: OdrlConstraint) => {
  const { leftOperand, operator } = compacted(spelled);
  return leftOperand === 'dateTime' && operator.startsWith('lt');
};

/** The purposes, actions and end of an agreement, for lists. */
export function outline(document: OdrlDocument): { purposes: string[]; actions: string[]; until: string | null } {
  const rules = document.permission ?? [];
  const constraints = rules.flatMap((rule) => rule.constraint ?? []);
  const until = constraints.find((one) => one.leftOperand === 'dateTime' && one.operator.startsWith('lt'));
  return {
    purposes: [...new Set(constraints.filter((one) => one.leftOperand === 'purpose').map((one) => operand(one.rightOperand)))],
    actions: [...new Set(rules.flatMap((rule) => list(rule.action)))],
    until: until ? operand(until.rightOperand) : null,
  };
}
