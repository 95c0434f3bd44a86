import { lazy, Suspense, useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { CatalogueItem, CataloguePage as Found } from '../api';
import { useNames } from '../app/names';
import { RouteLink, useQueryState, useRouter } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useBrought } from '../app/useBrought';
import { useLater } from '../app/useLater';
import { useKept, useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { licenceName } from '../i18n/format';
import { Badge } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Section, Skeleton } from '../ui/State';
import { Facets, useFacetWords } from './catalogue/Facets';
import { areaNames, spatialOf } from './intake/useDataset';

const Coverage = lazy(() => import('./catalogue/Coverage'));

export default function CataloguePage() {
  const { t } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const text = useLater(query.get('q') ?? '');
  const area = query.get('area') ?? '';
  const chosen = (query.get('f') ?? '').split(' ').filter((one) => one !== '');
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const box = area === '' || !background.data ? null : spatialOf(background.data, area).bbox;
  const wanted = { q: text, bbox: box?.join(',') ?? null, facet: chosen };
  const found = useKept(useResource(`catalogue ${JSON.stringify(wanted)}`, (signal) => api.exchange.search(wanted, signal)));
  const { there, go } = useBrought<HTMLDivElement>();
  const nothing = text === '' && area === '' && chosen.length === 0;

  return (
    <Page title={t.catalogue.title} lead={t.catalogue.lead} wide>
      <div className="dmi-form__row" role="search" ref={there} tabIndex={-1}>
        <TextField type="search" label={t.catalogue.searchLabel} value={query.get('q') ?? ''} onChange={(value) => change({ q: value || null })} />
        <SelectField
          label={t.catalogue.areaLabel} value={area} onChange={(value) => change({ area: value || null })}
          choices={[{ value: '', label: t.catalogue.everywhere }, ...areaNames(background.data).map((name) => ({ value: name, label: name }))]}
        />
      </div>
      <Loaded
        resource={found} height={400} isEmpty={(page) => page.total === 0 && nothing}
        empty={<Empty title={t.catalogue.empty} action={<ButtonLink to="/publish">{t.shell.publish}</ButtonLink>}>{t.catalogue.emptyText}</Empty>}
      >
        {(page) => (
          <div className="dmi-catalogue">
            <Facets facets={page.facets ?? []} background={background.data} chosen={chosen} onChange={(next) => change({ f: next.join(' ') || null })} />
            <Results key={JSON.stringify(wanted)} first={page} wanted={wanted} background={background.data} onLast={go} showAll={() => {
              change({ q: null, area: null, f: null });
              go();
            }} />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

interface ResultsProps {
  first: Found;
  wanted: { q: string; bbox: string | null; facet: string[] };
  background: Parameters<typeof Coverage>[0]['background'];
  showAll: () => void;
  /** Nothing more can be asked for. */
  onLast: () => void;
}

function Results({ first, wanted, background, showAll, onLast }: ResultsProps) {
  const { t, number } = useI18n();
  const api = useApi();
  const { navigate } = useRouter();
  const [more, setMore] = useState<Found | null>(null);
  const load = useAction(async (cursor: string) => {
    const page = await api.exchange.search({ ...wanted, cursor, facets: false });
    setMore((old) => ({ ...page, items: [...(old?.items ?? []), ...page.items] }));
    if (page.next === null) onLast();
  });
  const items = [...first.items, ...(more?.items ?? [])];
  const next = more ? more.next : first.next;
  return (
    <div className="dmi-stack">
      <p className="dmi-small dmi-soft" role="status">{t.catalogue.found(number(first.total))}</p>
      {items.length === 0 ? <Empty title={t.catalogue.none} action={<SecondaryActionButton onClick={showAll}>{t.catalogue.showAll}</SecondaryActionButton>} /> : null}
      {items.some((item) => item.about) ? (
        <Section title={t.catalogue.coverage} id="coverage" lead={t.catalogue.coverageText}>
          <Suspense fallback={<Skeleton height={360} />}><Coverage items={items} background={background} onPick={(id) => navigate(`/catalogue/${id}`)} /></Suspense>
        </Section>
      ) : null}
      <ul className="dmi-cards">{items.map((item) => <Card key={item.id} item={item} />)}</ul>
      {load.error ? <Failure error={load.error} /> : null}
      {next ? <SecondaryActionButton busy={load.busy} onClick={() => void load.run(next)}>{t.common.more}</SecondaryActionButton> : null}
    </div>
  );
}

function Card({ item }: { item: CatalogueItem }) {
  const { t, say } = useI18n();
  const names = useNames();
  const words = useFacetWords();
  const place = item.about ? say(item.about.spatial.name) || item.about.spatial.codes?.join(', ') : '';
  return (
    <li className="dmi-card">
      <p className="dmi-card__over">{words('direction', item.direction)}: {words('kind', item.kind).toLocaleLowerCase()} · {names.participant(item.owner)}</p>
      <h2 className="utrecht-heading-3"><RouteLink to={`/catalogue/${item.id}`}>{say(item.title)}</RouteLink></h2>
      <p>{say(item.description)}</p>
      {place ? <p className="dmi-small dmi-soft">{t.catalogue.place}: {place}</p> : null}
      <p className="dmi-badges">
        {item.withdrawn ? <Badge tone="bad">{t.terms.withdrawn}</Badge> : null}
        <Badge tone={item.access === 'open' ? 'good' : 'neutral'}>{words('access', item.access)}</Badge>
        {item.kind === 'data' ? <Badge tone={item.personal ? 'info' : 'neutral'}>{item.personal ? t.catalogue.personal : t.catalogue.notPersonal}</Badge> : null}
        {item.licence ? <Badge>{licenceName(item.licence)}</Badge> : null}
      </p>
    </li>
  );
}
