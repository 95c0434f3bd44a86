/** Deletes a scenario, once the person has read what goes with it. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { ScenarioSummary } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { ConfirmDialog } from '../../ui/Dialog';

export function DeleteScenario({ scenario, deleted }: { scenario: Pick<ScenarioSummary, 'id' | 'title'>; deleted: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const live = useLive();
  const [asking, setAsking] = useState(false);
  const end = useAction(async () => {
    await api.support.deleteScenario(scenario.id);
    live(t.scenarios.deleted);
    setAsking(false);
    deleted();
  });
  return (
    <>
      <SecondaryActionButton className="dmi-small-button" hint="danger" aria-label={`${t.scenarios.delete}: ${scenario.title}`} onClick={() => setAsking(true)}>{t.scenarios.delete}</SecondaryActionButton>
      <ConfirmDialog open={asking} danger title={t.scenarios.deleteTitle} confirm={t.scenarios.delete} busy={end.busy} error={end.error} onClose={() => setAsking(false)} onConfirm={() => void end.run()}>
        <p><strong>{scenario.title}</strong></p>
        <p>{t.scenarios.deleteText}</p>
      </ConfirmDialog>
    </>
  );
}
