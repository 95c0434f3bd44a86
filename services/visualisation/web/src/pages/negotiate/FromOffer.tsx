/** What a first proposal changes of the conditions that the owner offers. */
import type { Agreement, Negotiation, OdrlDocument, Offer } from '../../api';
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

/** For the first step of a negotiation between nodes, which names the offer; another node's is not known here. */
export function FromNamedOffer({ one, document }: { one: Negotiation; document: OdrlDocument }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  const api = useApi();
  const offers = useResource(one.dataset ? `offered ${one.id}` : null, (signal) => api.exchange.offers(one.dataset ?? '', signal));
  const offer = offers.data?.find(({ id }) => id === one.offer['@id']);
  if (!offer) return null;
  return (
    <Section title={t.negotiate.fromOffer} id="changed" lead={t.negotiate.fromNamedLead}>
      <Difference changes={difference(documentIn(one, offer.rules), document, i18n, names)} none={t.negotiate.sameAsOffer} />
    </Section>
  );
}
