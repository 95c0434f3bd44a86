/** Puts names in the place of ids within a text of a service, which tells participants, data and purposes by their ids. */
import type { Names } from '../app/names';
import type { I18n } from '../i18n';

/** Ids of what people know by name; agreements stay as they are. */
const known = /\b(?:urn:)?dmi:[a-z]+(?::[\w.-]*\w)*\b/gi;

export function named(text: string, i18n: Pick<I18n, 'term'>, names: Pick<Names, 'participant' | 'dataset' | 'purpose'>): string {
  return text.replaceAll(known, (id) => {
    if (/^urn:dmi:(participant|party|person):/.test(id)) return names.participant(id);
    if (id.startsWith('urn:dmi:dataset:')) return names.dataset(id);
    return /^(urn:)?dmi:purpose:/.test(id) ? names.purpose(id) : i18n.term(id);
  });
}
