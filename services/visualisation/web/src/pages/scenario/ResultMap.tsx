/** Baseline, scenario or difference on one map with one legend. */
import { lazy, Suspense, useMemo, useState } from 'react';
import { Heading3 } from '@utrecht/component-library-react';
import type { FeatureCollection } from 'geojson';
import type { ScenarioResult } from '../../api';
import { useI18n } from '../../i18n';
import { boundsOf } from '../../map/bounds';
import { classOf, differenceBreaks, differenceClass, diverging, missingColour, rampFor, sequential } from '../../map/ramp';
import { RadioGroup, SelectField } from '../../ui/fields';
import { Skeleton } from '../../ui/State';
import { idOf, withFigures } from './areas';
import { absolute, indicators, unitOf } from './figures';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));
type Shown = 'baseline' | 'scenario' | 'change';

export function ResultMap({ result, areas }: { result: ScenarioResult; areas: FeatureCollection }) {
  const { t, term, number, signed, unit } = useI18n();
  const names = indicators(result);
  const [indicator, setIndicator] = useState(names[0] ?? '');
  const [shown, setShown] = useState<Shown>('change');
  const shownAreas = useMemo(() => withFigures(areas, new Set(result.areas.map((a) => a.id))), [areas, result]);
  const { data, legend } = useMemo(() => {
    const values = new Map(result.areas.map((area) => [area.id, area]));
    const both = result.areas.flatMap((a) => [a.baseline[indicator], a.scenario[indicator]]).filter((v): v is number => typeof v === 'number');
    const ramp = rampFor('', both, unitOf(indicator));
    const differences = differenceBreaks(result.areas.map((a) => absolute(a.change[indicator]) ?? 0));
    const colour = (id: string): string => {
      const area = values.get(id);
      const value = shown === 'change' ? absolute(area?.change[indicator]) : area?.[shown][indicator];
      if (typeof value !== 'number') return missingColour;
      if (shown !== 'change') return sequential[classOf(ramp, value)] ?? missingColour;
      return differences ? diverging[differenceClass(value, differences)] ?? missingColour : diverging[2];
    };
    const collection: FeatureCollection = {
      type: 'FeatureCollection',
      features: shownAreas.features.map((f) => {
        const id = idOf(f);
        return { ...f, properties: { ...f.properties, id, _colour: colour(id) } };
      }),
    };
    const half = differences?.[0] ?? 0;
    const keys = shown === 'change'
      ? differences
        ? [[diverging[0], `< ${signed(-half)}`], [diverging[1], `${signed(-half)} – 0`], [diverging[2], t.scenarios.legendNoChange], [diverging[3], `0 – ${signed(half)}`], [diverging[4], `> ${signed(half)}`]]
        : [[diverging[2], t.scenarios.legendNoChange]]
      : sequential.slice(0, ramp.breaks.length + 1).map((c, i) => [c, i === 0 ? `< ${number(ramp.breaks[0] ?? 0)}` : `≥ ${number(ramp.breaks[i - 1] ?? 0)}`]);
    return { data: collection, legend: keys as [string, string][] };
  }, [result, shownAreas, indicator, shown, signed, number, t]);
  const bounds = useMemo(() => boundsOf(shownAreas.features.map((f) => f.geometry)), [shownAreas]);
  const layers = useMemo(() => [{ id: 'result', opacity: 1, content: { kind: 'areas' as const, data } }], [data]);

  return (
    <div className="dmi-stack">
      <Heading3>{t.scenarios.mapTitle}</Heading3>
      <div className="dmi-form__row">
        <SelectField label={t.scenarios.indicator} value={indicator} onChange={setIndicator} choices={names.map((value) => ({ value, label: term(value) }))} />
        <RadioGroup
          inline label={t.scenarios.mapShows} name="shown" value={shown} onChange={(value) => setShown(value as Shown)}
          choices={[{ value: 'baseline', label: t.scenarios.baseline }, { value: 'scenario', label: t.scenarios.scenario }, { value: 'change', label: t.scenarios.change }]}
        />
      </div>
      <div className="dmi-inset-map">
        <Suspense fallback={<Skeleton height={400} />}>
          <MapCanvas label={t.scenarios.mapTitle} layers={layers} background={shownAreas} bounds={bounds} />
        </Suspense>
      </div>
      <ul className="dmi-legend" aria-label={`${t.map.legend}: ${term(indicator)} ${unit(unitOf(indicator))}`}>
        {legend.map(([colour, words]) => <li key={words}><span className="dmi-key" style={{ background: colour }} />{words}</li>)}
      </ul>
    </div>
  );
}
