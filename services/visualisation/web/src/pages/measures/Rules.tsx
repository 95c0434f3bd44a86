/** The rules that propose measures, and whether a person let one publish by itself: who, and until when. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Rule } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { fromCityInput, toCityInput } from '../../i18n/cityTime';
import { Badge } from '../../ui/Badge';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { Empty, Loaded, Section } from '../../ui/State';
import { deciders } from './MeasureCard';
import { Moved } from './Moved';
import { RuleSettings } from './RuleSettings';
import { useRuleChange } from './useRuleChange';

export function Rules() {
  const { t } = useI18n();
  const api = useApi();
  const rules = useResource('rules', (signal) => api.support.rules(signal), 10_000);
  return (
    <Section title={t.measures.rules} id="rules" lead={t.measures.rulesText}>
      <Loaded resource={rules} height={120} isEmpty={(all) => all.length === 0} empty={<Empty title={t.measures.rulesEmpty}>{t.measures.rulesEmptyText}</Empty>}>
        {(all) => <ul className="dmi-rows">{all.map((rule) => <RuleRow key={rule.id} rule={rule} changed={rules.reload} />)}</ul>}
      </Loaded>
    </Section>
  );
}

function RuleRow({ rule, changed }: { rule: Rule; changed: () => void }) {
  const { t, say, term, moment, percent, elsewhere } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { identity } = useSession();
  const [until, setUntil] = useState(() => toCityInput(Date.now() + 7 * 86_400_000));
  const [now] = useState(() => Date.now());
  const [tried, setTried] = useState(false);
  // What the dialog asks stays what it was when it opened, whatever others do to the rule.
  const [stopping, setStopping] = useState(false);
  const automatic = rule.automatic ?? false;
  const lapsed = rule.automatic_refused != null;
  const end = fromCityInput(until);
  const wrong = Number.isNaN(end) || end <= now || end > now + 365 * 86_400_000 ? t.measures.automaticWrong : null;
  const set = useRuleChange(
    (seen) => (stopping ? api.support.stopPublishing(seen.id) : api.support.letPublish(seen.id, seen.version, new Date(end).toISOString().replace(/\.\d+Z$/, 'Z'))),
    () => {
      live(stopping ? t.measures.automaticOff : t.measures.automaticOn);
      changed();
    },
  );
  const open = () => {
    setStopping(automatic || lapsed);
    set.open(rule);
  };
  const words = !rule.decided_by || !rule.until || !(automatic || lapsed) ? t.measures.byPersonText
    : lapsed ? t.measures.automaticLapsed(names.participant(rule.decided_by), moment(rule.until))
    : t.measures.automaticBy(names.participant(rule.decided_by), moment(rule.until));
  const button = automatic || lapsed ? t.measures.stopAutomatic : t.measures.makeAutomatic;
  const from = rule.kind === 'garage' ? t.measures.fromShare(percent(rule.full_share ?? 1)) : t.measures.fromLevel(rule.threshold ?? '');
  return (
    <li>
      <div>
        <p><strong>{say(rule.title) || term(rule.id)}</strong></p>
        <p className="dmi-small dmi-soft">{from} {words}</p>
      </div>
      <Badge tone={automatic ? 'warn' : 'neutral'}>{automatic ? t.measures.automatic : t.measures.byPerson}</Badge>
      {deciders.includes(identity?.role ?? '') ? <RuleSettings rule={rule} changed={changed} /> : null}
      {deciders.includes(identity?.role ?? '') ? (
        <SecondaryActionButton className="dmi-small-button" aria-label={`${button}: ${say(rule.title)}`} onClick={open}>
          {button}
        </SecondaryActionButton>
      ) : null}
      <ConfirmDialog
        open={set.seen !== null} busy={set.busy} error={set.error} title={stopping ? t.measures.stopAutomaticTitle : t.measures.makeAutomaticTitle}
        confirm={stopping ? t.measures.stopAutomatic : t.measures.makeAutomatic} onClose={set.close}
        onConfirm={() => {
          setTried(true);
          if (stopping || wrong === null) void set.run();
        }}
      >
        <p><strong>{say(rule.title)}</strong></p>
        {set.moved && set.seen ? <Moved rule={set.seen} /> : null}
        <p>{stopping ? t.measures.stopAutomaticText : t.measures.makeAutomaticText}</p>
        {stopping ? null : <TextField type="datetime-local" label={elsewhere ? t.shell.onCityClock(t.measures.until) : t.measures.until} value={until} onChange={setUntil} error={tried ? wrong : null} />}
      </ConfirmDialog>
    </li>
  );
}
