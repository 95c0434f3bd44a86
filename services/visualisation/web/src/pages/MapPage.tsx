import { useEffect } from 'react';
import { Heading1 } from '@utrecht/component-library-react';
import { useNames } from '../app/names';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Empty, Loaded } from '../ui/State';
import { MapView } from './map/MapView';

/** Whether a layer is allowed again is looked after this long, in milliseconds. */
const lookAgain = 15_000;

export default function MapPage() {
  const { t } = useI18n();
  const { city } = useNames();
  const api = useApi();
  const layers = useResource('layers', (signal) => api.visualisation.layers(signal), lookAgain);
  useEffect(() => {
    document.title = `${t.map.title} · ${t.shell.product} ${city}`.trimEnd();
  }, [t, city]);
  return (
    <div className="dmi-map">
      <Heading1 className="dmi-sr-only">{t.map.title}</Heading1>
      <Loaded resource={layers} height={600} isEmpty={(list) => list.items.length === 0} empty={<div className="dmi-map__message"><Empty title={t.map.noLayers}>{t.map.noLayersText}</Empty></div>}>
        {(list) => <MapView layers={list.items} outside={list.background ?? null} reload={layers.reload} />}
      </Loaded>
    </div>
  );
}
