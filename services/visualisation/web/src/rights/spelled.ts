/** Policies as the Dataspace Protocol writes them (one action a rule, no target, whole IRIs), and as this application reads them. */
import type { OdrlDocument, OdrlRule, SpelledPolicy, SpelledRule } from '../api';
import { compacted, spelledOut } from './spelling';
import { list } from './words';

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
  const obligation = compacted(policy.obligation ?? []);
  const basis = policy['urn:dmi:legalBasis'];
  return {
    ...(basis ? { 'dmi:legalBasis': compacted(basis) } : {}),
    assigner: about.assigner, assignee: about.assignee, permission: rules(policy.permission),
    ...(prohibition.length > 0 ? { prohibition } : {}), ...(obligation.length > 0 ? { obligation } : {}),
  };
}

/** A policy of the protocol with the rules of a document; what else it and its rules say stays, such as a remedy. */
export function policyOf(before: SpelledPolicy, document: OdrlDocument): SpelledPolicy {
  const rules = (given: OdrlRule[] | undefined): SpelledRule[] => (given ?? []).flatMap((rule) => {
    const { action, ...rest } = rule;
    const kept = Object.fromEntries(Object.entries(rest).filter(([key, value]) => key !== 'target' && !(Array.isArray(value) && value.length === 0)));
    return list(action).map((one) => spelledOut({ ...kept, action: one }));
  });
  const rest = Object.fromEntries(Object.entries(before).filter(([key]) => key !== 'permission' && key !== 'prohibition'));
  const prohibition = rules(document.prohibition);
  return { ...rest, permission: rules(document.permission), ...(prohibition.length > 0 ? { prohibition } : {}) };
}
