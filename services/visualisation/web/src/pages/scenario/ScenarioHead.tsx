/** What can be done with a scenario as a whole, and the marks that say whether its figures still hold. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Scenario, ScenarioResult } from '../../api';
import { useNames } from '../../app/names';
import { useQueryState, useRouter } from '../../app/router';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { ButtonLink } from '../../ui/ButtonLink';
import { CopyButton } from '../../ui/CopyButton';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { Notice } from '../../ui/State';

/** The address that opens what is seen now: this version for good, and what it is compared with. */
export function shareLink(origin: string, scenario: Scenario, query: URLSearchParams): string {
  const kept = new URLSearchParams(query);
  kept.set('version', query.get('version') ?? String(scenario.version));
  return `${origin}/scenarios/${scenario.share}?${kept.toString()}`;
}

export function ScenarioActions({ scenario }: { scenario: Scenario }) {
  const { t } = useI18n();
  const [query] = useQueryState();
  return (
    <>
      <CopyButton text={shareLink(location.origin, scenario, query)} label={t.scenarios.share} />
      <Branch scenario={scenario} />
      {scenario.may_edit ? <ButtonLink to={`/scenarios/${scenario.id}/merge`}>{t.scenarios.merge}</ButtonLink> : null}
    </>
  );
}

export function Branch({ scenario, primary }: { scenario: Scenario; primary?: boolean }) {
  const { t } = useI18n();
  const api = useApi();
  const { navigate } = useRouter();
  const [asking, setAsking] = useState(false);
  const [title, setTitle] = useState(`${scenario.title} (2)`);
  const [tried, setTried] = useState(false);
  const branch = useAction(async () => {
    const made = await api.support.branch(scenario.id, title.trim());
    navigate(`/scenarios/${made.id}`);
  });
  const Button = primary ? PrimaryActionButton : SecondaryActionButton;
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t.scenarios.branch}</Button>
      <ConfirmDialog
        open={asking} title={t.scenarios.branch} confirm={t.scenarios.branch} busy={branch.busy} error={branch.error} onClose={() => setAsking(false)}
        onConfirm={() => {
          setTried(true);
          if (title.trim() !== '') void branch.run();
        }}
      >
        <p>{t.scenarios.branchText}</p>
        <TextField label={t.scenarios.branchTitle} value={title} onChange={setTitle} error={tried && title.trim() === '' ? t.common.required : null} />
      </ConfirmDialog>
    </>
  );
}

interface MarksProps {
  scenario: Scenario;
  result: ScenarioResult | null;
  old: boolean;
  busy: boolean;
  onRenew: () => void;
  onRecompute: () => void;
}

export function Marks({ scenario, result, old, busy, onRenew, onRecompute }: MarksProps) {
  const { t, moment } = useI18n();
  const names = useNames();
  const withdrawal = result?.withdrawal ?? scenario.withdrawal ?? null;
  if (withdrawal) {
    const ground = withdrawal.agreement;
    return (
      <Notice tone="bad" title={t.states.withdrawn}>
        {ground === null ? <p>{t.states.withdrawnText}</p> : (
          <p>{t.scenarios.withdrawnText(moment(withdrawal.moment, true))} {ground.startsWith('urn:dmi:dataset:') ? names.dataset(ground) : <AgreementLink id={ground} />}</p>
        )}
        {scenario.may_edit && !old ? <PrimaryActionButton busy={busy} disabled={busy} onClick={onRecompute}>{t.scenarios.recompute}</PrimaryActionButton> : null}
      </Notice>
    );
  }
  if (old || scenario.stale.length === 0) return null;
  const city = scenario.stale.includes('baseline');
  return (
    <Notice tone="warn" title={city ? t.scenarios.staleTitle : t.scenarios.stale}>
      <p>{city ? t.scenarios.staleText(moment(scenario.baseline_at)) : t.scenarios.staleModel}</p>
      {scenario.may_edit ? <SecondaryActionButton busy={busy} disabled={busy} onClick={city ? onRenew : onRecompute}>{city ? t.scenarios.renew : t.scenarios.recompute}</SecondaryActionButton> : null}
    </Notice>
  );
}
