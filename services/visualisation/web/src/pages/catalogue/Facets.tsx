/** By what the catalogue can be narrowed down, with how many entries fit; what is chosen stays in sight. */
import type { CatalogueFacet } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { CheckboxList } from '../../ui/fields';

const most = 8;

interface Props {
  facets: CatalogueFacet[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

export function Facets({ facets, chosen, onChange }: Props) {
  const { t } = useI18n();
  const wording = useFacetWords();
  const titles: Record<string, string> = t.facets;
  return (
    <div className="dmi-facets">
      {facets.map(({ name, values }) => {
        const own = chosen.filter((one) => one.startsWith(`${name}:`)).map((one) => one.slice(name.length + 1));
        const shown = [...values.slice(0, most), ...own.filter((one) => !values.slice(0, most).some((v) => v.value === one)).map((value) => ({ value, count: values.find((v) => v.value === value)?.count ?? 0 }))];
        if (shown.length < 2 && own.length === 0) return null;
        return (
          <CheckboxList
            key={name} label={titles[name] ?? name} values={own}
            choices={shown.map(({ value, count }) => ({ value, label: t.catalogue.counted(wording(name, value), count) }))}
            onChange={(next) => onChange([...chosen.filter((one) => !one.startsWith(`${name}:`)), ...next.map((one) => `${name}:${one}`)])}
          />
        );
      })}
    </div>
  );
}

/** The words for a value of a facet. */
export function useFacetWords(): (name: string, value: string) => string {
  const { t, term } = useI18n();
  const names = useNames();
  const known: Record<string, string> = { ...t.catalogueKinds, ...t.themes };
  return (name, value) => {
    if (name === 'owner') return names.participant(value);
    if (name === 'licence') return licenceName(value);
    if (name === 'personal') return value === 'yes' ? t.common.yes : t.common.no;
    if (name === 'area') return value;
    return known[value] ?? term(value);
  };
}
