/** What an owner tells of new data, and the entry of the catalogue that it becomes. */
import type { NewDataset, OdrlDocument, Spatial, Template } from '../../api';
import { agreementOf, working } from '../../rights/templates';
import { termsOf, withTerms } from '../../rights/terms';
import { datasetId } from '../intake/useDataset';
import { keywordsIn, questions, type Filled } from './parameters';

export interface Told {
  name: string;
  english: string;
  description: string;
  purpose: string;
  personal: '' | 'dmi:basis:consent' | 'dmi:basis:public-task';
  area: string;
  theme: string;
  keywords: string;
  contact: string;
  licence: string;
}

export const nothingTold: Told = {
  name: '', english: '', description: '', purpose: 'dmi:purpose:mobility', personal: '', area: '', theme: 'TRAN', keywords: '', contact: '', licence: '',
};

export function wrongEntry(told: Told, owner: string, taken: string[], open: boolean): Partial<Record<keyof Told, 'required' | 'taken' | 'contact' | 'licence'>> {
  const found: Partial<Record<keyof Told, 'required' | 'taken' | 'contact' | 'licence'>> = {};
  const id = datasetId(owner, told.name);
  if (id.endsWith(':')) found.name = 'required';
  else if (taken.includes(id)) found.name = 'taken';
  if (told.description.trim() === '') found.description = 'required';
  if (told.contact.trim() !== '' && !/^[^@\s<>]+@[^@\s<>]+$/.test(told.contact.trim())) found.contact = 'contact';
  if (open && told.licence === '') found.licence = 'licence';
  return found;
}

export function entryOf(told: Told, id: string, spatial: Spatial): NewDataset & { id: string } {
  const name = told.name.trim();
  const keywords = keywordsIn(told.keywords);
  const contact = told.contact.trim();
  return {
    id, title: { nl: name, en: told.english.trim() || name }, description: { nl: told.description.trim() }, purpose: told.purpose,
    personal: told.personal !== '', basis: told.personal === 'dmi:basis:public-task' ? told.personal : '', layer: 'points', licence: told.licence, spatial,
    themes: [told.theme], keywords: keywords.length > 0 ? { nl: keywords } : {}, contact: contact === '' ? '' : `mailto:${contact}`,
  };
}

/** How long data of persons stays with the platform: as the conditions say, in days and with a last day, else up to `otherwise`. */
export interface Kept {
  days: string;
  until: string;
  otherwise: string;
}

/** As the conditions say that are asked for now, not what was filled in under another template. */
export function keptFor(template: Template | undefined, filled: Filled, otherwise: string): Kept {
  const asked = (name: string) => (template && questions(template).some((one) => one.name === name) ? (filled.texts[name] ?? '').trim() : '');
  return { days: asked('days'), until: asked('until'), otherwise };
}

/** Days, where the conditions name none. */
const daysOtherwise = '30';

/** That the platform may process and show the data, without which none of it goes anywhere. */
export function platformAgreement(told: Told, dataset: string, owner: string, kept: Kept, rulebook: string, stack: string): OdrlDocument {
  const personal = told.personal !== '';
  const made = agreementOf({
    assigner: owner, assignee: stack, dataset, actions: working, rulebook,
    // Persons are in it: then for what it was collected alone, and on the same basis. Else for whatever is agreed with others.
    purpose: personal ? told.purpose : 'dmi:purpose:any', basis: told.personal || undefined,
  });
  const terms = termsOf(made);
  return personal && terms ? withTerms(made, { ...terms, days: kept.days || daysOtherwise, until: kept.until || kept.otherwise }) : made;
}
