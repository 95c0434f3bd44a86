/** By what the catalogue can be narrowed down, with how many entries fit; what is chosen stays in sight. */
import type { FeatureCollection } from 'geojson';
import type { CatalogueFacet, Dataset, Text } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { CheckboxList } from '../../ui/fields';

const most = 8;

interface Props {
  facets: CatalogueFacet[];
  /** The map, which names areas by their codes. */
  background: FeatureCollection | null;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

export function Facets({ facets, background, chosen, onChange }: Props) {
  const { t, say } = useI18n();
  const { datasets } = useNames();
  const wording = useFacetWords(namesOfAreas(background, datasets, say));
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

/** What areas are called, by code: as the map says, else as the datasets say that are about that one area. */
export function namesOfAreas(background: FeatureCollection | null, datasets: Pick<Dataset, 'about'>[], say: (text: Text) => string): Map<string, string> {
  const told = datasets.flatMap(({ about }): [string, string][] => {
    const [code, ...others] = about?.spatial.codes ?? [];
    const name = say(about?.spatial.name ?? '');
    return code && others.length === 0 && name !== '' ? [[code, name]] : [];
  });
  const drawn = (background?.features ?? []).flatMap((one): [string, string][] => {
    const name = String(one.properties?.['name'] ?? '');
    return name === '' ? [] : [[String(one.properties?.['code'] ?? one.id ?? ''), name]];
  });
  return new Map([...told, ...drawn]);
}

/** The words for a value of a facet; `areas` are the names of areas by code. */
export function useFacetWords(areas?: Map<string, string>): (name: string, value: string) => string {
  const { t, term } = useI18n();
  const names = useNames();
  const known: Record<string, string> = { ...t.catalogueKinds, ...t.themes };
  return (name, value) => {
    if (name === 'owner') return names.participant(value);
    if (name === 'licence') return licenceName(value);
    if (name === 'personal') return value === 'yes' ? t.common.yes : t.common.no;
    if (name === 'area') return areas?.get(value) ?? value;
    return known[value] ?? term(value);
  };
}
