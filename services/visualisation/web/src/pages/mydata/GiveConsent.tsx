import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { CheckboxList, SelectField } from '../../ui/fields';
import { focusFirstError } from '../../ui/problems';
import { Failure } from '../../ui/State';
import { useWhose } from './whose';

/** What a person can have left out at intake: metres at both ends of a trip, metres of a cell, persons in a group. */
const limits = { cut_ends_m: 200, coarsen_m: 500, minimum_group: 5 };

/** Nothing is chosen beforehand: who consents says what, for which purpose and to whom (GDPR art. 4(11)). */
export function GiveConsent({ datasets, changed }: { datasets: string[]; changed: () => void }) {
  const { t, say, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const personal = [...new Set([...datasets, ...names.datasets.filter((one) => one.personal).map((one) => one.id)])];
  const [dataset, setDataset] = useState('');
  const [purpose, setPurpose] = useState('');
  const [recipients, setRecipients] = useState<string[]>([]);
  const [less, setLess] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const give = useAction(async () => {
    const asked = Object.fromEntries(Object.entries(limits).filter(([name]) => less.includes(name)));
    await api.exchange.consent({ dataset, purpose, recipients, ...asked }, whose);
    live(t.mydata.given);
    setTried(false);
    setRecipients([]);
    setPurpose('');
    setDataset('');
    setLess([]);
    changed();
  });
  if (personal.length === 0) return null;
  return (
    <details className="dmi-details">
      <summary>{t.mydata.giveTitle}</summary>
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (dataset && purpose && recipients.length > 0) void give.run();
          else focusFirstError(event.currentTarget);
        }}
      >
        <SelectField label={t.mydata.giveDataset} value={dataset} onChange={setDataset} placeholder={t.common.chooseOne} error={tried && !dataset ? t.common.required : null} choices={personal.map((value) => ({ value, label: names.dataset(value) }))} />
        <SelectField label={t.mydata.givePurpose} value={purpose} onChange={setPurpose} placeholder={t.common.chooseOne} error={tried && !purpose ? t.common.required : null} choices={(names.rulebook?.purposes ?? []).filter((one) => !one.broad).map((one) => ({ value: one.id, label: say(one.label) }))} />
        <CheckboxList
          label={t.mydata.giveWho} values={recipients} onChange={setRecipients} error={tried && recipients.length === 0 ? t.common.required : null}
          choices={names.parties.map((one) => ({ value: one.id, label: one.name }))}
        />
        <CheckboxList
          label={t.mydata.giveLess} values={less} onChange={setLess}
          choices={[
            { value: 'cut_ends_m', label: t.mydata.lessEnds(number(limits.cut_ends_m)) },
            { value: 'coarsen_m', label: t.mydata.lessPlace(number(limits.coarsen_m)) },
            { value: 'minimum_group', label: t.mydata.lessGroup(number(limits.minimum_group)) },
          ]}
        />
        {give.error ? <Failure error={give.error} /> : null}
        <div><PrimaryActionButton type="submit" busy={give.busy} disabled={give.busy}>{t.mydata.giveConfirm}</PrimaryActionButton></div>
      </form>
    </details>
  );
}
