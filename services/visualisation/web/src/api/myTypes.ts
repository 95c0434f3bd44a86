/** What people see and ask of their own data. */
import type { Text } from './types';

/** Who used the data of a person, for what, how often, and when first and last. */
export interface OwnUse {
  dataset: string;
  participant: string;
  name: string;
  purpose: string;
  purpose_label: Text;
  action: string;
  times: number;
  first: string;
  last: string;
  agreements: string[];
}
export interface OwnUses {
  days: number;
  /** Whether all of these days was looked at. */
  complete: boolean;
  items: OwnUse[];
}
export type Right = 'erasure' | 'rectification' | 'objection';
/** What a person asked for its data, and what each layer did about it. */
export interface SubjectRequest {
  id: string;
  right: Right;
  dataset: string;
  purpose: string | null;
  state: 'active' | 'ended';
  made_at: string;
  ended_at: string | null;
  ended_by: string | null;
  end_reason: string | null;
  carried_out: { service: string; rows: number; at: string }[];
}
/** Whether a recipient was told of it, and what it answered. */
interface Answered {
  told_at: string | null;
  /** Why it is not told, or not done, yet. */
  reason: string | null;
  outcome: 'done' | 'kept' | null;
  answer: string | null;
  answered_at: string | null;
}
/** Who received the data of a person and is told what that person asked. */
export interface Told extends Answered {
  request: string;
  right: Right | 'withdrawal';
  state: 'active' | 'ended';
  dataset: string;
  recipient: string;
  name: string;
}
/** What a person asked for data that the participant received. */
export interface SubjectNotice extends Answered {
  id: string;
  right: Right | 'withdrawal';
  state: 'active' | 'ended';
  dataset: string;
  /** By its own name where the recipient's rows bear that (`named`); else by one that leads to nobody. */
  person: string;
  named: boolean;
  /** When rows of the person were given to the recipient. */
  given: { action: string; purpose: string; times: number; first: string; last: string }[];
  until: string | null;
  made_at: string;
  corrections: { datastream: string; time: string; result: number | null }[];
}
/** A person for whom one acts, such as a child. */
export interface Represented {
  id: string;
  name: string;
}
/** A dataset with personal data, as a person sees it. */
export interface OwnDataset {
  id: string;
  title: Text;
  owner_name: string;
  purpose: string;
  needs_consent: boolean;
  consented: boolean;
  /** Whether the platform was ever given it. */
  held: boolean;
}
