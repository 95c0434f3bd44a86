/** The letter of somebody who stands at the desk. */
import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Representation } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { RadioGroup } from '../../ui/fields';
import { Failure } from '../../ui/State';
import { saveBlob } from '../dataset/save';

/** `meant`: whether the person is who stands in the field above; else the letter, and its code, would be of another. */
export function Letter({ person, meant }: { person: Representation; meant: boolean }) {
  const { t, language } = useI18n();
  const api = useApi();
  const live = useLive();
  const [tongue, setTongue] = useState<string>(language);
  const make = useAction(async () => {
    saveBlob(await api.exchange.myLetter(tongue, person.id), t.desk.file);
    live(t.desk.made);
  });
  return (
    <div className="dmi-stack">
      <RadioGroup
        inline label={t.desk.language} name="tongue" value={tongue} onChange={setTongue}
        choices={[{ value: 'nl', label: 'Nederlands' }, { value: 'en', label: 'English' }]}
      />
      <div><PrimaryActionButton busy={make.busy} disabled={make.busy || !meant} onClick={() => void make.run()}>{t.desk.make}</PrimaryActionButton></div>
      {meant ? null : <p className="dmi-soft">{t.desk.typedOther}</p>}
      {make.error ? <Failure error={make.error} /> : null}
    </div>
  );
}
