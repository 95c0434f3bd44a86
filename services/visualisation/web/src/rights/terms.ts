/** The terms that people change while they negotiate, taken out of a document and put back into it. */
import type { OdrlConstraint, OdrlDocument, OdrlDuty, OdrlRule } from '../api';
import { fromCityInput, toCityInput } from '../i18n/cityTime';
import { uuid } from './templates';
import { list, operand } from './words';

/** Empty texts stand for terms that are not agreed; numbers are texts as people type them. */
export interface Terms {
  actions: string[];
  purpose: string;
  /** The last day, on the city's calendar. */
  until: string;
  grid: string;
  delay: string;
  days: string;
}

type Measure = 'grid' | 'delay' | 'days';
/** The duties that a number tells, with the parameter and unit of that number. */
const measures: Record<Measure, { action: string; parameter: string; unit: string }> = {
  grid: { action: 'dmi:coarsen', parameter: 'dmi:gridSize', unit: 'm' },
  delay: { action: 'dmi:delay', parameter: 'dmi:seconds', unit: 's' },
  days: { action: 'dmi:deleteAfter', parameter: 'dmi:days', unit: 'd' },
};
export const measureNames = Object.keys(measures) as Measure[];

const isEnd = (one: OdrlConstraint) => one.leftOperand === 'dateTime' && one.operator === 'lteq';

/** The terms of a document with one permission for one purpose; null for any other, which a form cannot hold. */
export function termsOf(document: OdrlDocument): Terms | null {
  const rules = document.permission ?? [];
  const [rule] = rules;
  if (!rule || rules.length !== 1) return null;
  const constraints = rule.constraint ?? [];
  const purposes = constraints.filter((one) => one.leftOperand === 'purpose');
  const ends = constraints.filter((one) => one.leftOperand === 'dateTime' && one.operator.startsWith('lt'));
  const plain = purposes.length === 1 && purposes[0]?.operator === 'isA' && typeof purposes[0].rightOperand === 'string';
  if (!plain || ends.length > 1 || !ends.every(isEnd)) return null;
  const end = ends[0] ? Date.parse(operand(ends[0].rightOperand)) : NaN;
  if (ends[0] && Number.isNaN(end)) return null;
  const measured: Record<Measure, string> = { grid: '', delay: '', days: '' };
  for (const name of measureNames) {
    const found = (rule.duty ?? []).filter((duty) => duty.action === measures[name].action);
    const [only] = found[0]?.constraint ?? [];
    if (found.length > 1 || (found[0] && (found[0].constraint?.length !== 1 || only?.operator !== 'eq'))) return null;
    measured[name] = only ? operand(only.rightOperand) : '';
  }
  return { actions: list(rule.action), purpose: operand(purposes[0]?.rightOperand), until: ends[0] ? toCityInput(end).slice(0, 10) : '', ...measured };
}

/** The document with other terms and an id of its own; what the terms do not speak of stays as it was. */
export function withTerms(document: OdrlDocument, terms: Terms): OdrlDocument {
  const before = termsOf(document);
  const [rule] = document.permission ?? [];
  if (!before || !rule) throw new Error('this document has terms that a form cannot hold');
  const kept = (rule.constraint ?? []).filter((one) => !isEnd(one) || before.until === terms.until);
  const constraint = kept.map((one) => (one.leftOperand === 'purpose' ? { ...one, rightOperand: terms.purpose } : one));
  if (terms.until !== '' && terms.until !== before.until) {
    constraint.push({ leftOperand: 'dateTime', operator: 'lteq', rightOperand: { '@value': endOfDay(terms.until), '@type': 'xsd:dateTime' } });
  }
  const duty = dutiesWith(rule.duty ?? [], before, terms);
  const made: OdrlRule = { ...rule, action: terms.actions, constraint };
  delete made.duty;
  return { ...document, uid: `urn:uuid:${uuid()}`, permission: [duty.length > 0 ? { ...made, duty } : made] };
}

function dutiesWith(duties: OdrlDuty[], before: Terms, terms: Terms): OdrlDuty[] {
  const changed = measureNames.filter((name) => before[name] !== terms[name].trim());
  const kept = duties.filter((duty) => !changed.some((name) => measures[name].action === duty.action));
  const added = changed.filter((name) => terms[name].trim() !== '').map((name) => {
    const { action, parameter, unit } = measures[name];
    const value = { '@value': terms[name].trim(), '@type': 'xsd:integer' };
    return { action, constraint: [{ leftOperand: parameter, operator: 'eq', rightOperand: value, unit }] };
  });
  return [...kept, ...added];
}

/** Which terms cannot be sent: no action, no purpose, a day that has passed, a number that is none. */
export function wrongTerms(terms: Terms, today: string): Partial<Record<keyof Terms, 'choose' | 'past' | 'number'>> {
  const found: Partial<Record<keyof Terms, 'choose' | 'past' | 'number'>> = {};
  if (terms.actions.length === 0) found.actions = 'choose';
  if (terms.purpose === '') found.purpose = 'choose';
  if (terms.until !== '' && terms.until < today) found.until = 'past';
  for (const name of measureNames) if (!/^([1-9]\d{0,8})?$/.test(terms[name].trim())) found[name] = 'number';
  return found;
}

/** The last second of a day of the city. */
export function endOfDay(day: string): string {
  return new Date(fromCityInput(`${day}T23:59:59`)).toISOString().replace(/\.\d+Z$/, 'Z');
}
