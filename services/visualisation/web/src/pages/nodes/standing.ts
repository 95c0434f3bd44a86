/** Where a negotiation with another node stands, and what a participant can do about it. */
import type { CityNode, Negotiation, OdrlDocument, Participant } from '../../api';
import type { Names } from '../../app/names';
import type { Messages } from '../../i18n/nl';
import { documentOf } from '../../rights/spelled';
import type { SpelledPolicy } from '../../api';

export type Step = 'accept' | 'offer' | 'signature' | 'end';

const steps: Record<string, Step[]> = {
  consumerOFFERED: ['accept', 'offer'],
  consumerAGREED: ['signature'],
  providerREQUESTED: ['signature', 'offer'],
  providerACCEPTED: ['signature'],
};

export function isOver(one: Pick<Negotiation, 'state'>): boolean {
  return one.state === 'FINALIZED' || one.state === 'TERMINATED';
}

type Standing = Pick<Negotiation, 'role' | 'state' | 'reason'>;

/**
 * Whether the node itself may still answer: to an offer of one's own, or with a key that it keeps. It says so when it
 * leaves that to a person; whoever looked before that would ask for a text to sign that is signed already.
 */
function isOpen(one: Standing): boolean {
  return (steps[one.role + one.state] ?? []).includes('signature') && one.reason?.startsWith('waits for you') !== true;
}

/** What can be done now; ending it can always be, until it is over. */
export function stepsOf(one: Standing): Step[] {
  return isOver(one) ? [] : [...(isOpen(one) ? [] : (steps[one.role + one.state] ?? [])), 'end'];
}

/** Whether it is for this participant to answer. */
export function isTurn(one: Standing): boolean {
  return stepsOf(one).length > 1;
}

/** Whose turn it is and why, in words. */
export function whyOf(one: Standing, t: Messages): string {
  if (isOpen(one)) return t.nodes.working;
  return (t.nodes.waits as Record<string, string>)[one.role + one.state] ?? one.reason ?? one.state;
}

type Seen = Standing & Pick<Negotiation, 'participant' | 'other'>;

/** Who asks or offers whom; the operator sees those of others too. */
export function sidesOf(one: Seen, me: string, names: Pick<Names, 'participant'>, t: Messages): string {
  const other = names.participant(one.other);
  return one.participant === me ? t.nodes[one.role](other) : t.nodes.others[one.role](names.participant(one.participant), other);
}

/** `whyOf` for whoever looks, who may be neither side. */
export function whyFor(one: Seen, me: string, names: Pick<Names, 'participant'>, t: Messages): string {
  if (one.participant === me || isOver(one)) return whyOf(one, t);
  // Nobody is waited for any more: the provider's node concludes what both have signed.
  if (one.role === 'provider' && one.state === 'VERIFIED') return whyOf(one, t);
  return t.nodes.others.waits(names.participant(one.role + one.state in steps ? one.participant : one.other));
}

/** The reason that the systems gave, unless it only says whose turn it is. */
export function toldReason(one: Pick<Negotiation, 'reason'>): string | null {
  return one.reason === null || one.reason.startsWith('waits for ') ? null : one.reason;
}

/** The name of another city: of its municipality once that is known, with the address where it answers. */
export function cityOf(node: Pick<CityNode, 'url' | 'address'>, participants: Participant[]): string {
  const host = node.url.replace(/^https?:\/\//, '');
  const members = participants.filter((one) => one.home && `${one.home}/dsp` === node.address && one.roles?.includes('dmi:role:municipality'));
  return members.length > 0 ? `${members.map((one) => one.name).join(', ')} (${host})` : host;
}

/** A policy of a negotiation as a document between its two sides. */
export function documentIn(one: Pick<Negotiation, 'role' | 'participant' | 'other' | 'dataset'>, policy: SpelledPolicy): OdrlDocument {
  const [assigner, assignee] = one.role === 'provider' ? [one.participant, one.other] : [one.other, one.participant];
  return documentOf(policy, { assigner, assignee, dataset: one.dataset ?? '' });
}
