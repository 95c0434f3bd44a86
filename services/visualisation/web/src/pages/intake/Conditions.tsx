/** The choice of who may use data, in plain words, where it is about, and on which licence. */
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { useSession } from '../../app/session';
import { documentsFor, type ConditionChoice } from '../../rights/templates';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { RadioGroup, SelectField } from '../../ui/fields';
import { datasetId, licences, type Terms } from './useDataset';

interface Props {
  terms: Terms;
  areas: string[];
  onChange: (terms: Terms) => void;
}

export function Conditions({ terms, areas, onChange }: Props) {
  const { t, say, term } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const owner = identity?.participant ?? '';
  // Under whatever name it gets: the verdict is about the conditions.
  const documents = documentsFor(terms.choice, owner, datasetId(owner, 'nieuw'), terms.purpose, names.rulebook?.version ?? '1.0.0', names.stack);
  const set = (change: Partial<Terms>) => onChange({ ...terms, ...change });
  return (
    <>
      <SelectField
        label={t.sources.area} help={t.sources.areaHelp} value={terms.area} onChange={(area) => set({ area })}
        choices={[{ value: '', label: t.sources.areaWhole }, ...areas.map((name) => ({ value: name, label: name }))]}
      />
      <RadioGroup
        label={t.sources.conditions} name="conditions" value={terms.choice} onChange={(value) => set({ choice: value as ConditionChoice })}
        choices={[
          { value: 'city', label: t.sources.condCity, help: t.sources.condCityText },
          { value: 'narrow', label: t.sources.condNarrow, help: t.sources.condNarrowText },
          { value: 'open', label: t.sources.condOpen, help: t.sources.condOpenText },
        ]}
      />
      {terms.choice === 'open' ? (
        <SelectField label={t.common.licence} help={t.sources.licenceHelp} value={terms.licence} onChange={(licence) => set({ licence })} choices={licences.map((value) => ({ value, label: licenceName(value) }))} />
      ) : null}
      {terms.choice === 'narrow' ? (
        <SelectField
          label={t.common.purpose} value={terms.purpose} onChange={(purpose) => set({ purpose })}
          choices={(names.rulebook?.purposes ?? [{ id: terms.purpose, label: term(terms.purpose) }]).map((one) => ({ value: one.id, label: say(one.label) }))}
        />
      ) : null}
      <ReviewVerdict documents={documents} />
    </>
  );
}
