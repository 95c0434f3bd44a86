/** A proposal for an agreement in plain words: for what, to do what, until when. */
import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Dataset, OdrlDocument, Offer } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { toCityInput } from '../../i18n/cityTime';
import { agreementOf, working } from '../../rights/templates';
import { termsOf, withTerms, wrongTerms, type Terms } from '../../rights/terms';
import { RadioGroup } from '../../ui/fields';
import { focusFirstError } from '../../ui/problems';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { Failure, Notice, Section } from '../../ui/State';
import { TermsForm } from '../negotiate/TermsForm';
import { useOfferNames } from '../offer/named';
import { filledFor } from '../offer/parameters';

export function AskForUse({ dataset, offers }: { dataset: Dataset; offers: Offer[] }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity, purpose: current } = useSession();
  const me = identity?.participant ?? '';
  const [way, setWay] = useState<string | null>(null);
  const [chosen, setChosen] = useState<Partial<Terms>>({});
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState<string | null>(null);
  const [today] = useState(() => toCityInput(Date.now()).slice(0, 10));
  const templates = names.rulebook?.templates ?? [];
  const called = useOfferNames(offers);
  const taken = offers.find((one) => one.id === (way ?? offers[0]?.id));
  const template = templates.find((one) => one.id === taken?.template);
  const drafted = useResource(taken && template ? `ask ${taken.id} ${me}` : null, (signal) => api.exchange.draft(template?.id ?? '', filledFor(template ?? { parameters: [] }, taken?.parameters ?? {}, dataset.owner, dataset.id, me), signal));
  const own = agreementOf({
    assigner: dataset.owner, assignee: me, dataset: dataset.id, // Whoever operates layers can do nothing for anybody with a part of these.
    actions: names.keeps(me) ? working : ['dmi:read'],
    // No purpose chosen at the top: then what the data is collected for is the likely one.
    purpose: current || (dataset.purpose ?? names.rulebook?.purposes?.[0]?.id ?? ''), rulebook: names.rulebook?.version ?? '1.0.0',
    // Persons are in it: then it stays with the basis on which it was collected.
    basis: dataset.personal ? dataset.basis || 'dmi:basis:consent' : undefined,
  });
  const base = taken && template ? drafted.data : own;
  const first = base ? termsOf(base) : null;
  const send = useAction(async (document: OdrlDocument) => setSent((await api.exchange.propose(document)).id));
  const terms = first ? { ...first, ...chosen } : null;
  const wrong = terms ? wrongTerms(terms, today) : {};
  // Conditions of the owner that no form can hold are asked for as they are.
  const wanted = base && terms ? (Object.keys(wrong).length === 0 ? withTerms(base, terms) : null) : base;
  return (
    <Section title={t.catalogue.ask} id="ask" lead={t.catalogue.askText}>
      {sent ? <Notice tone="good"><p role="status">{t.catalogue.askSent}</p><p><RouteLink to={`/agreements/${sent}`}>{t.catalogue.askFollow}</RouteLink></p></Notice> : (
        <form
          className="dmi-form" noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (wanted) void send.run(wanted);
            else focusFirstError(event.currentTarget);
          }}
        >
          {offers.length > 0 ? (
            <RadioGroup
              label={t.offer.askOn} name="way" value={taken?.id ?? ''} onChange={(value) => { setWay(value); setChosen({}); }}
              choices={[...offers.map((one) => ({ value: one.id, label: called.get(one.id) ?? one.template })), { value: '', label: t.offer.askOwn }]}
            />
          ) : null}
          {drafted.error ? <Failure error={drafted.error} retry={drafted.reload} /> : null}
          {terms ? <TermsForm terms={terms} onChange={setChosen} wrong={tried ? wrong : {}} keeps={names.keeps(me)} more={first?.actions} measures={taken !== undefined} /> : null}
          {wanted ? <ReviewVerdict documents={[wanted]} mend={t.review.sendMended} busy={send.busy} onMend={([one]) => one && void send.run(one)} /> : null}
          {send.error ? <Failure error={send.error} /> : null}
          <div><PrimaryActionButton type="submit" busy={send.busy} disabled={send.busy}>{t.catalogue.askSend}</PrimaryActionButton></div>
        </form>
      )}
    </Section>
  );
}
