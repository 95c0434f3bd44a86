/** What law and rulebook say of an offer as it would be sent: with the kind of data it is about, and the platform's agreement. */
import type { BrokenRule, NewDataset, OdrlDocument, Verdict } from '../../api';
import { useApi } from '../../app/session';
import { useKept, useResource, type Resource } from '../../app/useResource';

/** The question of the form that mends a broken rule. */
const mends: Record<string, string> = {
  'dmi:rule:purpose-basis': 'purpose', 'dmi:rule:broad-purpose': 'purpose', 'dmi:rule:purpose-collection': 'purpose', 'dmi:rule:high-value': 'purpose',
  'dmi:rule:retention': 'days', 'dmi:rule:limit': 'days', 'dmi:rule:term': 'until', 'dmi:rule:expired': 'until',
  'dmi:rule:basis': 'template', 'dmi:rule:basis-role': 'template', 'dmi:rule:special': 'template',
};

/** Broken rules by the place of the template where they can be mended; of those that it asks for, and of the choice of it. */
export function brokenAt(verdicts: Verdict[], places: string[]): Record<string, BrokenRule[]> {
  const found: Record<string, BrokenRule[]> = {};
  for (const broken of verdicts.flatMap((one) => one.reasons)) {
    const place = mends[broken.rule] ?? '';
    if (place !== 'template' && !places.includes(place)) continue;
    const there = (found[place] ??= []);
    if (!there.some((one) => one.rule === broken.rule)) there.push(broken);
  }
  return found;
}

/** What the review looks at of an entry, under an id of no name: other words ask for no other verdict. */
export function judgedEntry(entry: NewDataset & { id: string }, id: string): NewDataset & { id: string } {
  return { ...entry, id, title: { nl: id }, description: {}, keywords: {}, contact: '' };
}

/** A document about that entry; each draft gets an id of its own, which says nothing about what it holds. */
export function judgedDocument(document: OdrlDocument, dataset: string, id: string): OdrlDocument {
  return JSON.parse(JSON.stringify({ ...document, uid: undefined }).replaceAll(JSON.stringify(dataset), JSON.stringify(id))) as OdrlDocument;
}

/** The verdict on each document with the entry; what was told stays until there is another. */
export function useJudged(documents: OdrlDocument[] | null, entry: NewDataset & { id: string }, id: string): Resource<Verdict[]> {
  const api = useApi();
  const judged = documents?.map((one) => judgedDocument(one, entry.id, id)) ?? null;
  const data = judgedEntry(entry, id);
  const key = judged && `review ${JSON.stringify([judged, data])}`;
  return useKept(useResource(key, (signal) => Promise.all((judged ?? []).map((one) => api.exchange.review(one, signal, data)))));
}
