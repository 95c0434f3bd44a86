/** The first two steps of the workbench: where, and what comes instead. */
import { lazy, Suspense, useMemo, useReducer, useState } from 'react';
import { Heading2, Heading3, PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { FeatureCollection } from 'geojson';
import type { ScenarioEdit } from '../../api';
import { useResource } from '../../app/useResource';
import { useApi } from '../../app/session';
import { useI18n } from '../../i18n';
import { boundsOf } from '../../map/bounds';
import { canFinish, draw, noDrawing, toPolygon, type Corner } from '../../map/draw';
import { hectares } from '../../map/rd';
import { SelectField } from '../../ui/fields';
import { Skeleton } from '../../ui/State';
import { areaChoices, placeOf } from './areas';
import { setShare, toMix, total, type Shares } from './mix';

const MapCanvas = lazy(() => import('../../map/MapCanvas'));
/** All that the model lets disappear. */
const from = 'office';

interface Props {
  areas: FeatureCollection;
  busy: boolean;
  disabled: boolean;
  onApply: (edit: ScenarioEdit) => Promise<boolean>;
}

export function Redevelop({ areas, busy, disabled, onApply }: Props) {
  const { t, term, number, percent } = useI18n();
  const api = useApi();
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const [area, setArea] = useState('');
  const [drawing, dispatch] = useReducer(draw, noDrawing);
  const [centre, setCentre] = useState<Corner | null>(null);
  const [shares, setShares] = useState<Shares>({ housing: 60, green: 40, office: 0 });
  const [tried, setTried] = useState(false);
  const drawn = drawing.mode === 'done';
  const ready = drawn || area !== '';
  const bounds = useBounds(areas, area);
  const choose = (value: string) => {
    setArea(value);
    dispatch({ type: 'cancel' });
  };
  const apply = async () => {
    setTried(true);
    if (!ready) return;
    const place = drawn ? { geometry: toPolygon(drawing.corners) } : placeOf(areas, area);
    const done = await onApply({ type: 'redevelop', area: place, from, mix: toMix(shares) });
    if (done) dispatch({ type: 'cancel' });
  };
  const keys = (event: React.KeyboardEvent) => {
    if (drawing.mode !== 'drawing') return;
    if (event.key === 'Enter' && canFinish(drawing) && !(event.target instanceof HTMLButtonElement)) dispatch({ type: 'finish' });
    else if (event.key === 'Backspace') dispatch({ type: 'undo' });
    else if (event.key === 'Escape') dispatch({ type: 'cancel' });
  };

  return (
    <>
      <Heading2>{t.scenarios.step1}</Heading2>
      <SelectField
        label={t.scenarios.chooseArea} value={area} onChange={choose} placeholder={t.common.chooseOne} choices={areaChoices(areas, t)}
        error={tried && !ready ? t.scenarios.needArea : null} help={t.scenarios.orDraw}
      />
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions -- keys shorten what the buttons below do as well */}
      <div onKeyDown={keys} className="dmi-stack">
        <div className="dmi-inset-map">
          <Suspense fallback={<Skeleton height={320} />}>
            <MapCanvas
              label={t.map.region} layers={[]} background={background.data} bounds={bounds} corners={drawing.corners} drawing={drawing.mode === 'drawing'}
              onCorner={(corner) => dispatch({ type: 'add', corner })} onCentre={setCentre}
            />
          </Suspense>
        </div>
        {drawing.mode === 'drawing' ? (
          <>
            <p className="dmi-small">{t.scenarios.drawHelp}</p>
            <p role="status" className="dmi-small">{t.scenarios.drawPoints(drawing.corners.length)}</p>
            <div className="dmi-actions">
              <SecondaryActionButton className="dmi-small-button" disabled={!centre} onClick={() => centre && dispatch({ type: 'add', corner: centre })}>{t.scenarios.drawCentre}</SecondaryActionButton>
              <SecondaryActionButton className="dmi-small-button" disabled={!canFinish(drawing)} onClick={() => dispatch({ type: 'finish' })}>{t.scenarios.drawFinish}</SecondaryActionButton>
              <SecondaryActionButton className="dmi-small-button" disabled={drawing.corners.length === 0} onClick={() => dispatch({ type: 'undo' })}>{t.scenarios.drawUndo}</SecondaryActionButton>
              <SecondaryActionButton className="dmi-small-button" onClick={() => dispatch({ type: 'cancel' })}>{t.scenarios.drawCancel}</SecondaryActionButton>
            </div>
          </>
        ) : (
          <div className="dmi-actions">
            <SecondaryActionButton
              className="dmi-small-button"
              onClick={() => {
                setArea('');
                dispatch({ type: 'start' });
              }}
            >
              {t.scenarios.draw}
            </SecondaryActionButton>
            {drawn ? <span>{t.scenarios.drawn(number(hectares(drawing.corners), 1))}</span> : null}
          </div>
        )}
      </div>
      <Heading2>{t.scenarios.step2}</Heading2>
      <p>{t.scenarios.goes}</p>
      <Heading3>{t.scenarios.mix}</Heading3>
      {Object.entries(shares).map(([part, share]) => (
        <label key={part} className="dmi-slider">
          <span className="dmi-cap">{term(part)}</span>
          <input type="range" min={0} max={100} step={5} value={share} aria-valuetext={percent(share / 100)} onChange={(event) => setShares((old) => setShare(old, part, Number(event.target.value)))} />
          <output className="dmi-numeric">{percent(share / 100)}</output>
        </label>
      ))}
      <p className="dmi-small dmi-soft">{t.scenarios.mixTotal(percent(total(shares) / 100))}</p>
      <PrimaryActionButton busy={busy} disabled={busy || disabled} onClick={() => void apply()}>{t.scenarios.apply}</PrimaryActionButton>
    </>
  );
}

/** The box around the chosen area, or around all. */
function useBounds(areas: FeatureCollection, area: string): [number, number, number, number] | null {
  return useMemo(() => {
    const chosen = areas.features.filter((f) => area === '' || String(f.properties?.['id'] ?? f.id) === area);
    return boundsOf(chosen.map((f) => f.geometry));
  }, [areas, area]);
}
