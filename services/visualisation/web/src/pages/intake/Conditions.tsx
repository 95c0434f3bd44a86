/** The choice of who may use data, in plain words; each choice is a template of agreements. */
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { useSession } from '../../app/session';
import { documentsFor, type ConditionChoice } from '../../rights/templates';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { datasetId } from './useDataset';
import { RadioGroup, SelectField } from '../../ui/fields';

interface Props {
  choice: ConditionChoice;
  purpose: string;
  onChoice: (choice: ConditionChoice) => void;
  onPurpose: (purpose: string) => void;
}

export function Conditions({ choice, purpose, onChoice, onPurpose }: Props) {
  const { t, say, term } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const owner = identity?.participant ?? '';
  // Under whatever name it gets: the verdict is about the conditions.
  const documents = documentsFor(choice, owner, datasetId(owner, 'nieuw'), purpose, names.rulebook?.version ?? '1.0.0');
  return (
    <>
      <RadioGroup
        label={t.sources.conditions} name="conditions" value={choice} onChange={(value) => onChoice(value as ConditionChoice)}
        choices={[
          { value: 'city', label: t.sources.condCity, help: t.sources.condCityText },
          { value: 'narrow', label: t.sources.condNarrow, help: t.sources.condNarrowText },
          { value: 'open', label: t.sources.condOpen, help: t.sources.condOpenText },
        ]}
      />
      {choice === 'narrow' ? (
        <SelectField
          label={t.common.purpose} value={purpose} onChange={onPurpose}
          choices={(names.rulebook?.purposes ?? [{ id: purpose, label: term(purpose) }]).map((one) => ({ value: one.id, label: say(one.label) }))}
        />
      ) : null}
      <ReviewVerdict documents={documents} />
    </>
  );
}
