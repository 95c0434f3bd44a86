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
/** A dataset with personal data, as a person sees it. */
export interface OwnDataset {
  id: string;
  title: Text;
  owner_name: string;
  purpose: string;
  needs_consent: boolean;
  consented: boolean;
}
