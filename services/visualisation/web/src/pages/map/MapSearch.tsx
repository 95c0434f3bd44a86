/** Finds a place or sensor by name in the layers that are on. */
import { useId, useState } from 'react';
import type { Layer } from '../../api';
import { useI18n } from '../../i18n';
import type { LayerReport } from './LayerHost';

interface Props {
  layers: Layer[];
  reports: Record<string, LayerReport>;
  onShow: (layer: string, id: string) => void;
}

const most = 8;

export function MapSearch({ layers, reports, onShow }: Props) {
  const { t, say, term } = useI18n();
  const [text, setText] = useState('');
  const id = useId();
  const wanted = text.trim().toLocaleLowerCase();
  const found = wanted.length < 2 ? [] : layers.flatMap((layer) =>
    (reports[layer.id]?.features?.features ?? [])
      .filter((f) => `${f.properties.name ?? ''} ${f.properties.id} ${f.properties.neighbourhood ?? ''}`.toLocaleLowerCase().includes(wanted))
      .map((feature) => ({ layer, feature })),
  ).slice(0, most);
  return (
    <div className="dmi-search" role="search">
      <label htmlFor={id} className="dmi-sr-only">{t.map.search}</label>
      <input id={id} type="search" className="utrecht-textbox utrecht-textbox--html-input" placeholder={t.map.search} value={text} onChange={(event) => setText(event.target.value)} />
      {wanted.length >= 2 ? (
        found.length > 0 ? (
          <ul className="dmi-plain dmi-search__found">
            {found.map(({ layer, feature }) => (
              <li key={`${layer.id} ${feature.properties.id}`}>
                <button
                  type="button" className="dmi-link-button"
                  onClick={() => {
                    onShow(layer.id, feature.properties.id);
                    setText('');
                  }}
                >
                  {feature.properties.name ?? feature.properties.id}
                </button>{' '}
                <span className="dmi-small dmi-soft">{feature.properties.observed_property ? term(feature.properties.observed_property) : say(layer.title)}</span>
              </li>
            ))}
          </ul>
        ) : (
          <p className="dmi-small dmi-soft">{t.map.searchNone}</p>
        )
      ) : null}
    </div>
  );
}
