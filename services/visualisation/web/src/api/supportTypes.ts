/** Shapes of the support centre's interface: forecasts, scenarios, measures. Times are RFC 3339 in UTC. */
import type { Geometry } from 'geojson';
import type { Text } from './types';

export interface Forecast {
  id: string;
  /** The id under which the lineage of all horizons of this place is recorded. */
  result: string;
  place: string;
  name: string;
  issued_at: string;
  valid_at: string;
  p10: number | null;
  p50: number | null;
  p90: number | null;
  unit: string;
  capacity: number | null;
  withdrawn: boolean;
  withdrawal?: Withdrawal | null;
  grounds?: { datasets?: string[] };
}
export interface ForecastScore {
  place: string;
  horizon_min: number;
  mae: number | null;
  mae_persistence: number | null;
  mae_last_week: number | null;
  coverage: number | null;
  count: number;
}
export interface Crowd {
  place: string;
  name: string;
  level: string | null;
  flow: number | null;
  effective_width: number | null;
  at: string | null;
  capacity: number | null;
}
export type Mix = Record<string, number>;
export type ScenarioEdit =
  | { type: 'redevelop'; area: { neighbourhood?: string; geometry?: Geometry }; from: string; mix: Mix; name?: string }
  | { type: 'coefficient'; name: string; value: number };
export interface ScenarioVersion {
  version: number;
  parent: number | null;
  created_at: string;
  by: string;
  edits: number;
  baseline: string;
  /** What a merge brought in. */
  merged: { id: string | null; title: Text; version: number | null } | null;
}
export interface Scenario {
  id: string;
  title: string;
  /** What it was branched from; without an id where the reader may not open it. */
  parent: { id: string | null; title: Text } | null;
  version: number;
  versions: ScenarioVersion[];
  edits: ScenarioEdit[];
  /** Null where a resident made it and somebody else looks. */
  owner: string | null;
  owner_name?: string;
  created_at: string;
  baseline: string;
  baseline_at: string | null;
  withdrawn: boolean;
  withdrawal?: Withdrawal | null;
  /** Why it is no longer of today; empty when it is. */
  stale: ('baseline' | 'model')[];
  share: string;
  may_edit: boolean;
}
/** A scenario in a list: how many edits its current version has, and when it was last changed. */
export interface ScenarioSummary extends Omit<Scenario, 'versions' | 'edits' | 'baseline_at' | 'withdrawal'> {
  edits: number;
  changed_at: string;
}
/** Which ground fell away, and when. */
export interface Withdrawal {
  /** Null where a person ended it: which consent, and when, is told to nobody. */
  agreement: string | null;
  moment: string | null;
  detail: string;
}
export type Figures = Record<string, number | null>;
export interface Range {
  low: number;
  mid: number;
  high: number;
}
/** Figures beside each other: the city without the edits, with them, and what they change. */
export interface Beside {
  baseline: Figures;
  scenario: Figures;
  change: Figures;
  change_percent: Figures;
  change_range: Record<string, Range | null>;
}
export interface AreaResult extends Beside {
  id: string;
  name: string;
  edits: number[];
  /** Too few inhabitants to show figures of. */
  suppressed: boolean;
}
export interface SplitSide {
  areas: number;
  inhabitants: number;
}
/** For how many neighbourhoods and inhabitants one figure rises, falls or stays. */
export interface Split {
  indicator: string;
  up: SplitSide;
  down: SplitSide;
  same: SplitSide;
  unknown: number;
  gap_before: number | null;
  gap_after: number | null;
}
/** How the total change of one indicator moves when one coefficient goes to its low and its high. */
export interface Swing {
  coefficient: string;
  indicator: string;
  at_low: number;
  at_high: number;
}
export interface RunRecord {
  run?: string;
  inputs: { dataset: string; version: string }[];
  left_out: string[];
  model: string;
  parameters: string;
  seed?: number | null;
  duration_ms: number;
  /** Null where a resident ran it and somebody else looks. */
  by: string | null;
  by_name: string;
  at: string;
}
export interface Credit {
  dataset: string;
  title: Text;
  source: string;
  licence: string;
}
/** Edits of two branches that change the same; a person chooses. */
export interface Clash {
  id: string;
  kind: 'area' | 'coefficient';
  ours: ScenarioEdit[];
  theirs: ScenarioEdit[];
  contested: { building: string; name: string; neighbourhood: string; neighbourhood_name: string }[];
  choices: ('ours' | 'theirs' | 'both')[];
}
export interface MergePlan {
  into: { id: string; title: string; version: number };
  with: { id: string; title: string; version: number };
  shared: ScenarioEdit[];
  ours: { edit: ScenarioEdit; both: boolean }[];
  theirs: { edit: ScenarioEdit; both: boolean }[];
  clashes: Clash[];
}
export interface Coefficient {
  name: string;
  value: number;
  default: number;
  low: number;
  high: number;
  unit: Text;
  source: Text;
  /** What the value can be at all, where that is wider than what is plausible. */
  minimum?: number | null;
  maximum?: number | null;
  label?: Text;
  year?: number | null;
  assumption?: boolean;
}
export interface ScenarioResult {
  id: string;
  scenario: string;
  title: string;
  version: number;
  edits: ScenarioEdit[];
  baseline_version: string;
  baseline_at: string | null;
  computed_at: string;
  areas: AreaResult[];
  /** Null when the ground was withdrawn: then there are no figures to show. */
  totals: (Beside & { missing: Record<string, number> }) | null;
  split: Split[];
  sensitivity: Swing[];
  smallest_group: number;
  notes: Text[];
  record: RunRecord;
  credits: Credit[];
  coefficients: Coefficient[];
  grounds?: unknown;
  stale: ('baseline' | 'model')[];
  withdrawn: boolean;
  withdrawal?: Withdrawal | null;
}
export interface Rule {
  id: string;
  /** Goes up with every change; a change names the one that it is about. */
  version: number;
  title?: Text;
  description?: Text;
  /** Who made the rule automatic and until when; false or absent when a person decides. */
  automatic?: boolean;
  /** Why it does not publish by itself although somebody allowed it: that one may not decide any more. */
  automatic_refused?: { code: string; detail: string } | null;
  decided_by?: string | null;
  until?: string | null;
  kind: 'garage' | 'crowd';
  /** Share of the capacity from which a garage counts as full. */
  full_share?: number;
  /** Level of service from which a street counts as crowded, A to F. */
  threshold?: string;
  duration_min?: number;
}
/** One moment of a look back: seen, and what had been forecast before the measure; null is not known. */
export interface SeenMoment {
  at: string;
  actual: number | null;
  p10: number | null;
  p50: number | null;
  p90: number | null;
}
export interface LookBackPart {
  place: string;
  mean_difference: number;
  low: number;
  high: number;
  count: number;
  outside_interval: number;
  moments: SeenMoment[];
}
export interface LookBack {
  kind?: 'garage';
  destination: LookBackPart | null;
  hub: LookBackPart | null;
  hub_change: number | null;
  verdict?: 'beyond' | 'within' | 'unknown';
  caveat: Text;
}
/** A part of the time around a measure against crowding; null is not known. */
export interface CrowdPeriod {
  start: string;
  end: string;
  counted: number;
  expected: number;
  flow: number | null;
  /** The middle and the highest level of service, and how many counts were at the threshold or above. */
  level: string | null;
  worst: string | null;
  crowded: number | null;
  enough: boolean;
}
export type CrowdPart = 'width' | 'before' | 'during' | 'after';
export interface CrowdLookBack {
  kind: 'crowd';
  threshold: string;
  threshold_flow: number | null;
  effective_width: number | null;
  before: CrowdPeriod;
  during: CrowdPeriod;
  after: CrowdPeriod;
  verdict: 'below' | 'above' | 'unknown';
  /** Why there is no verdict. */
  lacking: CrowdPart[];
  moments: { at: string; flow: number; level: string | null }[];
  caveat: Text;
}
/** An address that is told of measures, and what still waits for it. */
export interface Subscription {
  id: string;
  url: string;
  created_at: string;
  waiting: number;
  attempts: number;
  next_at: string | null;
}
export interface Measure {
  id: string;
  rule: string;
  state: 'proposed' | 'published' | 'rejected' | 'expired' | 'withdrawn' | (string & {});
  place: string;
  place_name?: string | null;
  title: Text;
  audience?: Text | null;
  advice: Text;
  proposed_at: string;
  valid_from: string;
  valid_to: string;
  decided_by: string | null;
  decided_at: string | null;
  look_back?: LookBack | CrowdLookBack | null;
  withdrawn?: boolean;
  withdrawal?: Withdrawal | null;
  geometry?: Geometry | null;
  grounds?: unknown;
  properties?: Record<string, unknown>;
}
