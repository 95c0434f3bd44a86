/** Finds addresses, areas, stops, sensors and coordinates; a combobox with a list, as WAI-ARIA describes it. */
import { useEffect, useId, useMemo, useState } from 'react';
import type { FoundPlace, Layer } from '../../api';
import { asApiError } from '../../api/problem';
import { useApi } from '../../app/session';
import { useI18n } from '../../i18n';
import { fromService, least, sensors, together, typed, type Found } from './find';
import type { LayerReport } from './LayerHost';

interface Props {
  layers: Layer[];
  reports: Record<string, LayerReport>;
  onChoose: (found: Found) => void;
}

interface Answer {
  text: string;
  places: FoundPlace[];
  failed: boolean;
}

/** Asked when the hand rests, so that each letter is not a question. */
const rest = 200;

export function MapSearch({ layers, reports, onChoose }: Props) {
  const { t, term } = useI18n();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState<number | null>(null);
  const id = useId();
  const wanted = text.trim();
  const answer = useAnswer(wanted);
  const found = useMemo(() => {
    const places = answer && wanted.startsWith(answer.text) ? answer.places : [];
    return together(typed(wanted), fromService(places, layers), sensors(wanted, layers.map((layer) => ({ layer, features: reports[layer.id]?.all ?? null }))));
  }, [wanted, answer, layers, reports]);
  const searching = wanted.length >= least && answer?.text !== wanted;
  const shown = open && wanted.length >= least;
  const hint = ({ hint: h }: Found) => (h === null ? '' : 'text' in h ? h.text : term(h.property));

  const choose = (one: Found | undefined) => {
    if (!one) return;
    setText(one.name);
    setOpen(false);
    setActive(null);
    onChoose(one);
  };
  const press = (event: React.KeyboardEvent) => {
    const last = found.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      if (last < 0) return;
      const down = event.key === 'ArrowDown';
      setActive(active === null ? (down ? 0 : last) : down ? (active + 1) % (last + 1) : (active + last) % (last + 1));
    } else if (event.key === 'Enter' && shown) {
      event.preventDefault();
      choose(found[active ?? 0]);
    } else if (event.key === 'Escape') {
      if (shown) {
        event.preventDefault();
        setOpen(false);
      } else setText('');
      setActive(null);
    }
  };

  return (
    <div className="dmi-search" role="search">
      <label htmlFor={id} className="dmi-sr-only">{t.map.search}</label>
      <input
        id={id} type="search" role="combobox" className="utrecht-textbox utrecht-textbox--html-input" placeholder={t.map.searchHelp} autoComplete="off"
        aria-autocomplete="list" aria-expanded={shown && found.length > 0} aria-controls={`${id}-list`}
        aria-activedescendant={shown && active !== null && found[active] ? `${id}-${active}` : undefined}
        value={text} onKeyDown={press} onBlur={() => setOpen(false)} onFocus={() => setOpen(wanted.length >= least && active !== null)}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setActive(null);
        }}
      />
      <div id={`${id}-list`} role="listbox" aria-label={t.map.search} className="dmi-search__found" hidden={!shown || found.length === 0}>
        {found.map((one, index) => (
          // Keys are those of the combobox, which keeps the focus.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={one.key} id={`${id}-${index}`} role="option" aria-selected={index === active} className="dmi-search__option" tabIndex={-1}
            onPointerDown={(event) => event.preventDefault()} onClick={() => choose(one)}
          >
            <span>{one.name}</span>
            <span className="dmi-small dmi-soft">{[t.map.searchKinds[one.kind], hint(one)].filter(Boolean).join(', ')}</span>
          </div>
        ))}
      </div>
      <p role="status" className={shown && found.length === 0 && !searching ? 'dmi-small dmi-search__none' : 'dmi-sr-only'}>
        {!shown || searching ? '' : found.length === 0 ? t.map.searchNothing(wanted) : t.map.searchResults(found.length)}
      </p>
      {shown && answer?.failed ? <p className="dmi-small">{t.map.searchFailed}</p> : null}
    </div>
  );
}

function useAnswer(wanted: string): Answer | null {
  const api = useApi();
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    if (wanted.length < least) return;
    const control = new AbortController();
    const timer = setTimeout(() => {
      api.visualisation.search(wanted.slice(0, 100), control.signal).then(
        (places) => setAnswer({ text: wanted, places, failed: false }),
        (reason: unknown) => {
          if (control.signal.aborted) return;
          // What the service does not take as a name, such as signs alone, is simply not found.
          setAnswer({ text: wanted, places: [], failed: asApiError(reason).kind !== 'invalid' });
        },
      );
    }, rest);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [api, wanted]);
  return answer;
}
