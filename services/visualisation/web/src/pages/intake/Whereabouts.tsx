/** Where a sensor stands: written or pasted as coordinates, or picked on the map, and told back in words. */
import { lazy, Suspense, useMemo } from 'react';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { formatPlace } from '../../i18n/format';
import { readCoordinates } from '../../map/coordinates';
import { TextField } from '../../ui/fields';
import { Skeleton } from '../../ui/State';
import { areaAt, spatialOf } from './useDataset';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));

export function Whereabouts({ value, onChange, error }: { value: string; onChange: (value: string) => void; error: string | null }) {
  const { t, language } = useI18n();
  const api = useApi();
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const bounds = useMemo(() => spatialOf(background.data, '').bbox, [background.data]);
  const point = useMemo(() => readCoordinates(value)?.point ?? null, [value]);
  const area = point && areaAt(background.data, point);
  return (
    <>
      <TextField label={t.publish.coordinates} help={t.publish.coordinateHelp} value={value} onChange={onChange} error={error} />
      {background.data ? (
        <Suspense fallback={<Skeleton height={320} />}>
          <div className="dmi-inset-map dmi-inset-map--small">
            <MapCanvas
              label={t.publish.placeMap} layers={[]} background={background.data} bounds={bounds} selected={point} drawing pickCentre
              onCorner={(at) => onChange(formatPlace(at, language))}
            />
          </div>
        </Suspense>
      ) : null}
      <p role="status" className={point ? undefined : 'dmi-soft'}>
        {point ? t.publish.placeTold(formatPlace(point, language), area ?? '') : t.publish.placeNone}
      </p>
    </>
  );
}
