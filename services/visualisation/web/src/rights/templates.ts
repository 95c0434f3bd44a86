/** Conditions that a person chooses in plain words, as ODRL documents of the supported subset. */
import type { OdrlConstraint, OdrlDocument } from '../api';

export const everyone = 'urn:dmi:party:everyone';
/** Who operates the layers where nothing else is set. */
export const defaultStack = 'urn:dmi:participant:stack';
export type ConditionChoice = 'open' | 'city' | 'narrow';

export interface Wish {
  assigner: string;
  assignee: string;
  dataset: string;
  actions: string[];
  purpose: string;
  until?: string | null;
  /** Metres to which places are rounded. */
  grid?: number | null;
  /** Legal basis; left out: a public task. */
  basis?: string;
  rulebook: string;
}

export function agreementOf(wish: Wish): OdrlDocument {
  const constraint: OdrlConstraint[] = [{ leftOperand: 'purpose', operator: 'isA', rightOperand: wish.purpose }];
  if (wish.until) {
    constraint.push({
      leftOperand: 'dateTime', operator: 'lteq', rightOperand: { '@value': wish.until, '@type': 'xsd:dateTime' },
    });
  }
  const duty = wish.grid
    ? [{
        action: 'dmi:coarsen',
        constraint: [{
          leftOperand: 'dmi:gridSize', operator: 'eq', unit: 'm',
          rightOperand: { '@value': String(wish.grid), '@type': 'xsd:integer' },
        }],
      }]
    : undefined;
  return {
    '@context': ['http://www.w3.org/ns/odrl.jsonld', { dmi: 'urn:dmi:' }],
    '@type': 'Agreement',
    uid: `urn:uuid:${uuid()}`,
    profile: 'urn:dmi:profile:1',
    'dmi:rulebook': wish.rulebook,
    'dmi:legalBasis': wish.basis ?? 'dmi:basis:public-task',
    assigner: wish.assigner,
    assignee: wish.assignee,
    permission: [{ target: wish.dataset, action: wish.actions, constraint, ...(duty ? { duty } : {}) }],
  };
}

/** A random UUID, also where the page is served over plain http and `randomUUID` is absent. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export const working = ['dmi:process', 'dmi:read', 'dmi:display', 'dmi:analyse', 'dmi:publish', 'dmi:export'];

/** The agreements that one choice stands for: always one with the stack, and for open data one with everyone. */
export function documentsFor(choice: ConditionChoice, owner: string, dataset: string, purpose: string, rulebook: string, stack: string): OdrlDocument[] {
  const base = { assigner: owner, dataset, rulebook };
  // A whole day, so that the same choice made again is the same text.
  const year = new Date(Date.now() + 365 * 86_400_000).toISOString().replace(/T.*$/, 'T23:59:59Z');
  switch (choice) {
    case 'open':
      return [
        agreementOf({ ...base, assignee: stack, actions: working, purpose: 'dmi:purpose:any' }),
        agreementOf({ ...base, assignee: everyone, actions: working.filter((one) => one !== 'dmi:process'), purpose: 'dmi:purpose:any' }),
      ];
    case 'city':
      return [agreementOf({ ...base, assignee: stack, actions: working, purpose: 'dmi:purpose:public-task' })];
    case 'narrow':
      return [agreementOf({ ...base, assignee: stack, actions: working, purpose, until: year, grid: 100 })];
  }
}
