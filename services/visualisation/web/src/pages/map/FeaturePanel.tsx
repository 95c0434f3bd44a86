/** What one point or area is: its values, when and from whom, under which agreement, and its history. */
import { useRef } from 'react';
import { Heading2, Heading3, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Layer, LayerFeature } from '../../api';
import { useNames } from '../../app/names';
import type { MomentLink } from '../../chart/Scrub';
import { useI18n } from '../../i18n';
import { shortId } from '../../i18n/format';
import { AgreementLink } from '../../ui/AgreementLink';
import { Badge } from '../../ui/Badge';
import { Icon } from '../../ui/Icon';
import { Coordinates } from './Coordinates';
import { isFlagged } from './filters';
import { HistoryChart } from './HistoryChart';
import { placeWords, propertiesOfPlaces } from './places';
import { useOpened } from './useOpened';

interface Props {
  layer: Layer;
  feature: LayerFeature;
  siblings: LayerFeature[];
  /** Names of neighbourhoods by their code. */
  areas: Map<string, string>;
  at: [number, number] | null;
  link: MomentLink;
  /** Why this sensor cannot be added to the comparison; null when it can, undefined when it is in it. */
  hindrance: string | null | undefined;
  onCompare: () => void;
  onPoint: (pointing: boolean) => void;
  onClose: () => void;
  onChoose: (id: string) => void;
}

export function FeaturePanel({ layer, feature, siblings, areas, at, link, hindrance, onCompare, onPoint, onClose, onChoose }: Props) {
  const i18n = useI18n();
  const { t, say, term, quantity, moment, age, percent, source } = i18n;
  const names = useNames();
  const p = feature.properties;
  const title = p.name ?? (say(p.label) || shortId(p.id));
  const label = say(p.label);
  const share = typeof p.result === 'number' && p.capacity ? p.result / p.capacity : null;
  const point = feature.geometry?.type === 'Point' ? (feature.geometry.coordinates as [number, number]) : at;
  const place = layer.kind === 'areas' ? propertiesOfPlaces([p]) : [];
  const panel = useRef<HTMLElement>(null);
  useOpened(panel, p.id);
  const neighbourhood = typeof p.neighbourhood === 'string' ? (areas.get(p.neighbourhood) ?? p.neighbourhood) : null;

  return (
    <section ref={panel} tabIndex={-1} className="dmi-panel" aria-label={t.map.panel}>
      <div className="dmi-panel__head">
        <div>
          <p className="dmi-small dmi-soft">{say(layer.title)}</p>
          <Heading2>{title}</Heading2>
        </div>
        <button type="button" className="dmi-icon-button" aria-label={t.common.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {label && label !== title ? <p>{label}</p> : null}
      {p.observed_property ? (
        <div>
          <p className="dmi-small dmi-soft dmi-cap">{term(p.observed_property)}</p>
          <p className="dmi-card__figure">
            {quantity(p.result, p.unit)} {share !== null ? <small>{t.map.full(percent(share))}</small> : null}
          </p>
        </div>
      ) : null}
      <dl className="dmi-facts">
        {p.capacity && place.length === 0 ? (<><dt>{t.map.capacity}</dt><dd>{quantity(p.capacity, p.unit)}</dd></>) : null}
        {place.map((key) => (<PlaceRow key={key} name={term(key)} value={placeWords(p, key, areas, i18n) ?? t.common.noData} />))}
        {p.phenomenon_time ? (<><dt>{t.map.when}</dt><dd>{moment(p.phenomenon_time)} ({age(p.phenomenon_time)})</dd></>) : null}
        {p.flag !== undefined && p.flag !== null ? (<><dt>{t.map.flag}</dt><dd>{isFlagged(feature) ? <Badge tone="warn">{term(String(p.flag))}</Badge> : term(String(p.flag))}</dd></>) : null}
        {neighbourhood && place.length === 0 ? (<><dt>{t.map.neighbourhood}</dt><dd>{neighbourhood}</dd></>) : null}
        <dt>{t.map.from}</dt>
        <dd>{names.participant(layer.owner)}{layer.source && layer.source !== names.participant(layer.owner) ? `, ${source(layer.source)}` : ''}</dd>
        {p.agreement ? (
          <><dt>{t.map.under}</dt><dd><AgreementLink id={p.agreement} /></dd></>
        ) : null}
      </dl>
      {siblings.length > 1 ? (
        <>
          <Heading3>{t.map.otherValues}</Heading3>
          <ul className="dmi-plain">
            {siblings.filter((one) => one.properties.id !== p.id).map((one) => (
              <li key={one.properties.id}>
                <button type="button" className="dmi-link-button" onClick={() => onChoose(one.properties.id)}>
                  {term(one.properties.observed_property)}: {quantity(one.properties.result, one.properties.unit)}
                </button>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {p.datastream ? (
        <>
          <HistoryChart datastream={p.datastream} title={`${title}, ${term(p.observed_property)}`} capacity={p.capacity ?? null} link={link} onPoint={onPoint} />
          {hindrance === undefined ? <p className="dmi-small dmi-soft">{t.map.compareIn}</p> : (
            <div>
              <SecondaryActionButton className="dmi-small-button" disabled={hindrance !== null} onClick={onCompare}>{t.map.compareAdd}</SecondaryActionButton>
              {hindrance ? <p className="dmi-small dmi-soft">{hindrance}</p> : null}
            </div>
          )}
        </>
      ) : null}
      {point ? <Coordinates point={point} /> : null}
    </section>
  );
}

function PlaceRow({ name, value }: { name: string; value: string }) {
  return (<><dt className="dmi-cap">{name}</dt><dd>{value}</dd></>);
}
