/** The form by which a participant lets another act in its name. */
import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Machine, Mandate } from '../../api/dealings';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { CheckboxList, SelectField, TextField } from '../../ui/fields';
import { endOfDay } from '../../rights/terms';
import { focusFirstError } from '../../ui/problems';
import { Failure } from '../../ui/State';

/** Milliseconds: the exchange takes no mandate of more than a year. */
const longest = 366 * 86_400_000;
const actions = ['dmi:read', 'dmi:display', 'dmi:export', 'dmi:sample', 'dmi:contribute'];

export function GiveMandate({ machines, onGiven }: { machines: Machine[]; onGiven: (given: Mandate) => void }) {
  const { t, term, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const [holder, setHolder] = useState('');
  const [datasets, setDatasets] = useState<string[]>([]);
  const [chosen, setChosen] = useState<string[]>([]);
  const [purpose, setPurpose] = useState('');
  const [until, setUntil] = useState('');
  const [onward, setOnward] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const [opened] = useState(() => Date.now());
  const others = names.parties.filter((one) => one.id !== identity?.participant);
  const holders = [
    ...machines.filter((one) => one.active && one.participant === identity?.participant).map((one) => ({ value: one.id, label: t.mandates.machines.named(one.title) })),
    ...others.map((one) => ({ value: one.id, label: one.name })),
  ];
  const isMachine = machines.some((one) => one.id === holder);
  const end = until === '' ? null : endOfDay(until);
  const wrong = {
    holder: holder === '' ? t.common.required : null,
    datasets: datasets.length === 0 ? t.common.required : null,
    actions: chosen.length === 0 ? t.mandates.wrongActions : null,
    purpose: purpose === '' ? t.common.required : null,
    until: end !== null && Date.parse(end) > opened && Date.parse(end) < opened + longest ? null : t.mandates.wrongUntil,
  };
  const give = useAction(async () => {
    const given = await api.dealings.give({
      mandatary: holder, actions: chosen, datasets, purposes: [purpose], from: new Date().toISOString(),
      until: end ?? '', onward: isMachine ? 0 : onward.length,
    });
    setDatasets([]);
    setChosen([]);
    setHolder('');
    setTried(false);
    onGiven(given);
  });
  const show = (message: string | null) => (tried ? message : null);
  return (
    <form
      className="dmi-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.values(wrong).every((one) => one === null)) void give.run();
        else focusFirstError(event.currentTarget);
      }}
    >
      <SelectField
        label={t.mandates.to} value={holder} onChange={setHolder} error={show(wrong.holder)} placeholder={t.common.chooseOne}
        choices={holders}
      />
      <CheckboxList
        label={t.mandates.datasets} values={datasets} onChange={setDatasets} error={show(wrong.datasets)}
        choices={names.datasets.map((one) => ({ value: one.id, label: say(one.title) }))}
      />
      <CheckboxList label={t.mandates.actions} values={chosen} onChange={setChosen} error={show(wrong.actions)} choices={actions.map((value) => ({ value, label: term(value) }))} />
      <SelectField
        label={t.mandates.purpose} value={purpose} onChange={setPurpose} error={show(wrong.purpose)} placeholder={t.common.chooseOne}
        choices={(names.rulebook?.purposes ?? []).map((one) => ({ value: one.id, label: say(one.label) }))}
      />
      <TextField type="date" label={t.mandates.until} value={until} onChange={setUntil} error={show(wrong.until)} />
      {isMachine ? null : <CheckboxList label={t.mandates.onward} values={onward} onChange={setOnward} choices={[{ value: 'once', label: t.common.yes }]} />}
      {give.error ? <Failure error={give.error} /> : null}
      <div><PrimaryActionButton type="submit" busy={give.busy} disabled={give.busy}>{t.mandates.submit}</PrimaryActionButton></div>
    </form>
  );
}
