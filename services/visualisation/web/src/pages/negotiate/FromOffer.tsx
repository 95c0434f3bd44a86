/** What a first proposal changes of the conditions that the owner offers. */
import type { Agreement, Negotiation, OdrlDocument, Offer, SpelledPolicy } from '../../api';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { difference, type Change } from '../../rights/difference';
import { Loaded, Section } from '../../ui/State';
import { documentIn } from '../nodes/standing';
import { useOfferNames } from '../offer/named';
import { filledFor } from '../offer/parameters';
import { Difference } from './Difference';
import { madeBy } from './Rounds';

/** The offer that takes the fewest changes to become the proposal, with those changes; null without any offer. */
export function nearest<T>(offered: { offer: T; document: OdrlDocument }[], compare: (document: OdrlDocument) => Change[]): { offer: T; changes: Change[] } | null {
  const compared = offered.map(({ offer, document }) => ({ offer, changes: compare(document) }));
  return compared.sort((a, b) => a.changes.length - b.changes.length)[0] ?? null;
}

/** For the first proposal of an agreement: a proposal does not tell on which offer it was made, so the nearest is taken. */
export function FromOffer({ agreement }: { agreement: Agreement }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  const api = useApi();
  const { document, assigner, assignee } = agreement;
  const [dataset, ...others] = agreement.datasets;
  const templates = names.rulebook?.templates;
  const asked = madeBy([agreement], 0) === assignee;
  const offered = useResource(dataset && others.length === 0 && templates && asked ? `offered ${agreement.id}` : null, async (signal) => {
    const standing = await api.exchange.offers(dataset ?? '', signal);
    const drafts = standing.map(async (offer: Offer) => {
      const template = templates?.find((one) => one.id === offer.template);
      return template ? [{ offer, document: await api.exchange.draft(template.id, filledFor(template, offer.parameters, assigner, offer.dataset, assignee), signal) }] : [];
    });
    return (await Promise.all(drafts)).flat();
  });
  const called = useOfferNames(offered.data?.map((one) => one.offer) ?? []);
  return (
    <Loaded resource={offered} height={120}>
      {(all) => {
        const found = nearest(all, (one) => difference(one, document, i18n, names));
        if (!found) return null;
        const offer = called.get(found.offer.id) ?? found.offer.template;
        return (
          <Section title={t.negotiate.fromOffer} id="changed" lead={t.negotiate.fromOfferLead(names.participant(assignee), offer)}>
            <Difference changes={found.changes} none={t.negotiate.sameAsOffer} />
          </Section>
        );
      }}
    </Loaded>
  );
}

/** For the first step of a negotiation between nodes, which names the offer; another node's stands in its catalogue. */
export function FromNamedOffer({ one, document }: { one: Negotiation; document: OdrlDocument }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  const api = useApi();
  const offers = useResource(one.dataset ? `offered ${one.id}` : null, async (signal): Promise<SpelledPolicy[]> => {
    const dataset = one.dataset ?? '';
    const node = one.role === 'consumer' ? (await api.exchange.nodes(signal)).find(({ address }) => address === one.address) : undefined;
    if (!node) return (await api.exchange.offers(dataset, signal)).map(({ id, rules }) => ({ ...rules, '@id': id }));
    const found = await api.exchange.nodeCatalogue({ node: node.url, dataset }, signal);
    return found.items.flatMap((entry) => entry.offers);
  });
  return (
    <Loaded resource={offers} height={120}>
      {(all) => {
        const offer = all.find((each) => each['@id'] === one.offer['@id']);
        if (!offer) return null;
        return (
          <Section title={t.negotiate.fromOffer} id="changed" lead={t.negotiate.fromNamedLead}>
            <Difference changes={difference(documentIn(one, offer), document, i18n, names)} none={t.negotiate.sameAsOffer} />
          </Section>
        );
      }}
    </Loaded>
  );
}
