/** Parts of the page of one entry: where and what about, what was measured, and conditions beside their legal text. */
import type { About, OdrlDocument, Quality } from '../../api';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { Page } from '../../ui/Page';
import { Loaded, Section } from '../../ui/State';
import { useFacetWords } from './Facets';

export function AboutRows({ about }: { about: About | null | undefined }) {
  const { t, say, language, moment, number } = useI18n();
  const words = useFacetWords();
  if (!about) return null;
  const [west, south, east, north] = about.spatial.bbox;
  const place = say(about.spatial.name) || t.catalogue.between(number(south, 3), number(north, 3), number(west, 3), number(east, 3));
  const keywords = about.keywords[language] ?? Object.values(about.keywords)[0] ?? [];
  return (
    <>
      <dt>{t.catalogue.place}</dt><dd>{[place, ...(about.spatial.codes ?? [])].join(', ')}</dd>
      <dt>{t.catalogue.theme}</dt><dd>{about.themes.map((one) => words('theme', one)).join(', ')}</dd>
      {keywords.length > 0 ? (<><dt>{t.catalogue.keywords}</dt><dd>{keywords.join(', ')}</dd></>) : null}
      {about.contact ? (<><dt>{t.catalogue.contact}</dt><dd><a className="utrecht-link" href={about.contact}>{about.contact.replace(/^mailto:/, '')}</a></dd></>) : null}
      {about.modified_at ? (<><dt>{t.catalogue.changed}</dt><dd>{moment(about.modified_at)}</dd></>) : null}
    </>
  );
}

/** Figures that the platform measured itself; a share that could not be measured is left out, never zero. */
export function Measured({ quality }: { quality: Quality | null | undefined }) {
  const { t, number, moment } = useI18n();
  const share = (value: number | null | undefined) => (typeof value === 'number' ? `${number(Math.round(value * 1000) / 10)} %` : null);
  const rows: [string, string | null][] = [
    [t.catalogue.completeness, share(quality?.completeness)],
    [t.catalogue.plausible, share(quality?.plausible)],
    [t.catalogue.delivering, share(quality?.delivering)],
    [t.catalogue.newest, quality?.newest ? moment(quality.newest) : null],
  ];
  return (
    <Section title={t.catalogue.measured} id="measured">
      {quality ? (
        <>
          <p className="dmi-small dmi-soft">{t.catalogue.measuredLead(quality.rows === null ? null : number(quality.rows), moment(quality.at))}{quality.rows === null ? ` ${t.catalogue.measuredOfPersons}` : ''}</p>
          <dl className="dmi-facts">{rows.flatMap(([name, value]) => (value === null ? [] : [<dt key={name}>{name}</dt>, <dd key={`${name}-value`}>{value}</dd>]))}</dl>
        </>
      ) : <p className="dmi-soft">{t.catalogue.measuredNone}</p>}
    </Section>
  );
}

/** The conditions in plain words, and beside them the text that was signed. */
export function ConditionsOf({ document, lines }: { document: OdrlDocument; lines: string[] }) {
  const { t } = useI18n();
  return (
    <details className="dmi-details dmi-small">
      <summary>{t.catalogue.conditions}</summary>
      <div className="dmi-beside">
        <div>
          <h3 className="utrecht-heading-4">{t.catalogue.plain}</h3>
          <ul className="dmi-edits">{lines.map((line) => <li key={line}>{line}</li>)}</ul>
        </div>
        <div>
          <h3 className="utrecht-heading-4">{t.catalogue.legal}</h3>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard */}
          <div className="dmi-code"><pre tabIndex={0} role="region" aria-label={t.catalogue.legal}><code>{JSON.stringify(document, null, 2)}</code></pre></div>
        </div>
      </div>
    </details>
  );
}

/** The page of a service, an application or knowledge, or of something that is asked for. */
export function EntryView({ id }: { id: string }) {
  const { t, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const words = useFacetWords();
  const entry = useResource(`entry ${id}`, (signal) => api.exchange.entry(id, signal));
  return (
    <Page title={entry.data ? say(entry.data.title) : t.catalogue.title} lead={say(entry.data?.description)} back={{ to: '/catalogue', label: t.catalogue.title }}>
      <Loaded resource={entry} height={320}>
        {(item) => (
          <Section title={`${words('direction', item.direction)}: ${words('kind', item.kind).toLocaleLowerCase()}`} id="about">
            <dl className="dmi-facts">
              <dt>{t.common.owner}</dt><dd>{names.participant(item.owner)}</dd>
              {item.address ? (<><dt>{t.catalogue.address}</dt><dd><a className="utrecht-link" href={item.address}>{item.address}</a></dd></>) : null}
              {item.licence ? (<><dt>{t.common.licence}</dt><dd>{licenceName(item.licence)}</dd></>) : null}
              <AboutRows about={item.about} />
              <dt>ID</dt><dd><code>{item.id}</code></dd>
            </dl>
          </Section>
        )}
      </Loaded>
    </Page>
  );
}
