/** The conditions on which the owner offers data; the owner itself can take an offer back. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Dataset, Offer } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource, type Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { inWords } from '../../rights/words';
import { Failure, Loaded, Section } from '../../ui/State';
import { ConditionsOf } from '../catalogue/parts';
import { documentOf } from '../../rights/spelled';
import { useOfferNames } from '../offer/named';
import { anybody } from '../offer/parameters';

export function useOffers(dataset: Dataset): Resource<Offer[]> {
  const api = useApi();
  return useResource(`offers ${dataset.id}`, (signal) => api.exchange.offers(dataset.id, signal));
}

export function Offers({ dataset, offers }: { dataset: Dataset; offers: Resource<Offer[]> }) {
  const { t } = useI18n();
  const { identity } = useSession();
  const own = identity?.participant === dataset.owner;
  const called = useOfferNames(offers.data ?? []);
  if (offers.data?.length === 0) return null;
  return (
    <Section title={own ? t.offer.offersOwn : t.offer.offers} id="offers">
      <Loaded resource={offers} height={96}>
        {(all) => <ul className="dmi-rows">{all.map((one) => <OneOffer key={one.id} offer={one} name={called.get(one.id) ?? one.template} own={own} changed={offers.reload} />)}</ul>}
      </Loaded>
    </Section>
  );
}

function OneOffer({ offer, name, own, changed }: { offer: Offer; name: string; own: boolean; changed: () => void }) {
  const i18n = useI18n();
  const { t, say } = i18n;
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const template = names.rulebook?.templates?.find((one) => one.id === offer.template);
  const document = documentOf(offer.rules, { assigner: offer.owner, assignee: anybody, dataset: offer.dataset });
  const told = { ...names, participant: (id: string | null | undefined) => (id === anybody ? t.offer.whoever : names.participant(id)) };
  const end = useAction(async () => {
    await api.exchange.endOffer(offer.id);
    live(t.offer.takenBack);
    changed();
  });
  return (
    <li>
      <div>
        <p>{name}</p>
        {/* The rulebook explains a template to who offers by it. */}
        {own ? <p className="dmi-small dmi-soft">{say(template?.description)}</p> : null}
        <ConditionsOf document={document} lines={inWords(document, i18n, told)} />
        {end.error ? <Failure error={end.error} /> : null}
      </div>
      {own ? <SecondaryActionButton className="dmi-small-button" aria-label={`${t.offer.takeBack}: ${name}`} busy={end.busy} disabled={end.busy} onClick={() => void end.run()}>{t.offer.takeBack}</SecondaryActionButton> : null}
    </li>
  );
}
