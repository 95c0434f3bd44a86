/** Changing from when on a rule speaks, and for how long what it advises holds. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Rule } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { ConfirmDialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/fields';
import { levels, settingsOf, wrongSettings } from './settings';

export function RuleSettings({ rule, changed }: { rule: Rule; changed: () => void }) {
  const { t, say } = useI18n();
  const api = useApi();
  const live = useLive();
  const [asking, setAsking] = useState(false);
  const [share, setShare] = useState('');
  const [level, setLevel] = useState('');
  const [minutes, setMinutes] = useState('');
  const [tried, setTried] = useState(false);
  const given = { share, level, minutes };
  const wrong = wrongSettings(rule.kind, given);
  const save = useAction(async () => {
    await api.support.changeRule(rule.id, settingsOf(rule, given));
    live(t.measures.settingsSaved);
    setAsking(false);
    changed();
  });
  const open = () => {
    setShare(rule.full_share === undefined ? '' : String(Math.round(rule.full_share * 100)));
    setLevel(rule.threshold ?? '');
    setMinutes(String(rule.duration_min ?? ''));
    setTried(false);
    setAsking(true);
  };
  return (
    <>
      <SecondaryActionButton className="dmi-small-button" aria-label={`${t.measures.settings}: ${say(rule.title)}`} onClick={open}>
        {t.measures.settings}
      </SecondaryActionButton>
      <ConfirmDialog
        open={asking} busy={save.busy} error={save.error} title={t.measures.settingsTitle} confirm={t.measures.settingsSave} onClose={() => setAsking(false)}
        onConfirm={() => {
          setTried(true);
          if (!wrong.threshold && !wrong.minutes) void save.run();
        }}
      >
        <p><strong>{say(rule.title)}</strong></p>
        {rule.kind === 'garage' ? (
          <TextField
            inputMode="numeric" label={t.measures.fullShare} help={t.measures.fullShareHelp} value={share} onChange={setShare}
            error={tried && wrong.threshold ? t.measures.fullShareWrong : null}
          />
        ) : (
          <SelectField label={t.measures.threshold} value={level} choices={levels.map((value) => ({ value, label: value }))} onChange={setLevel} />
        )}
        <TextField
          inputMode="numeric" label={t.measures.lasting} value={minutes} onChange={setMinutes}
          error={tried && wrong.minutes ? t.measures.lastingWrong : null}
        />
        <p>{rule.automatic ? t.measures.settingsEndAutomatic : t.measures.settingsText}</p>
      </ConfirmDialog>
    </>
  );
}
