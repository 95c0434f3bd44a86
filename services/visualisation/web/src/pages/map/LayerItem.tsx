/** One layer in the list: on or off, order, opacity, legend, source, licence, and the age of its data. */
import { useId } from 'react';
import type { Layer } from '../../api';
import { ApiError } from '../../api/problem';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { isLate, useNow } from '../../app/useNow';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { missingColour } from '../../map/ramp';
import { Badge } from '../../ui/Badge';
import { Icon } from '../../ui/Icon';
import { Failure, Refused } from '../../ui/State';
import { classes, type Annotated } from './annotate';
import type { LiveLayer } from './useLiveLayer';

export interface LayerItemProps {
  layer: Layer;
  live: LiveLayer;
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
}

export function LayerItem(props: LayerItemProps) {
  const { layer, live, annotated, on, opacity } = props;
  const i18n = useI18n();
  const { t, say, age, percent } = i18n;
  const names = useNames();
  const id = useId();
  const now = useNow();
  const title = say(layer.title);
  const latest = newest(live) ?? layer.latest;
  const late = latest !== null && isLate(latest, now);
  const refusal = live.ended ?? (layer.refused ? new ApiError('refused', 403, { ...layer.refused }) : null);
  const failed = live.resource.error;

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
      {on && refusal ? <Refused error={refusal} owner={layer.owner} /> : null}
      {on && !refusal && failed ? <Failure error={failed} retry={live.resource.reload} owner={layer.owner} /> : null}
      {on && !refusal ? (
        <div className="dmi-layer__body">
          <p className="dmi-badges">
            {live.stream === 'live' ? <Badge tone="good">{t.map.live}</Badge> : null}
            {live.stream === 'reconnecting' ? <Badge tone="warn">{t.map.reconnecting}</Badge> : null}
            {late && layer.kind !== 'areas' ? <Badge tone="warn">{t.map.late}</Badge> : null}
            <span className="dmi-small dmi-soft">{latest ? t.map.age(age(latest)) : t.map.noAge}</span>
          </p>
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
              {classes(annotated.ramp, i18n).map(({ colour, words }) => (
                <li key={words}><span className="dmi-key" style={{ background: colour }} />{words}</li>
              ))}
              <li><span className="dmi-key" style={{ background: missingColour }} />{t.map.noValue}</li>
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
            {layer.source && layer.source !== names.participant(layer.owner) ? `${t.common.source}: ${layer.source}. ` : ''}
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

export function newest(live: LiveLayer): string | null {
  let found: string | null = null;
  for (const feature of live.features?.features ?? []) {
    const at = feature.properties.phenomenon_time;
    if (at && (found === null || at > found)) found = at;
  }
  return found;
}
