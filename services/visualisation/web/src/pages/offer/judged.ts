/** What law and rulebook say of an offer as it would be sent: with the kind of data it is about, and the platform's agreement. */
import type { BrokenRule, NewDataset, OdrlDocument, Parameters, Template, Verdict } from '../../api';
import { useApi } from '../../app/session';
import { useLater } from '../../app/useLater';
import { useKept, useResource, type Resource } from '../../app/useResource';
import type { Told } from './told';

/** The question of the conditions that mends a broken rule. */
const mends: Record<string, string> = {
  'dmi:rule:purpose-basis': 'purpose', 'dmi:rule:broad-purpose': 'purpose', 'dmi:rule:purpose-collection': 'purpose', 'dmi:rule:high-value': 'purpose',
  'dmi:rule:retention': 'days', 'dmi:rule:limit': 'days', 'dmi:rule:term': 'until', 'dmi:rule:expired': 'until',
  'dmi:rule:basis': 'template', 'dmi:rule:basis-role': 'template', 'dmi:rule:special': 'template',
};

/** Where the platform's agreement is mended: for what and on which basis it says as the entry does, how long as the conditions do. */
const mendsPlatform: Record<string, string> = {
  ...mends, 'dmi:rule:basis': 'personal', 'dmi:rule:basis-role': 'personal', 'dmi:rule:special': 'personal',
};

/** Broken rules by the field where they can be mended. */
export interface Broken {
  entry: Partial<Record<keyof Told, BrokenRule[]>>;
  /** By the place of the template; of those that it asks for, and of the choice of it. */
  conditions: Record<string, BrokenRule[]>;
}

/** `verdicts` are of the platform's agreement, which tells of the entry too, and of what is offered. */
export function brokenAt([platform, offered]: Verdict[], places: string[]): Broken {
  const found: Broken = { entry: {}, conditions: {} };
  const put = (there: Partial<Record<string, BrokenRule[]>>, place: string, broken: BrokenRule) => {
    const rules = (there[place] ??= []);
    if (!rules.some((one) => one.rule === broken.rule)) rules.push(broken);
  };
  for (const broken of [...(platform?.entry ?? []), ...(platform?.reasons ?? [])]) {
    const place = mendsPlatform[broken.rule] ?? '';
    if (place === 'purpose' || place === 'personal') put(found.entry, place, broken);
    else if (places.includes(place)) put(found.conditions, place, broken);
  }
  for (const broken of offered?.reasons ?? []) {
    const place = mends[broken.rule] ?? '';
    if (place === 'template' || places.includes(place)) put(found.conditions, place, broken);
  }
  return found;
}

/** What the review looks at of an entry, under an id of no name: other words ask for no other verdict. */
export function judgedEntry(entry: NewDataset & { id: string }, id: string): NewDataset & { id: string } {
  return { ...entry, id, title: { nl: id }, description: {}, keywords: {}, contact: '' };
}

/** A document about another dataset. */
export function renamed(document: OdrlDocument, from: string, to: string): OdrlDocument {
  return JSON.parse(JSON.stringify(document).replaceAll(JSON.stringify(from), JSON.stringify(to))) as OdrlDocument;
}

/** An offer that is filled in, about data under an id of no name. */
export interface Asked {
  template: Template;
  /** The whole of the template. */
  parameters: Parameters;
  platform: OdrlDocument;
  entry: NewDataset & { id: string };
}

export interface Judged {
  /** What is offered, as the exchange writes it; what was shown stays until there is another. */
  drafted: Resource<OdrlDocument>;
  /** On the platform's agreement and on what is offered; none while they are asked for. */
  verdicts: Resource<Verdict[]>;
  /** Whether something was changed of which no verdict has come yet. */
  waiting: boolean;
}

/** The offer as the exchange writes it with the verdicts on it, asked for when typing rests; what is outdated is given up. */
export function useJudged(asked: Asked | null): Judged {
  const api = useApi();
  // Each document gets an id of its own, which says nothing about what it holds.
  const question = asked && JSON.stringify({ ...asked, template: asked.template.id, platform: { ...asked.platform, uid: '' } });
  const settled = useLater(question) === question ? asked : null;
  const drafted = useResource(settled && `draft ${settled.template.id} ${JSON.stringify(settled.parameters)}`, (signal) =>
    api.exchange.draft(settled?.template.id ?? '', settled?.parameters ?? {}, signal));
  const documents = settled && drafted.data ? [settled.platform, drafted.data] : null;
  const verdicts = useResource(documents && `review ${question}`, (signal) =>
    Promise.all((documents ?? []).map((one) => api.exchange.review({ ...one, uid: undefined }, signal, settled?.entry))));
  const failed = drafted.error !== null || verdicts.error !== null;
  return { drafted: useKept(drafted), verdicts, waiting: question !== null && verdicts.data === null && !failed };
}
