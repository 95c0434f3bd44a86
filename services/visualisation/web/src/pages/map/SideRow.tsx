/** What one side of a comparison shows: a layer, or all that are on, and its moment. */
import { useId } from 'react';
import type { Layer } from '../../api';
import { useI18n } from '../../i18n';
import type { Moments } from './moment';
import { MomentSlider } from './MomentSlider';
import type { Side } from './sides';

interface Props {
  label: string;
  layers: Layer[];
  moments: Moments;
  side: Side;
  onSide: (side: Side) => void;
}

export function SideRow({ label, layers, moments, side, onSide }: Props) {
  const { t, say } = useI18n();
  const id = useId();
  const chosen = layers.find((layer) => layer.id === side.layer);
  return (
    <div className="dmi-side" role="group" aria-label={label}>
      <strong className="dmi-side__name">{label}</strong>
      <label htmlFor={id} className="dmi-sr-only">{t.map.sideLayer(label)}</label>
      <select id={id} className="dmi-side__layer" value={side.layer ?? ''} onChange={(event) => onSide({ ...side, layer: event.target.value || null })}>
        <option value="">{t.map.sideAll}</option>
        {layers.map((layer) => (
          <option key={layer.id} value={layer.id} disabled={layer.refused !== null && layer.id !== side.layer}>
            {layer.refused ? `${say(layer.title)} (${t.map.ended})` : say(layer.title)}
          </option>
        ))}
      </select>
      <MomentSlider label={t.map.sideMoment(label)} moments={moments} at={side.at} disabled={chosen?.kind === 'areas'} named onAt={(at) => onSide({ ...side, at })} />
    </div>
  );
}
