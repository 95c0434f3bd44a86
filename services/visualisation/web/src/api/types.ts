/** Shapes of the public interfaces as this application reads them. Times are RFC 3339 in UTC. */
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import type { Template } from './agreementTypes';
import type { ProblemDocument } from './problem';

export type * from './agreementTypes';
export type * from './supportTypes';

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
  /** Came in by the code of a letter. */
  onPaper?: boolean;
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
  on_paper?: boolean;
}
export interface RulebookTerm {
  id: string;
  label?: Text;
  description?: Text;
  parent?: string | null;
  /** A purpose that says too little to be one of personal data. */
  broad?: boolean;
}
export interface Rulebook {
  version: string;
  purposes?: RulebookTerm[];
  roles?: (RulebookTerm & { may?: string[] })[];
  actions?: RulebookTerm[];
  duties?: RulebookTerm[];
  legalBases?: RulebookTerm[];
  rules?: RulebookTerm[];
  templates?: Template[];
}
export interface Participant {
  id: string;
  name: string;
  roles?: string[];
  rulebook?: string | null;
  active?: boolean;
  /** The node that it is a member of, when that is another one. */
  home?: string | null;
}
/** A person and who acts for it, such as the parents of a child. */
export interface Representation {
  id: string;
  name: string;
  representatives: { id: string; name: string }[];
  /** The day from which a child decides for itself. */
  of_age_on: string | null;
}
export interface Dataset {
  id: string;
  title: Text;
  description?: Text;
  owner: string;
  personal?: boolean;
  /** Legal basis of personal data; empty is the consent of each person. */
  basis?: string;
  licence?: string;
  source?: string;
  category?: string;
  /** What it is collected for. */
  purpose?: string;
  /** How it is drawn: points, areas, vehicles, or empty for not at all. */
  layer?: string;
  withdrawn?: boolean;
  about?: About | null;
  quality?: Quality | null;
}
/** Where something is about: west, south, east, north in degrees. */
export interface Spatial {
  bbox: [number, number, number, number];
  name?: Text;
  codes?: string[];
}
export interface About {
  spatial: Spatial;
  themes: string[];
  keywords: Record<string, string[]>;
  contact: string;
  page: string;
  languages: string[];
  modified_at: string | null;
}
/** What the platform measured of a dataset: shares from 0 to 1. */
export interface Quality {
  at: string;
  seconds: number;
  /** Of data about persons these are told to its owner and to who supervises alone. */
  datastreams: number | null;
  rows: number | null;
  newest: string | null;
  completeness: number | null;
  plausible: number | null;
  delivering: number | null;
}
export interface CatalogueItem {
  id: string;
  kind: 'data' | 'service' | 'application' | 'knowledge';
  direction: 'supply' | 'demand';
  owner: string;
  title: Text;
  description?: Text;
  licence: string;
  access: 'open' | 'by-agreement';
  personal: boolean;
  address: string;
  layer: string;
  withdrawn: boolean;
  about: About | null;
  quality?: Quality | null;
}
export interface CatalogueFacet {
  name: string;
  values: { value: string; count: number }[];
}
export interface CataloguePage {
  items: CatalogueItem[];
  total: number;
  next: string | null;
  facets?: CatalogueFacet[];
}
export type NewDataset = Partial<Omit<Dataset, 'about' | 'quality'>> & Partial<Pick<About, 'themes' | 'keywords' | 'contact'>> & { spatial: Spatial };
export interface LogEntry {
  sequence: number;
  /** The hash of the leaf in the log's Merkle tree. */
  hash: string;
  at: string;
  service: string;
  crossing: string;
  /** `null`: a person who was erased. */
  assignee: string | null;
  /** Who asked what the assignee may do, where that is somebody else. */
  asked_by?: string | null;
  /** Who acted for the assignee by `mandate`; `null` when it acted itself. */
  actor?: string | null;
  mandate?: string | null;
  action: string;
  dataset: string;
  purpose: string;
  allowed: boolean;
  reasons: string[];
  agreements: string[];
  rows: number;
  persons?: number;
}
/** What one participant did with one dataset lately. */
export interface Use {
  dataset: string;
  assignee: string;
  crossing: string;
  action: string;
  purposes: string[];
  agreements: string[];
  allowed: number;
  refused: number;
  rows: number;
  last_allowed: string | null;
  last_refused: string | null;
  last_reasons: string[];
}
export interface Usage {
  since: string;
  complete: boolean;
  items: Use[];
}
/** A signed head of the log with one's own entries and their proofs: to keep, and to check elsewhere. */
export interface Evidence {
  head: { tree_size: number; root_hash: string; timestamp: string };
  entries: { sequence: number; leaf: string }[];
  next: string | null;
}

/** The proof of a decision of the log, by each agreement that its reader sees. */
export interface Explanation {
  decision: LogEntry;
  items: { agreement: string; state: string; told: Record<string, string[]> }[];
  facts: Text;
}

export interface LogVerification {
  ok: boolean;
  count: number;
  root_hash: string;
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
  made_at?: string;
  withdrawn: boolean;
}

// ---- ingest and platform ----
export interface Measured {
  name: string;
  unit: string;
}
export interface ImportKind {
  kind: string;
  title: Text;
  description: Text;
  /** What its files measure, each with its unit. */
  properties: Measured[];
  /** How many bytes the files of one import may hold together. */
  most_bytes: number;
}
export interface ImportReport {
  import_id: string;
  kind: string;
  dataset: string;
  read: number;
  accepted: number;
  duplicate: number;
  rejected: number;
  reasons: { reason: string; count: number; rows?: { line: number; field?: string | null; value?: unknown }[] }[];
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
