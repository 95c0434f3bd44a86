import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Dataset } from '../api';
import { useNames } from '../app/names';
import { RouteLink, useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { licenceName } from '../i18n/format';
import { Badge } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Loaded } from '../ui/State';

export default function CataloguePage() {
  const { t, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const [query, change] = useQueryState();
  const text = query.get('q') ?? '';
  const datasets = useResource('catalogue', (signal) => api.exchange.datasets(signal));
  const wanted = text.trim().toLocaleLowerCase();
  const fits = (d: Dataset) =>
    `${say(d.title)} ${say(d.description)} ${names.participant(d.owner)}`.toLocaleLowerCase().includes(wanted);

  return (
    <Page title={t.catalogue.title} lead={t.catalogue.lead}>
      <TextField type="search" label={t.catalogue.searchLabel} value={text} onChange={(value) => change({ q: value || null })} />
      <Loaded
        resource={datasets} height={400} isEmpty={(all) => all.length === 0}
        empty={<Empty title={t.catalogue.empty} action={<ButtonLink to="/publish">{t.shell.publish}</ButtonLink>}>{t.catalogue.emptyText}</Empty>}
      >
        {(all) => {
          const shown = all.filter(fits);
          return (
            <>
              <p className="dmi-small dmi-soft" role="status">{t.common.rows(shown.length, all.length)}</p>
              {shown.length === 0 ? <Empty title={t.catalogue.none} action={<SecondaryActionButton onClick={() => change({ q: null })}>{t.catalogue.showAll}</SecondaryActionButton>} /> : null}
              <ul className="dmi-cards">
                {shown.map((d) => (
                  <li key={d.id} className="dmi-card">
                    <p className="dmi-card__over">{names.participant(d.owner)}</p>
                    <h2 className="utrecht-heading-3"><RouteLink to={`/catalogue/${d.id}`}>{say(d.title)}</RouteLink></h2>
                    <p>{say(d.description)}</p>
                    <p className="dmi-badges">
                      {d.withdrawn ? <Badge tone="bad">{t.terms.withdrawn}</Badge> : null}
                      <Badge tone={d.personal ? 'info' : 'neutral'}>{d.personal ? t.catalogue.personal : t.catalogue.notPersonal}</Badge>
                      {d.licence ? <Badge>{licenceName(d.licence)}</Badge> : null}
                    </p>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
