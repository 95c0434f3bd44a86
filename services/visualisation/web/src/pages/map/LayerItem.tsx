/** One layer in the list: on or off, order, opacity, legend, source, licence, and the age of its data. */
import { useId } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Layer, LayerFeatures } from '../../api';
import { ApiError } from '../../api/problem';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { isArchive, isLate, useNow } from '../../app/useNow';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { missingColour } from '../../map/ramp';
import { outlines, type Shape } from '../../map/shapes';
import { areaShare } from '../../map/style';
import { Badge } from '../../ui/Badge';
import { Icon } from '../../ui/Icon';
import { Failure, Refused, refusalWords, Skeleton } from '../../ui/State';
import { classes, type Annotated } from './annotate';
import type { LiveLayer } from './useLiveLayer';

export interface LayerItemProps {
  layer: Layer;
  live: LiveLayer;
  /** Why what should be shown could not be fetched. */
  error: ApiError | null;
  /** The moment that is shown; null is live. */
  at: number | null;
  shape: Shape;
  /** What is shown, and all there is before the filters. */
  shown: LayerFeatures | null;
  total: LayerFeatures | null;
  annotated: Annotated | null;
  properties: string[];
  property: string;
  on: boolean;
  opacity: number;
  first: boolean;
  last: boolean;
  onTurn: (on: boolean) => void;
  onOpacity: (opacity: number) => void;
  onMove: (by: -1 | 1) => void;
  onProperty: (property: string) => void;
  onTable: () => void;
  /** Looks whether a refused layer is allowed again. */
  onRetry: () => void;
}

export function LayerItem(props: LayerItemProps) {
  const { layer, live, annotated, on, opacity, at, error, shown, total } = props;
  const i18n = useI18n();
  const { t, say, age, percent } = i18n;
  const names = useNames();
  const id = useId();
  const now = useNow();
  const title = say(layer.title);
  const latest = newest(total) ?? (at === null ? layer.latest : null);
  const reference = at === null ? now : new Date(at);
  const late = latest !== null && isLate(latest, reference);
  const archive = latest !== null && layer.kind !== 'areas' && isArchive(latest, reference);
  const refusal = live.ended ?? (layer.refused ? new ApiError('refused', 403, { ...layer.refused }) : null);
  const narrowed = shown && total && shown.features.length < total.features.length ? shown.features.length : null;

  const mark = layer.kind === 'areas' ? null : props.shape;
  const ageWords = layer.kind === 'areas' ? t.map.momentAlways : archive && latest ? t.map.archiveUntil(i18n.date(latest)) : latest ? (at === null ? t.map.age(age(latest)) : i18n.moment(latest)) : at === null ? t.map.noAge : t.map.momentOf(i18n.moment(new Date(at)));

  return (
    <li className="dmi-layer">
      <div className="dmi-layer__head">
        <label className="dmi-layer__name">
          <input type="checkbox" checked={on} onChange={(event) => props.onTurn(event.target.checked)} />
          <span>{title}</span>
        </label>
        <button type="button" className="dmi-icon-button" disabled={props.first} aria-label={t.map.up(title)} onClick={() => props.onMove(-1)}>
          <Icon name="up" />
        </button>
        <button type="button" className="dmi-icon-button" disabled={props.last} aria-label={t.map.down(title)} onClick={() => props.onMove(1)}>
          <Icon name="down" />
        </button>
      </div>
      {on && refusal ? (
        <details className="dmi-layer__stopped">
          <summary><Icon name="stop" size={16} /> <span>{refusalWords(refusal.problem, t)}</span></summary>
          <Refused error={refusal} owner={layer.owner} />
          <div className="dmi-layer__again">
            <SecondaryActionButton className="dmi-small-button" onClick={props.onRetry}>{t.map.tryAgain}</SecondaryActionButton>
            <p className="dmi-small dmi-soft">{t.map.checkingAgain}</p>
          </div>
        </details>
      ) : null}
      {on && !refusal && error ? <Failure error={error} retry={live.resource.reload} owner={layer.owner} /> : null}
      {on && !refusal ? (
        <div className="dmi-layer__body">
          <p className="dmi-badges">
            {archive ? <Badge>{t.map.archive}</Badge> : null}
            {at === null && !archive && live.stream === 'live' ? <Badge tone="good">{t.map.live}</Badge> : null}
            {at === null && live.stream === 'reconnecting' ? <Badge tone="warn">{t.map.reconnecting}</Badge> : null}
            {late && layer.kind !== 'areas' ? <Badge tone="warn">{t.map.late}</Badge> : null}
            <span className="dmi-small dmi-soft">{ageWords}</span>
          </p>
          {shown === null && !error ? <Skeleton lines={2} /> : null}
          {total?.features.length === 0 ? <p className="dmi-small">{at === null ? t.map.layerEmpty : t.map.tableEmptyThen}</p> : null}
          {narrowed !== null && total ? <p className="dmi-small">{narrowed === 0 ? t.map.filterNone : t.map.filterCount(narrowed, total.features.length)}</p> : null}
          {props.properties.length > 1 ? (
            <label className="dmi-layer__choice">
              <span>{t.map.chooseProperty}</span>
              <select value={props.property} onChange={(event) => props.onProperty(event.target.value)}>
                {props.properties.map((one) => (
                  <option key={one} value={one}>{i18n.term(one)}</option>
                ))}
              </select>
            </label>
          ) : null}
          {annotated && annotated.ramp.breaks.length > 0 ? (
            <ul className="dmi-ramp" aria-label={`${t.map.legend} ${i18n.term(annotated.property)}`}>
              {classes(annotated.ramp, i18n, annotated.property).map(({ colour, words }, index) => (
                <li key={words}><Key shape={mark} colour={colour} share={opacity} /><span>{words} <span className="dmi-soft">({annotated.counts[index] ?? 0})</span></span></li>
              ))}
              {annotated.missing > 0 ? <li><Key shape={mark} colour={missingColour} share={opacity} /><span>{t.map.noValue} <span className="dmi-soft">({annotated.missing})</span></span></li> : null}
              {mark && annotated.data.features.length > 1 ? <li className="dmi-ramp__long"><ClusterKey shape={mark} /><span>{t.map.cluster}</span></li> : null}
            </ul>
          ) : null}
          <label className="dmi-layer__opacity" htmlFor={`${id}-opacity`}>
            <span>{t.map.opacityShort}</span>
            <input
              id={`${id}-opacity`} type="range" min={10} max={100} step={10} value={Math.round(opacity * 100)}
              aria-label={t.map.opacity(title)} aria-valuetext={percent(opacity)}
              onChange={(event) => props.onOpacity(Number(event.target.value) / 100)}
            />
            <span className="dmi-numeric">{percent(opacity)}</span>
          </label>
          <p className="dmi-small dmi-soft">
            {layer.source && layer.source !== names.participant(layer.owner) ? `${t.common.source}: ${i18n.source(layer.source)}. ` : ''}
            {layer.licence ? `${t.common.licence}: ${licenceName(layer.licence)}. ` : ''}
            {t.common.owner}: {names.participant(layer.owner)}. <RouteLink to={`/catalogue/${layer.id}`} aria-label={`${t.map.about}: ${title}`}>{t.map.about}</RouteLink>
          </p>
          <button type="button" className="dmi-link-button" aria-label={t.map.tableOf(title)} onClick={props.onTable}>
            <Icon name="table" size={16} /> {t.map.asTable}
          </button>
        </div>
      ) : null}
    </li>
  );
}

/** A piece of the legend: the layer's own mark in the colour of a class. */
function Key({ shape, colour, share }: { shape: Shape | null; colour: string; share: number }) {
  // Areas let through what lies under them; their key is as pale as they are.
  if (!shape) return <span className="dmi-key" style={{ background: `color-mix(in srgb, ${colour} ${Math.round(share * areaShare * 100)}%, var(--dmi-ground-soft))` }} />;
  return (
    <svg className="dmi-key-shape" width={16} height={16} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={outlines[shape]} fill={colour} stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}

/** How points that lie close together are drawn: two rings and a times sign. */
function ClusterKey({ shape }: { shape: Shape }) {
  return (
    <svg className="dmi-key-shape" width={24} height={24} viewBox="-5 -5 30 30" aria-hidden="true" focusable="false">
      <path d={outlines[shape]} fill="none" stroke="currentColor" strokeWidth="1.2" transform="translate(-4 -4) scale(1.4)" />
      <path d={outlines[shape]} fill="none" stroke="currentColor" strokeWidth="1.5" />
      <text x={10} y={14} textAnchor="middle" fontSize={10} fill="currentColor">3×</text>
    </svg>
  );
}

function newest(features: LayerFeatures | null): string | null {
  let found: string | null = null;
  for (const feature of features?.features ?? []) {
    const at = feature.properties.phenomenon_time;
    if (at && (found === null || at > found)) found = at;
  }
  return found;
}
