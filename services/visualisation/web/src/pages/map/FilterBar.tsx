/** The filters that are on, as chips that can be taken away, and a small form to choose them. */
import { useEffect, useEffectEvent, useId, useRef, useState } from 'react';
import { useI18n, type I18n } from '../../i18n';
import { capital } from '../../i18n/format';
import { rampFor } from '../../map/ramp';
import { CheckboxList, RadioGroup } from '../../ui/fields';
import { Icon } from '../../ui/Icon';
import { countFilters, noFilters, readNumber, type Filters } from './filters';

interface Props {
  filters: Filters;
  /** Observed properties of all layers that are on. */
  properties: string[];
  shown: number;
  total: number;
  onChange: (filters: Filters) => void;
}

export function FilterBar({ filters, properties, shown, total, onChange }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const [open, setOpen] = useState(false);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const count = countFilters(filters);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const leave = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
  });
  useEffect(() => {
    if (!open) return;
    const listen = (event: KeyboardEvent) => leave(event);
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [open]);
  return (
    <div className="dmi-filters">
      <button
        ref={button} type="button" className="dmi-filters__open" aria-expanded={open} aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {count > 0 ? t.map.filtersOn(count) : t.map.filters} <Icon name={open ? 'up' : 'down'} size={16} />
      </button>
      {count > 0 ? (
        <ul className="dmi-chips" aria-label={t.map.filters}>
          {chips(filters, i18n).map((chip) => (
            <li key={chip.words}>
              <button type="button" className="dmi-chip" aria-label={t.map.filterRemove(chip.words)} onClick={() => onChange(chip.without)}>
                {chip.words} <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      {count > 0 ? <p className="dmi-small dmi-soft" role="status">{shown === 0 ? t.map.filterNone : t.map.filterCount(shown, total)}</p> : null}
      <div id={id} hidden={!open} role="group" aria-label={t.map.filterAdd} className="dmi-filters__form">
        <FilterForm filters={filters} properties={properties} onChange={onChange} />
        <p className="dmi-actions">
          <button type="button" className="dmi-link-button" onClick={close}>{t.map.filterDone}</button>
          {count > 0 ? <button type="button" className="dmi-link-button" onClick={() => onChange(noFilters)}>{t.map.filterClear}</button> : null}
        </p>
      </div>
    </div>
  );
}

function FilterForm({ filters, properties, onChange }: Pick<Props, 'filters' | 'properties' | 'onChange'>) {
  const { t, term } = useI18n();
  const [only] = filters.properties;
  const set = (change: Partial<Filters>) => onChange({ ...filters, ...change });
  return (
    <>
      <CheckboxList
        label={t.map.filterProperty} values={filters.properties} choices={properties.map((value) => ({ value, label: term(value) }))}
        // Bounds belong to one property; with another choice they would mean something else.
        onChange={(next) => set({ properties: next, low: null, high: null })}
      />
      <RadioGroup
        inline label={t.map.filterQuality} name="filter-quality" value={filters.quality ?? ''} onChange={(value) => set({ quality: value === '' ? null : (value as 'flagged') })}
        choices={[{ value: '', label: t.map.filterAny }, { value: 'flagged', label: t.map.filterFlagged }, { value: 'unflagged', label: t.map.filterUnflagged }]}
      />
      <RadioGroup
        inline label={t.map.filterAge} name="filter-age" value={filters.age ?? ''} onChange={(value) => set({ age: value === '' ? null : (value as 'fresh') })}
        choices={[{ value: '', label: t.map.filterAny }, { value: 'fresh', label: t.map.filterFresh }, { value: 'late', label: t.map.filterLate }]}
      />
      {only !== undefined && filters.properties.length === 1
        ? <Bounds key={only} property={only} low={filters.low} high={filters.high} onChange={set} />
        : <p className="dmi-small dmi-soft">{t.map.filterRangeHelp}</p>}
    </>
  );
}

interface BoundsProps {
  property: string;
  low: number | null;
  high: number | null;
  onChange: (change: Pick<Filters, 'low'> | Pick<Filters, 'high'>) => void;
}

function Bounds({ property, low, high, onChange }: BoundsProps) {
  const { t, term, unit } = useI18n();
  const id = useId();
  const { unit: code, share } = rampFor(property, [], '');
  const field = (key: 'low' | 'high', label: string, value: number | null) => (
    <label className="dmi-bounds__field" htmlFor={`${id}-${key}`}>
      <span>{label}</span>
      <input
        id={`${id}-${key}`} className="utrecht-textbox utrecht-textbox--html-input" type="text" inputMode="decimal" defaultValue={value ?? ''}
        onChange={(event) => onChange(key === 'low' ? { low: readNumber(event.target.value) } : { high: readNumber(event.target.value) })}
      />
    </label>
  );
  return (
    <fieldset className="dmi-bounds">
      <legend className="utrecht-form-label">{t.map.filterRange(capital(term(property)), share ? '%' : unit(code))}</legend>
      {field('low', t.map.filterLow, low)}
      {field('high', t.map.filterHigh, high)}
    </fieldset>
  );
}

interface Chip {
  words: string;
  without: Filters;
}

function chips(filters: Filters, { t, term, number, unit }: I18n): Chip[] {
  const { properties, quality, age, low, high } = filters;
  const found: Chip[] = properties.map((property) => ({
    words: capital(term(property)),
    without: { ...filters, properties: properties.filter((one) => one !== property), low: null, high: null },
  }));
  if (quality) found.push({ words: capital(quality === 'flagged' ? t.map.filterFlagged : t.map.filterUnflagged), without: { ...filters, quality: null } });
  if (age) found.push({ words: capital(age === 'fresh' ? t.map.filterFresh : t.map.filterLate), without: { ...filters, age: null } });
  const [only] = properties;
  if (only !== undefined && (low !== null || high !== null)) {
    const ramp = rampFor(only, [], '');
    const write = (value: number) => `${number(value)}${ramp.share ? ' %' : ` ${unit(ramp.unit)}`}`.trim();
    const name = capital(term(only));
    const words = low === null ? t.map.filterTo(name, write(high ?? 0)) : high === null ? t.map.filterFrom(name, write(low)) : t.map.filterBetween(name, number(low), write(high));
    found.push({ words, without: { ...filters, low: null, high: null } });
  }
  return found;
}
