/** The entries that cover one place of the map, to choose from. */
import { useEffect, useId, useRef } from 'react';
import type { CatalogueItem } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useI18n } from '../../i18n';
import { Icon } from '../../ui/Icon';
import { useFacetWords } from './Facets';

/** The entries whose box holds a place (longitude, latitude), the smallest first. */
export function covering(items: CatalogueItem[], [longitude, latitude]: [number, number]): CatalogueItem[] {
  const boxes = items.flatMap((item) => (item.about ? [{ item, box: item.about.spatial.bbox }] : []));
  const here = boxes.filter(({ box: [west, south, east, north] }) => west <= longitude && longitude <= east && south <= latitude && latitude <= north);
  const size = ([west, south, east, north]: [number, number, number, number]) => (east - west) * (north - south);
  return here.sort((a, b) => size(a.box) - size(b.box)).map(({ item }) => item);
}

export function Picked({ items, onClose }: { items: CatalogueItem[]; onClose: () => void }) {
  const { t, say } = useI18n();
  const names = useNames();
  const words = useFacetWords();
  const title = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => {
    title.current?.focus();
  }, [items]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes it from wherever the focus is in it
    <div className="dmi-picked" role="dialog" aria-labelledby={id} onKeyDown={(event) => { if (event.key === 'Escape') onClose(); }}>
      <div className="dmi-panel__head">
        <h3 ref={title} id={id} tabIndex={-1} className="utrecht-heading-3">{t.catalogue.picked(items.length)}</h3>
        <button type="button" className="dmi-icon-button" aria-label={t.common.close} onClick={onClose}><Icon name="close" /></button>
      </div>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <RouteLink to={`/catalogue/${item.id}`}>{say(item.title)}</RouteLink>
            <span className="dmi-small dmi-soft">{words('direction', item.direction)}: {words('kind', item.kind).toLocaleLowerCase()}, {names.participant(item.owner)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
