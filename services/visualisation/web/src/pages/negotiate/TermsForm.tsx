/** The fields of the terms that people negotiate about. */
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { working } from '../../rights/templates';
import { measureNames, type Terms, type wrongTerms } from '../../rights/terms';
import { CheckboxList, SelectField, TextField } from '../../ui/fields';

/** What can be asked for; who operates layers can ask for all that these do. What is agreed already stays on the list. */
const offered = ['dmi:read', 'dmi:display', 'dmi:analyse', 'dmi:export', 'dmi:contribute'];

export function actionsOffered(keeps: boolean, more: string[] = []): string[] {
  return [...new Set([...offered, ...(keeps ? working : []), ...more])];
}

interface Props {
  terms: Terms;
  onChange: (terms: Terms) => void;
  wrong: ReturnType<typeof wrongTerms>;
  /** The duties that can be set; whoever asks for data leaves these to its owner. */
  measures?: boolean;
  /** Whether who uses the data operates layers, see `dutyInWords`. */
  keeps: boolean;
  /** Actions of the document that nobody would ask for by themselves. */
  more?: string[];
}

export function TermsForm({ terms, onChange, wrong, measures = false, keeps, more = [] }: Props) {
  const { t, term, say } = useI18n();
  const names = useNames();
  const set = (change: Partial<Terms>) => onChange({ ...terms, ...change });
  const words = { choose: t.negotiate.wrongChoose, past: t.negotiate.wrongPast, number: t.negotiate.wrongNumber };
  const fault = (name: keyof Terms) => { const found = wrong[name]; return found ? words[found] : null; };
  const purposes = names.rulebook?.purposes ?? [];
  const known = purposes.some((one) => one.id === terms.purpose);
  const choices = [...purposes.map((one) => ({ value: one.id, label: say(one.label) })), ...(known || terms.purpose === '' ? [] : [{ value: terms.purpose, label: term(terms.purpose) }])];
  return (
    <>
      <SelectField label={t.negotiate.purpose} value={terms.purpose} onChange={(purpose) => set({ purpose })} error={fault('purpose')} choices={choices} placeholder={terms.purpose === '' ? t.common.chooseOne : undefined} />
      <CheckboxList
        label={t.negotiate.actions} values={terms.actions} onChange={(actions) => set({ actions })} error={fault('actions')}
        choices={actionsOffered(keeps, more).map((value) => ({ value, label: term(value) }))}
      />
      <TextField type="date" label={t.negotiate.until} help={t.negotiate.untilHelp} value={terms.until} onChange={(until) => set({ until })} error={fault('until')} />
      {measures ? (
        <div className="dmi-form__row">
          {measureNames.map((name) => (
            <TextField key={name} label={name === 'days' && !keeps ? t.negotiate.older : t.negotiate[name]} help={t.negotiate.numberHelp} inputMode="numeric" value={terms[name]} onChange={(value) => set({ [name]: value })} error={fault(name)} />
          ))}
        </div>
      ) : null}
    </>
  );
}
