import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { CityNode, Negotiation, NodeEntry, OdrlDocument, SpelledPolicy } from '../api';
import { useLive } from '../app/live';
import { useKnown, useNames } from '../app/names';
import { RouteLink, useQueryState, useRouter } from '../app/router';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { toldApart } from '../rights/apart';
import { documentOf, policyOf } from '../rights/spelled';
import { termsOf } from '../rights/terms';
import { inWords } from '../rights/words';
import { Badge } from '../ui/Badge';
import { DataTable } from '../ui/DataTable';
import { SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Loaded, Notice, Section } from '../ui/State';
import { ConditionsOf } from './catalogue/parts';
import { Refine } from './negotiate/Refine';
import { Agree } from './nodes/Agree';
import { cityOf, isTurn, sidesOf, whyFor } from './nodes/standing';

export default function NodesPage() {
  const { t } = useI18n();
  const api = useApi();
  const nodes = useResource('nodes', (signal) => api.exchange.nodes(signal), 15_000);
  return (
    <Page title={t.nodes.title} lead={t.nodes.lead} wide>
      <Negotiations />
      <Loaded resource={nodes} height={240} isEmpty={(all) => all.length === 0} empty={<Empty title={t.nodes.none}>{t.nodes.noneText}</Empty>}>
        {(all) => <City nodes={all} />}
      </Loaded>
    </Page>
  );
}

function Negotiations() {
  const { t, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const me = identity?.participant ?? '';
  const found = useResource('negotiations', (signal) => api.exchange.negotiations(signal), 5_000);
  const states: Record<string, string> = t.nodes.states;
  const tone = (one: Negotiation) => (one.state === 'TERMINATED' || one.stopped_at ? 'bad' : one.state === 'FINALIZED' ? 'good' : isTurn(one) && one.participant === me ? 'warn' : 'info');
  const standing = (one: Negotiation) => {
    const at = one.stopped_at;
    return <><Badge tone={tone(one)}>{at ? t.nodes.states.TERMINATED : (states[one.state] ?? one.state)}</Badge><br /><span className="dmi-small">{at ? t.nodes.stoppedOn(moment(at)) : whyFor(one, me, names, t)}</span></>;
  };
  return (
    <Section title={t.nodes.negotiations} id="negotiations">
      <Loaded resource={found} height={160} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.nodes.negotiationsNone}</p>}>
        {(all) => (
          <DataTable
            caption={t.nodes.negotiations} captionHidden rows={all} rowKey={(one) => one.id} pageSize={10} initialSort={{ key: 'changed', descending: true }}
            columns={[
              { key: 'what', head: t.common.dataset, sort: (one) => names.dataset(one.dataset), cell: (one) => <><RouteLink to={`/negotiations/${one.id}`}>{names.dataset(one.dataset)}</RouteLink><br /><span className="dmi-small dmi-soft">{sidesOf(one, me, names, t)}</span></> },
              { key: 'state', head: t.nodes.why, sort: (one) => one.state, cell: standing },
              { key: 'changed', head: t.nodes.changed, sort: (one) => one.changed_at, cell: (one) => moment(one.changed_at) },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}

function City({ nodes }: { nodes: CityNode[] }) {
  const { t, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const [query, change] = useQueryState();
  const [words, setWords] = useState('');
  const [asked, setAsked] = useState('');
  const node = nodes.find((one) => one.url === query.get('node')) ?? nodes[0];
  const found = useResource(node?.reachable ? `node ${node.url} ${asked}` : null, (signal) => api.exchange.nodeCatalogue({ node: node?.url ?? '', text: asked }, signal));
  useKnown((found.data?.items ?? []).map((one) => one.owner), node?.url);
  if (!node) return null;
  return (
    <Section title={t.nodes.entries} id="entries">
      <form className="dmi-form__row" role="search" onSubmit={(event) => { event.preventDefault(); setAsked(words.trim()); }}>
        <SelectField label={t.nodes.city} value={node.url} onChange={(url) => change({ node: url })} choices={nodes.map((one) => ({ value: one.url, label: cityOf(one, names.participants) }))} />
        <TextField type="search" label={t.nodes.search} value={words} onChange={setWords} />
        <SecondaryActionButton type="submit">{t.common.search}</SecondaryActionButton>
      </form>
      {node.members_left_out ? <p className="dmi-small dmi-soft">{t.nodes.membersLeftOut(node.members_left_out)}</p> : null}
      {node.members_unread ? <p className="dmi-small dmi-soft">{t.nodes.membersUnread(node.members_unread)}</p> : null}
      {node.reachable ? (
        <Loaded resource={found} height={240} isEmpty={(page) => page.items.length === 0 && !page.left_out} empty={<p className="dmi-soft">{t.nodes.entriesNone}</p>}>
          {(page) => (
            <>
              <ul className="dmi-rows">{page.items.map((one) => <Entry key={one.dataset} entry={one} />)}</ul>
              {page.left_out ? <p className="dmi-small dmi-soft">{t.nodes.entriesLeftOut(page.left_out)}</p> : null}
            </>
          )}
        </Loaded>
      ) : (
        <Notice tone="warn" title={t.nodes.unreachable}>
          {node.since ? <p>{t.nodes.unreachableSince(moment(node.since))}</p> : null}
          {node.reason ? <p className="dmi-small">{node.reason}</p> : null}
        </Notice>
      )}
    </Section>
  );
}

function Entry({ entry }: { entry: NodeEntry }) {
  const i18n = useI18n();
  const { t, say } = i18n;
  const names = useNames();
  const { identity } = useSession();
  const documents = entry.offers.map((offer) => documentOf(offer, { assigner: entry.owner ?? '', assignee: identity?.participant ?? '', dataset: entry.dataset }));
  const called = toldApart(documents.map(() => t.offer.one), documents, i18n, names);
  return (
    <li>
      <div className="dmi-stack">
        <h3 className="utrecht-heading-3">{say(entry.title)}</h3>
        <p>{say(entry.description)}</p>
        <p className="dmi-small dmi-soft">{t.nodes.owner(names.participant(entry.owner))}</p>
        {entry.offers.map((offer, index) => {
          const document = documents[index];
          return document ? <OneOffer key={offer['@id'] ?? index} entry={entry} offer={offer} document={document} name={documents.length > 1 ? (called[index] ?? null) : null} /> : null;
        })}
      </div>
    </li>
  );
}

interface OneOfferProps {
  entry: NodeEntry;
  offer: SpelledPolicy;
  document: OdrlDocument;
  /** Among several of the same data. */
  name: string | null;
}

function OneOffer({ entry, offer, document, name }: OneOfferProps) {
  const i18n = useI18n();
  const { t, say } = i18n;
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { navigate } = useRouter();
  const [changing, setChanging] = useState(false);
  const [agreeing, setAgreeing] = useState(false);
  const told = { ...names, dataset: () => say(entry.title) };
  const title = name ? `${say(entry.title)}, ${name}` : say(entry.title);
  const terms = termsOf(document);
  const ask = useAction(async (wanted: OdrlDocument | null) => {
    const begun = await api.exchange.negotiate({ provider: entry.owner ?? '', address: entry.address, dataset: entry.dataset, offer: wanted ? policyOf(offer, wanted) : offer });
    live(t.nodes.asked);
    navigate(`/negotiations/${begun.id}`);
  });
  return (
    <div className="dmi-stack">
      {name ? <h4 className="utrecht-heading-4">{name}</h4> : null}
      <ConditionsOf document={document} lines={inWords(document, i18n, told)} />
      <Agree open={agreeing} document={document} title={say(entry.title)} busy={ask.busy} error={ask.error} onConfirm={() => void ask.run(null)} onClose={() => setAgreeing(false)} />
      {changing && terms ? <Refine document={document} first={terms} review={false} send={ask} onClose={() => setChanging(false)} /> : (
        <div className="dmi-actions">
          <PrimaryActionButton aria-label={`${t.nodes.ask}: ${title}`} onClick={() => { ask.clear(); setAgreeing(true); }}>{t.nodes.ask}</PrimaryActionButton>
          {terms ? <SecondaryActionButton aria-label={`${t.nodes.askOther}: ${title}`} onClick={() => { ask.clear(); setChanging(true); }}>{t.nodes.askOther}</SecondaryActionButton> : null}
        </div>
      )}
    </div>
  );
}
