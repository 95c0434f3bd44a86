/** The places of a template as fields, each asked in the words of the rulebook. */
import { useState } from 'react';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import type { BrokenRule, Template } from '../../api';
import { CheckboxList, SelectField, TextField } from '../../ui/fields';
import { questions, type Filled, type wrongIn } from './parameters';

/** What a user can be allowed; handing in goes by another agreement. */
const allowed = ['dmi:read', 'dmi:display', 'dmi:analyse', 'dmi:publish', 'dmi:export', 'dmi:process'];

interface Props {
  template: Template;
  filled: Filled;
  areas: string[];
  wrong: ReturnType<typeof wrongIn>;
  /** Rules that the answers break, by the place where that can be mended. */
  broken: Record<string, BrokenRule[]>;
  onChange: (filled: Filled) => void;
}

export function Questions({ template, filled, areas, wrong, broken, onChange }: Props) {
  const { t, say, term } = useI18n();
  const names = useNames();
  const words = { choose: t.negotiate.wrongChoose, past: t.negotiate.wrongPast, number: t.negotiate.wrongNumber, required: t.common.required };
  const all = questions(template);
  const optional = all.filter((one) => !one.required);
  // It opens when a fault names a field of it, and stays open: closing under who mends it would take the field away.
  const named = optional.map(({ name }) => name).filter((name) => name in wrong || name in broken).join(' ');
  const [told, setTold] = useState('');
  const [opened, setOpened] = useState(false);
  if (named !== told) {
    setTold(named);
    if (named !== '') setOpened(true);
  }
  const field = ({ name, kind, label, required }: Template['parameters'][number]) => {
    const asked = required || broken[name] ? say(label) : t.offer.optional(say(label));
    const fault = wrong[name] ? (kind === 'purpose' ? t.offer.wrongPurpose : words[wrong[name]]) : broken[name] ? broken[name].map((one) => say(one.explanation)).join(' ') : null;
    const text = filled.texts[name] ?? '';
    const set = (value: string) => onChange({ ...filled, texts: { ...filled.texts, [name]: value } });
    switch (kind) {
      case 'actions':
        return (
          <CheckboxList
            key={name} label={asked} error={fault} values={filled.lists[name] ?? []} choices={allowed.map((value) => ({ value, label: value === 'dmi:process' ? t.offer.processElsewhere : term(value) }))}
            onChange={(values) => onChange({ ...filled, lists: { ...filled.lists, [name]: values } })}
          />
        );
      case 'purpose':
        return <SelectField key={name} label={asked} error={fault} value={text} onChange={set} placeholder={t.common.chooseOne} choices={(names.rulebook?.purposes ?? []).map((one) => ({ value: one.id, label: say(one.label) }))} />;
      case 'basis':
        return <SelectField key={name} label={asked} error={fault} value={text} onChange={set} placeholder={t.common.chooseOne} choices={(names.rulebook?.legalBases ?? []).map((one) => ({ value: one.id, label: say(one.label) }))} />;
      case 'area':
        return <SelectField key={name} label={required ? t.offer.within : t.offer.optional(t.offer.within)} error={fault} value={text} onChange={set} choices={[{ value: '', label: t.offer.wholeArea }, ...areas.map((value) => ({ value, label: value }))]} />;
      case 'moment':
        return <TextField key={name} type="date" label={asked} error={fault} value={text} onChange={set} />;
      case 'number':
        // The rulebook's own words are of the platform, which deletes: it says less of who agrees.
        if (name === 'days') return <TextField key={name} label={required || broken[name] ? t.negotiate.older : t.offer.optional(t.negotiate.older)} help={t.offer.olderHelp} error={fault} value={text} onChange={set} inputMode="numeric" />;
        return <TextField key={name} label={asked} error={fault} value={text} onChange={set} inputMode="numeric" />;
      default:
        return <TextField key={name} label={asked} error={fault} value={text} onChange={set} />;
    }
  };
  return (
    <>
      {all.filter((one) => one.required).map(field)}
      {optional.length > 0 ? (
        <details className="dmi-details" open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
          <summary>{t.offer.more}</summary>
          <div className="dmi-form">{optional.map(field)}</div>
        </details>
      ) : null}
    </>
  );
}
