/** Supervision: how each participant stands, what the review found, and why the log decided as it did. */
import type { HttpClient } from './http';
import { segment } from './http';
import type { Verdict } from './agreementTypes';
import type { Evidence, LogEntry, Page, Quality, Text } from './types';

export interface Standing {
  id: string;
  name: string;
  roles: string[];
  active: boolean;
  rulebook: string | null;
  /** Whole cents a year; null for who left. */
  contribution: { offered: number; asked: number; short: number; early: boolean; rides_free: boolean; taken: number } | null;
  datasets: number;
  quality: Quality | null;
  running: { given: number; got: number };
  findings: number;
  stopped: number;
}

/** A limit of the rulebook in its own unit, and the most that is used of it; null where nothing is about it. */
export interface Reach {
  limit: string;
  label: Text;
  description: Text;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  used: number | null;
  under: string | null;
  over: boolean;
}

export interface RunningAgreement {
  id: string;
  assigner: string;
  assignee: string;
  datasets: string[];
  state: string;
  concluded_at: string | null;
  objections: { rule: string }[];
}

export interface Finding extends RunningAgreement {
  /** Of one that the review ended: when and why. */
  stopped: { at: string | null; reason: string | null } | null;
  reasons: (Verdict['reasons'][number] & { since: string | null })[];
  change: { steps: Text[] } | null;
}

export interface Inspected extends Standing {
  taken: { from: string; cents: number }[];
  limits: Reach[];
  data: { id: string; title: Text; quality: Quality | null }[];
  agreements: RunningAgreement[];
  found: Finding[];
}

/** What is looked for in the log; empty texts are not asked. */
export interface LogSearch {
  participant: string;
  dataset: string;
  outcome: string;
  from: string;
  to: string;
}

export function inspectionApi(http: HttpClient) {
  const base = '/exchange/v1';
  return {
    participants: (signal?: AbortSignal) => http.list<Standing>(`${base}/inspection/participants`, { signal }),
    participant: (id: string, signal?: AbortSignal) => http.json<Inspected>(`${base}/inspection/participants/${segment(id)}`, { signal }),
    findings: (signal?: AbortSignal) => http.list<Finding>(`${base}/inspection/findings`, { signal }),
    search: (wanted: LogSearch & { before?: string }, signal?: AbortSignal): Promise<Page<LogEntry>> =>
      http.page<LogEntry>(`${base}/log`, { query: { ...wanted, newest: true, limit: 20 }, signal }),
    /** These decisions with their proofs; `since` is the size of a head that was kept before. */
    evidence: (entries: number[], since: number | null) =>
      http.json<Evidence>(`${base}/log/evidence`, { query: { entry: entries.map(String), limit: entries.length === 0 ? 0 : 500, since } }),
  };
}
