/** Brings back an agreement that was stopped: the same terms, proposed anew and signed by who asks for it. */
import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Agreement } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { RouteLink, useRouter } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { sameAgain, standing } from '../../rights/again';
import { everyone } from '../../rights/templates';
import { ConfirmDialog } from '../../ui/Dialog';
import { Loaded } from '../../ui/State';

/** For its two parties; a consent is renewed by its person, and with another city all goes by the protocol between nodes. */
export function Again({ agreement }: { agreement: Agreement }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const sides = [agreement.assigner, agreement.assignee];
  const mine = sides.includes(identity?.participant ?? '') && !agreement.consent && !sides.some((one) => names.isAbroad(one));
  const stopped = mine && agreement.state === 'ended' && agreement.concluded_at !== null;
  const others = useResource(stopped ? `again ${agreement.id}` : null, (signal) => api.exchange.agreements({ dataset: agreement.datasets[0] }, signal), 5_000);
  if (!stopped) return null;
  return (
    <Loaded resource={others} lines={1} height={48}>
      {(all) => {
        const there = standing(agreement.document, all);
        return there ? <p><RouteLink to={`/agreements/${there.id}`}>{t.agreements.againThere}</RouteLink></p> : <Propose agreement={agreement} />;
      }}
    </Loaded>
  );
}

function Propose({ agreement }: { agreement: Agreement }) {
  const { t, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { navigate } = useRouter();
  const { identity } = useSession();
  const [asked, setAsked] = useState<ReturnType<typeof sameAgain> | null>(null);
  const other = agreement.assigner === identity?.participant ? agreement.assignee : agreement.assigner;
  const propose = useAction(async () => {
    if (!asked) return;
    const made = await api.exchange.propose(asked.document);
    live(t.agreements.againDone);
    navigate(`/agreements/${made.id}`);
  });
  return (
    <div className="dmi-actions">
      <PrimaryActionButton onClick={() => setAsked(sameAgain(agreement, Date.now(), names.rulebook?.version))}>{t.agreements.again}</PrimaryActionButton>
      <ConfirmDialog
        open={asked !== null} title={t.agreements.againTitle} confirm={t.agreements.againConfirm} busy={propose.busy} error={propose.error}
        onClose={() => { propose.clear(); setAsked(null); }} onConfirm={() => void propose.run()}
      >
        <p>{other === everyone ? t.agreements.againOpen : t.agreements.againText(names.participant(other))}</p>
        {asked?.until ? <p>{t.agreements.againUntil(date(asked.until))}</p> : null}
      </ConfirmDialog>
    </div>
  );
}
