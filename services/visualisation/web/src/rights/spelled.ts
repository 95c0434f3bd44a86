/** Policies as the Dataspace Protocol writes them (one action a rule, no target, whole IRIs), and as this application reads them. */
import type { OdrlDocument, OdrlRule, SpelledPolicy, SpelledRule } from '../api';
import { list } from './words';

/** Ids that stand whole in documents too. */
const whole = /^urn:dmi:(dataset|participant|person|party|listing):/;

/** A name of the project's own vocabulary with its prefix in place of the IRI, wherever it stands in a value. */
export function compacted<T>(value: T): T {
  return turned(value, (text) => (text.startsWith('urn:dmi:') && !whole.test(text) ? text.slice('urn:'.length) : text));
}

/** The other way round. */
export function spelledOut<T>(value: T): T {
  return turned(value, (text) => (text.startsWith('dmi:') ? `urn:${text}` : text));
}

function turned<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => turned(one, change)) as T;
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), turned(one as unknown, change)])) as T;
  return value;
}

interface About {
  assigner: string;
  assignee: string;
  dataset: string;
}

/** The document that a policy of the protocol stands for; rules that differ in their action alone become one. */
export function documentOf(policy: SpelledPolicy, about: About): OdrlDocument {
  const rules = (given: SpelledRule[] | undefined) => {
    const found = new Map<string, OdrlRule>();
    for (const { action, ...rest } of compacted(given ?? [])) {
      const key = JSON.stringify(rest);
      const known = found.get(key);
      found.set(key, { ...rest, target: about.dataset, action: known ? [...list(known.action), action] : [action] });
    }
    return [...found.values()];
  };
  const prohibition = rules(policy.prohibition);
  return { assigner: about.assigner, assignee: about.assignee, permission: rules(policy.permission), ...(prohibition.length > 0 ? { prohibition } : {}) };
}

/** A policy of the protocol with the rules of a document; what else it says stays. */
export function policyOf(before: SpelledPolicy, document: OdrlDocument): SpelledPolicy {
  const rules = (given: OdrlRule[] | undefined): SpelledRule[] => (given ?? []).flatMap((rule) => {
    const { action, constraint, duty } = rule;
    return list(action).map((one) => spelledOut({ action: one, ...(constraint?.length ? { constraint } : {}), ...(duty?.length ? { duty } : {}) }));
  });
  const rest = Object.fromEntries(Object.entries(before).filter(([key]) => key !== 'permission' && key !== 'prohibition'));
  const prohibition = rules(document.prohibition);
  return { ...rest, permission: rules(document.permission), ...(prohibition.length > 0 ? { prohibition } : {}) };
}
