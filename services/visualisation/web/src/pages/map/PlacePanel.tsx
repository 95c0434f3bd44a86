/** An address, area or pair of coordinates that a search led to. */
import { useRef } from 'react';
import { Heading2 } from '@utrecht/component-library-react';
import { useI18n } from '../../i18n';
import { Icon } from '../../ui/Icon';
import { Coordinates } from './Coordinates';
import type { Found } from './find';
import { useOpened } from './useOpened';

export function PlacePanel({ place, onClose }: { place: Found; onClose: () => void }) {
  const { t } = useI18n();
  const panel = useRef<HTMLElement>(null);
  useOpened(panel, place.key);
  const [west, south, east, north] = place.bbox ?? [0, 0, 0, 0];
  return (
    <section ref={panel} tabIndex={-1} className="dmi-panel" aria-label={t.map.placePanel}>
      <div className="dmi-panel__head">
        <div>
          <p className="dmi-small dmi-soft dmi-cap">{t.map.searchKinds[place.kind]}</p>
          <Heading2>{place.name}</Heading2>
        </div>
        <button type="button" className="dmi-icon-button" aria-label={t.common.close} onClick={onClose}><Icon name="close" /></button>
      </div>
      {place.hint && 'text' in place.hint ? <p>{place.hint.text}</p> : null}
      {place.bbox ? <Coordinates point={[(west + east) / 2, (south + north) / 2]} /> : null}
    </section>
  );
}
