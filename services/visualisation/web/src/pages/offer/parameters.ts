/** The places of a template that its owner fills in, from what a form holds to what the exchange reads. */
import type { OdrlDocument, Parameters, Spatial, Template } from '../../api';
import { endOfDay } from '../../rights/terms';
import { fromCityInput } from '../../i18n/cityTime';

/** Filled in by the exchange, by who publishes, or by who agrees. */
const given = ['uid', 'rulebook', 'assigner', 'assignee', 'datasets'];
/** Templates that an owner does not offer data under: persons consent, and whoever delivers is asked by name. */
const others = ['dmi:template:consent', 'dmi:template:contribute'];
/** Stands for whoever will agree, as the exchange itself writes it in an offer. */
export const anybody = 'urn:dmi:participant:assignee';

export interface Filled {
  lists: Record<string, string[]>;
  texts: Record<string, string>;
}

export function offerable(templates: Template[]): Template[] {
  return templates.filter((one) => !others.includes(one.id));
}

/** Whether it holds for everyone at once, so that nobody has to agree. */
export function isForEveryone(template: Template): boolean {
  return !template.parameters.some((one) => one.name === 'assignee');
}

export function questions(template: Template): Template['parameters'] {
  return template.parameters.filter((one) => !given.includes(one.name));
}

/** Which places cannot be sent as they are. */
export function wrongIn(template: Template, filled: Filled, today: string): Record<string, 'choose' | 'past' | 'number' | 'required'> {
  const found: Record<string, 'choose' | 'past' | 'number' | 'required'> = {};
  for (const { name, kind, required } of questions(template)) {
    const text = (filled.texts[name] ?? '').trim();
    if (kind === 'actions') {
      if ((filled.lists[name] ?? []).length === 0) found[name] = 'choose';
    } else if (text === '') {
      if (required) found[name] = kind === 'purpose' ? 'choose' : 'required';
    } else if (kind === 'moment' && text < today) found[name] = 'past';
    else if (kind === 'number' && !/^[1-9]\d{0,8}$/.test(text)) found[name] = 'number';
  }
  return found;
}

/** The parameters as the exchange reads them; places that were left empty are left out. */
export function parametersOf(template: Template, filled: Filled, areaOf: (name: string) => Spatial): Parameters {
  const made: Parameters = {};
  for (const { name, kind } of questions(template)) {
    const text = (filled.texts[name] ?? '').trim();
    if (kind === 'actions') made[name] = filled.lists[name] ?? [];
    else if (text === '') continue;
    else if (kind === 'moment') made[name] = name === 'until' ? endOfDay(text) : new Date(fromCityInput(`${text}T00:00:00`)).toISOString().replace(/\.\d+Z$/, 'Z');
    else if (kind === 'area') made[name] = areaOf(text).bbox;
    else made[name] = text;
  }
  return made;
}

/** The whole of a template for one dataset: with somebody as user, or as it is offered to whoever agrees. */
export function filledFor(template: Pick<Template, 'parameters'>, parameters: Parameters, owner: string, dataset: string, user?: string): Parameters {
  const assignee: Parameters = template.parameters.some((one) => one.name === 'assignee') ? { assignee: user ?? anybody } : {};
  return { ...parameters, ...assignee, assigner: owner, datasets: [dataset] };
}

/** Whether a document names nobody yet. */
export function isOffer(document: OdrlDocument): boolean {
  return document.assignee === anybody;
}

/** Words of a line, apart by commas. */
export function keywordsIn(text: string): string[] {
  return [...new Set(text.split(',').map((one) => one.trim()).filter((one) => one !== ''))];
}
