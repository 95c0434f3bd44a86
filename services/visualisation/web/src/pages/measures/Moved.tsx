/** Says that somebody else changed a rule meanwhile, that nothing was saved, and what holds now. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Rule } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { Notice } from '../../ui/State';

export function Moved({ rule, take }: { rule: Rule; take?: () => void }) {
  const { t, percent, moment } = useI18n();
  const names = useNames();
  const m = t.measures;
  const from = rule.kind === 'garage' ? m.fromShare(percent(rule.full_share ?? 1)) : m.fromLevel(rule.threshold ?? '');
  const itself = rule.automatic && rule.decided_by && rule.until ? m.automaticBy(names.participant(rule.decided_by), moment(rule.until)) : m.byPersonText;
  return (
    <Notice tone="warn" title={m.movedTitle} alert>
      <p>{m.movedText}</p>
      <p><strong>{m.movedNow}</strong> {from} {m.lastsFor(rule.duration_min ?? 0)} {itself}</p>
      {take ? <SecondaryActionButton type="button" className="dmi-small-button" onClick={take}>{m.movedTake}</SecondaryActionButton> : null}
    </Notice>
  );
}
