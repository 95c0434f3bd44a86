/** Shapes of the public interfaces as this application reads them. Times are RFC 3339 in UTC. */
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import type { ProblemDocument } from './problem';

/** Text that the services give in one or in both languages. */
export type Text = string | { nl?: string; en?: string };

export interface Page<T> {
  items: T[];
  next: string | null;
}

// ---- exchange ----
export interface Identity {
  id: string;
  name: string;
  role: string;
  participant: string;
  description: Text;
}
export interface Token {
  access_token: string;
  token_type: string;
  expires_in: number;
}
export interface Me {
  subject: string;
  participant: string;
  name: string;
  roles: string[];
  signed: string | null | boolean;
}
export interface RulebookTerm {
  id: string;
  label?: Text;
  description?: Text;
  parent?: string | null;
}
export interface Rulebook {
  version: string;
  purposes?: RulebookTerm[];
  roles?: RulebookTerm[];
  actions?: RulebookTerm[];
  duties?: RulebookTerm[];
  legalBases?: RulebookTerm[];
}
export interface Participant {
  id: string;
  name: string;
  roles?: string[];
  rulebook?: string | null;
  active?: boolean;
}
export interface Dataset {
  id: string;
  title: Text;
  description?: Text;
  owner: string;
  personal?: boolean;
  licence?: string;
  source?: string;
  category?: string;
  /** How it is drawn: points, areas, vehicles, or empty for not at all. */
  layer?: string;
  withdrawn?: boolean;
}
export interface OdrlConstraint {
  leftOperand: string;
  operator: string;
  rightOperand: unknown;
  unit?: string;
}
export interface OdrlRule {
  target: string | string[];
  action: string | string[];
  constraint?: OdrlConstraint[];
  duty?: { action: string; constraint?: OdrlConstraint[] }[];
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
}
export interface LogEntry {
  sequence: number;
  hash: string;
  previous: string;
  at: string;
  service: string;
  crossing: string;
  assignee: string;
  action: string;
  dataset: string;
  purpose: string;
  allowed: boolean;
  reasons: string[];
  agreements: string[];
  rows: number;
  persons?: number;
}
export interface LogVerification {
  ok: boolean;
  count: number;
  head: string | null;
  broken_at?: number | null;
  reason?: string | null;
}
export interface Lineage {
  result: string;
  kind: string;
  title: string;
  made_at: string;
  code: string;
  transformations: string[];
  grounds: Grounds;
  withdrawn: boolean;
}
export interface Grounds {
  datasets?: { id: string; title?: Text; withdrawn?: boolean }[];
  agreements?: { id: string; title?: Text; state?: string; ended_at?: string | null; assigner?: string | null; assignee?: string | null }[];
  consents?: { active: number; withdrawn: number };
  results?: (string | { id: string; title?: Text })[];
}
export interface Dependent {
  result: string;
  kind: string;
  title: string;
  withdrawn: boolean;
}

// ---- ingest and platform ----
export interface ImportKind {
  kind: string;
  title: Text;
  description: Text;
}
export interface ImportReport {
  import_id: string;
  kind: string;
  dataset: string;
  read: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  reasons: { reason: string; count: number; rows?: { line: number; value: unknown }[] }[];
  pending?: boolean | number;
  state?: string;
}
export interface Reject {
  id: string;
  at?: string;
  topic?: string;
  dataset?: string;
  reason: string;
  rows?: number;
  replayed_at?: string | null;
  detail?: string | null;
}
/** One row that an import rejected, as it came in: cells by column, or a text. */
export interface RejectedRow {
  id: string | number;
  file?: string;
  line: number;
  reason: string;
  field?: string | null;
  value?: unknown;
  raw: Record<string, unknown> | string;
}
export interface Datastream {
  id: string;
  dataset: string;
  thing: string;
  name: string;
  observed_property: string;
  unit: string;
  geometry: Geometry | null;
  properties: Record<string, unknown>;
}
export interface Latest {
  datastream: string;
  phenomenon_time: string;
  result: number | string | null;
  unit: string;
  flag: string | number | null;
  longitude: number | null;
  latitude: number | null;
  neighbourhood: string | null;
}
export interface Health {
  status?: string;
  ready?: boolean;
  checks?: Record<string, unknown>;
  [key: string]: unknown;
}

// ---- visualisation ----
export interface Layer {
  id: string;
  title: Text;
  description?: Text;
  kind: 'points' | 'areas' | 'vehicles';
  properties: string[];
  unit?: string | Record<string, string> | null;
  licence?: string | null;
  source?: string | null;
  owner: string;
  latest: string | null;
  refused: ProblemDocument | null;
  personal?: boolean;
  /** What the data is collected for. */
  purpose?: string | null;
}
/** The layers, and the address of a background from outside where the city allows one. */
export interface LayerList {
  items: Layer[];
  background?: string | null;
}
export interface ObservationProperties {
  id: string;
  datastream?: string;
  name?: string;
  observed_property?: string;
  result?: number | string | null;
  unit?: string | null;
  flag?: string | number | null;
  phenomenon_time?: string | null;
  capacity?: number | null;
  neighbourhood?: string | null;
  label?: Text | null;
  agreement?: string | null;
  lon?: number;
  lat?: number;
  [key: string]: unknown;
}
export type LayerFeature = Feature<Geometry | null, ObservationProperties>;
export type LayerFeatures = FeatureCollection<Geometry | null, ObservationProperties>;
export interface HistoryItem {
  at: string;
  minimum: number | null;
  mean: number | null;
  maximum: number | null;
  flag: string | number | null;
}
export interface History {
  datastream: string;
  unit: string;
  observed_property?: string;
  items: HistoryItem[];
}

// ---- support centre ----
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
  grounds?: unknown;
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
export interface Scenario {
  id: string;
  title: string;
  parent: string | null;
  version: number;
  versions: (number | { version: number; at?: string; created_at?: string; edits?: number })[];
  edits: ScenarioEdit[];
  owner: string;
  created_at: string;
  baseline: unknown;
  withdrawn: boolean;
  share?: string | null;
}
export type Figures = Record<string, number | null>;
/** A change as a bare number, or with percent and the range within plausible coefficients. */
export type Change = number | null | { absolute: number | null; percent?: number | null; range?: { low: number; mid: number; high: number } | null };
export type Changes = Record<string, Change>;
export interface AreaResult {
  id: string;
  name: string;
  baseline: Figures;
  scenario: Figures;
  change: Changes;
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
  scenario: string;
  version: number;
  baseline_version: unknown;
  areas: AreaResult[];
  /** Null when the ground was withdrawn: then there are no figures to show. */
  totals: { baseline: Figures; scenario: Figures; change?: Changes } | null;
  notes?: Text[];
  record?: Record<string, unknown>;
  coefficients: Coefficient[];
  grounds?: unknown;
  withdrawn: boolean;
  id?: string;
  computed_at?: string;
}
export interface Rule {
  id: string;
  title?: Text;
  description?: Text;
  /** Who made the rule automatic and until when; false or absent when a person decides. */
  automatic?: boolean;
  decided_by?: string | null;
  until?: string | null;
  kind?: string;
}
export interface Measure {
  id: string;
  rule: string;
  state: 'proposed' | 'published' | 'rejected' | 'expired' | 'withdrawn' | (string & {});
  place: string;
  title: Text;
  audience?: Text | null;
  advice: Text;
  proposed_at: string;
  valid_from: string;
  valid_to: string;
  decided_by: string | null;
  decided_at: string | null;
  look_back?: unknown;
  withdrawn?: boolean;
  geometry?: Geometry | null;
  grounds?: unknown;
  properties?: Record<string, unknown>;
}
