/** Agreements, what they come of, and what is known of them while they run. */
import type { Text } from './types';

export interface OdrlConstraint {
  leftOperand: string;
  operator: string;
  rightOperand: unknown;
  unit?: string;
}
export interface OdrlDuty {
  action: string;
  constraint?: OdrlConstraint[];
}
export interface OdrlRule {
  target: string | string[];
  action: string | string[];
  constraint?: OdrlConstraint[];
  duty?: OdrlDuty[];
}
export interface OdrlDocument {
  '@context'?: unknown;
  '@type'?: string;
  uid?: string;
  profile?: string;
  'dmi:rulebook'?: string;
  'dmi:legalBasis'?: string;
  assigner: string;
  assignee: string;
  permission?: OdrlRule[];
  prohibition?: OdrlRule[];
  /** Owed for the agreement as a whole. */
  obligation?: OdrlDuty[];
}
export type AgreementState = 'proposed' | 'active' | 'ended' | (string & {});
/** An agreement, or a consent, which is an agreement of a natural person. */
export interface Agreement {
  id: string;
  assigner: string;
  assignee: string;
  datasets: string[];
  consent: boolean;
  state: AgreementState;
  document: OdrlDocument;
  /** Signature by participant. */
  signatures: Record<string, string>;
  waiting_for: string[];
  concluded_at: string | null;
  ended_at: string | null;
  ended_by: string | null;
  end_reason: string | null;
  /** What the review holds against it while it runs. */
  objections?: { rule: string; path: string; since: string }[];
  /** The proposal of the same negotiation that this one took the place of, and the one that took its place. */
  replaces?: string | null;
  replaced_by?: string | null;
}
/** A duty of a running agreement, by its place in the document. */
export interface Duty {
  agreement: string;
  duty: string;
  action: string;
  carried_out: 'node' | 'party';
  performed: { at: string; by: string } | null;
}
/** How often agreements were used lately; not complete: from `since` on at least. */
export interface AgreementUse {
  since: string;
  complete: boolean;
  items: { agreement: string; times: number; rows: number; last: string }[];
}
export interface BrokenRule {
  rule: string;
  label: Text;
  law: string;
  path: string;
  explanation: Text;
  detail: Text;
}
/** What law and rulebook say about a document, and the smallest change after which they allow it. */
export interface Verdict {
  passes: boolean;
  rulebook: string;
  reasons: BrokenRule[];
  /** What is wrong with the entry that was judged with it. */
  entry?: BrokenRule[];
  change: { steps: Text[]; patch: unknown[]; document: OdrlDocument } | null;
}
/** A text of the rulebook with places to fill in. */
export interface Template {
  id: string;
  label: Text;
  description: Text;
  parameters: { name: string; kind: string; label: Text; required: boolean }[];
}
export type Parameters = Record<string, string | string[] | number[]>;
/** A dataset under a template, offered to whoever agrees with its owner. */
export interface Offer {
  id: string;
  dataset: string;
  owner: string;
  template: string;
  parameters: Parameters;
  rules: SpelledPolicy;
}
/** A rule as the Dataspace Protocol writes it: one action, no target, names as whole IRIs. */
export type SpelledRule = Omit<OdrlRule, 'target' | 'action'> & { action: string };
export interface SpelledPolicy {
  '@id'?: string;
  '@type'?: string;
  permission?: SpelledRule[];
  prohibition?: SpelledRule[];
  obligation?: OdrlDuty[];
  'urn:dmi:legalBasis'?: string;
  [name: string]: unknown;
}
/** Another city's node, and whether it answers now. */
export interface CityNode {
  url: string;
  address: string;
  operator: string | null;
  reachable: boolean;
  reason: string | null;
  since: string | null;
  members_left_out?: number;
  members_unread?: number;
}
export interface NodeEntry {
  dataset: string;
  owner: string | null;
  title: { nl?: string; en?: string };
  description: { nl?: string; en?: string };
  address: string;
  offers: SpelledPolicy[];
}
/** A page of another city's catalogue; `left_out` of its entries could not be read. */
export interface NodeCatalogue {
  items: NodeEntry[];
  next: string | null;
  left_out?: number;
}
/** The data of an agreement with another node, on its way; `reason` says why it waits or ended. */
export interface Transfer {
  id: string;
  role: 'consumer' | 'provider';
  state: string;
  reason: string | null;
  ended_by: 'consumer' | 'provider' | null;
  suspended_by: 'consumer' | 'provider' | null;
  pending: number;
  participant: string;
  other: string;
  dataset: string | null;
  agreement: string | null;
  begun_at: string;
  changed_at: string;
  format: string;
  data: { received: number; not_taken: number } | { sent: number; pieces: number; sent_again: number; rows_again?: number; log: { first: number; last: number } | null };
}
/** A negotiation with a participant of another node; `reason` says why it waits or ended. */
export interface Negotiation {
  id: string;
  role: 'consumer' | 'provider';
  state: string;
  reason: string | null;
  ended_by: 'consumer' | 'provider' | null;
  /** Messages that the other node has not taken yet. */
  pending: number;
  participant: string;
  other: string;
  /** Where the other node speaks the protocol. */
  address: string;
  dataset: string | null;
  agreement: string | null;
  begun_at: string;
  changed_at: string;
  offer: SpelledPolicy;
  offered_by: 'consumer' | 'provider' | null;
  offer_before: SpelledPolicy | null;
  /** Whether the agreement that came of it stands in this node's law. */
  kept: boolean;
  /** When that agreement was stopped; null while it holds. */
  stopped_at: string | null;
}
