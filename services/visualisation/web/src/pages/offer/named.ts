/** How offers of a dataset are called where one is chosen: by their model text, and by what differs between them. */
import type { Offer } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { toldApart } from '../../rights/apart';
import { documentOf } from '../../rights/spelled';
import { anybody } from './parameters';

/** The name of each offer, by its id. */
export function useOfferNames(offers: Offer[]): Map<string, string> {
  const i18n = useI18n();
  const names = useNames();
  const titles = offers.map((one) => i18n.say(names.rulebook?.templates?.find(({ id }) => id === one.template)?.label) || one.template);
  const documents = offers.map((one) => documentOf(one.rules, { assigner: one.owner, assignee: anybody, dataset: one.dataset }));
  const told = toldApart(titles, documents, i18n, names);
  return new Map(offers.map((one, index) => [one.id, told[index] ?? one.id]));
}
