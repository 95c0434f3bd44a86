/** Changing from when on a rule speaks, and for how long what it advises holds. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Rule } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useI18n } from '../../i18n';
import { ConfirmDialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/fields';
import { Moved } from './Moved';
import { givenOf, levels, settingsOf, wrongSettings } from './settings';
import { useRuleChange } from './useRuleChange';

export function RuleSettings({ rule, changed }: { rule: Rule; changed: () => void }) {
  const { t, say } = useI18n();
  const api = useApi();
  const live = useLive();
  const [given, setGiven] = useState(() => givenOf(rule));
  const [tried, setTried] = useState(false);
  const wrong = wrongSettings(rule.kind, given);
  const save = useRuleChange(
    (seen) => api.support.changeRule(seen.id, seen.version, settingsOf(seen, given)),
    () => {
      live(t.measures.settingsSaved);
      changed();
    },
  );
  const open = () => {
    setGiven(givenOf(rule));
    setTried(false);
    save.open(rule);
  };
  const { seen } = save;
  return (
    <>
      <SecondaryActionButton className="dmi-small-button" aria-label={`${t.measures.settings}: ${say(rule.title)}`} onClick={open}>
        {t.measures.settings}
      </SecondaryActionButton>
      <ConfirmDialog
        open={seen !== null} busy={save.busy} error={save.error} title={t.measures.settingsTitle}
        confirm={save.moved ? t.measures.movedSave : t.measures.settingsSave} onClose={save.close}
        onConfirm={() => {
          setTried(true);
          if (!wrong.threshold && !wrong.minutes) void save.run();
        }}
      >
        <p><strong>{say(rule.title)}</strong></p>
        {save.moved && seen ? <Moved rule={seen} take={() => setGiven(givenOf(seen))} /> : null}
        {rule.kind === 'garage' ? (
          <TextField
            inputMode="numeric" label={t.measures.fullShare} help={t.measures.fullShareHelp} value={given.share} onChange={(share) => setGiven({ ...given, share })}
            error={tried && wrong.threshold ? t.measures.fullShareWrong : null}
          />
        ) : (
          <SelectField label={t.measures.threshold} value={given.level} choices={levels.map((value) => ({ value, label: value }))} onChange={(level) => setGiven({ ...given, level })} />
        )}
        <TextField
          inputMode="numeric" label={t.measures.lasting} value={given.minutes} onChange={(minutes) => setGiven({ ...given, minutes })}
          error={tried && wrong.minutes ? t.measures.lastingWrong : null}
        />
        <p>{seen?.automatic ? t.measures.settingsEndAutomatic : t.measures.settingsText}</p>
      </ConfirmDialog>
    </>
  );
}
