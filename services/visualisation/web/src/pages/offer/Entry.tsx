/** What the catalogue tells of new data: what it is, where it is about, how others find it, and its licence. */
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { licenceName } from '../../i18n/format';
import { RadioGroup, SelectField, TextField } from '../../ui/fields';
import { Section } from '../../ui/State';
import { licences } from '../intake/useDataset';
import type { Broken } from './judged';
import type { Told, wrongEntry } from './told';

interface Props {
  told: Told;
  areas: string[];
  wrong: ReturnType<typeof wrongEntry>;
  /** Rules that the entry or the platform's agreement breaks, by the field where that can be mended. */
  broken: Broken['entry'];
  onChange: (told: Told) => void;
}

export function Entry({ told, areas, wrong, broken, onChange }: Props) {
  const { t, say } = useI18n();
  const names = useNames();
  const set = (change: Partial<Told>) => onChange({ ...told, ...change });
  const words = { required: t.common.required, taken: t.offer.nameTaken, contact: t.offer.wrongContact, licence: t.offer.licenceNeeded };
  const fault = (name: keyof Told) => {
    const found = wrong[name];
    return found ? words[found] : broken[name]?.map((one) => say(one.explanation)).join(' ') ?? null;
  };
  const themes: Record<string, string> = t.themes;
  return (
    <>
      <Section title={t.offer.what} id="what">
        <div className="dmi-form">
          <TextField label={t.offer.name} help={t.offer.nameHelp} value={told.name} onChange={(name) => set({ name })} error={fault('name')} />
          <TextField label={t.offer.optional(t.offer.nameEnglish)} value={told.english} onChange={(english) => set({ english })} />
          <TextField label={t.offer.description} value={told.description} onChange={(description) => set({ description })} error={fault('description')} />
          <SelectField label={t.offer.collectedFor} value={told.purpose} error={fault('purpose')} onChange={(purpose) => set({ purpose })} choices={names.purposes.map((one) => ({ value: one.id, label: say(one.label) }))} />
          <RadioGroup
            label={t.offer.personal} name="personal" value={told.personal} error={fault('personal')} onChange={(personal) => set({ personal: personal as Told['personal'] })}
            choices={[
              { value: '', label: t.offer.personalNo, help: t.offer.personalNoText },
              { value: 'dmi:basis:consent', label: t.offer.personalConsent, help: t.offer.personalConsentText },
              { value: 'dmi:basis:public-task', label: t.offer.personalTask, help: t.offer.personalTaskText },
            ]}
          />
        </div>
      </Section>
      <Section title={t.offer.found} id="found">
        <div className="dmi-form">
          <SelectField label={t.sources.area} help={t.sources.areaHelp} value={told.area} onChange={(area) => set({ area })} choices={[{ value: '', label: t.sources.areaWhole }, ...areas.map((value) => ({ value, label: value }))]} />
          <SelectField label={t.offer.theme} value={told.theme} onChange={(theme) => set({ theme })} choices={Object.entries(themes).map(([value, label]) => ({ value, label }))} />
          <SelectField label={t.common.licence} help={t.sources.licenceHelp} value={told.licence} onChange={(licence) => set({ licence })} error={fault('licence')} choices={[{ value: '', label: t.offer.licenceNone }, ...licences.map((value) => ({ value, label: licenceName(value) }))]} />
          <TextField label={t.offer.optional(t.offer.keywords)} help={t.offer.keywordsHelp} value={told.keywords} onChange={(keywords) => set({ keywords })} />
          <TextField label={t.offer.optional(t.offer.contact)} value={told.contact} onChange={(contact) => set({ contact })} error={fault('contact')} />
        </div>
      </Section>
    </>
  );
}
