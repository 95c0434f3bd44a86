/** What a party can do: sign, make another proposal, refuse or withdraw one, or stop an agreement that runs. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, OdrlDocument } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useRouter } from '../../app/router';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useNow } from '../../app/useNow';
import { useI18n } from '../../i18n';
import { termsOf } from '../../rights/terms';
import { hasPassed } from '../../rights/words';
import { Icon } from '../../ui/Icon';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { Failure } from '../../ui/State';
import { Refine } from '../negotiate/Refine';
import { EndDialog, endWords } from './EndDialog';

interface Props {
  agreement: Agreement;
  changed: () => void;
}

export function Actions({ agreement, changed }: Props) {
  const { t } = useI18n();
  const { identity } = useSession();
  if (agreement.state === 'ended') return null;
  const mine = [agreement.assigner, agreement.assignee].includes(identity?.participant ?? '');
  if (agreement.state === 'proposed') return mine ? <Negotiation agreement={agreement} changed={changed} /> : <ReviewVerdict documents={[agreement.document]} />;
  return mine ? <Stop agreement={agreement} changed={changed} /> : <p className="dmi-soft">{t.agreements.notOwner}</p>;
}

function Stop({ agreement, changed }: Props) {
  const { t } = useI18n();
  const [asking, setAsking] = useState(false);
  return (
    <div className="dmi-actions">
      <PrimaryActionButton hint="danger" onClick={() => setAsking(true)}>
        <Icon name="stop" /> {t.agreements.stop}
      </PrimaryActionButton>
      <EndDialog agreement={asking ? agreement : null} onClose={() => setAsking(false)} onDone={changed} />
    </div>
  );
}

function Negotiation({ agreement, changed }: Props) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const { navigate } = useRouter();
  const { identity } = useSession();
  const [asking, setAsking] = useState(false);
  const [refining, setRefining] = useState(false);
  const me = identity?.participant ?? '';
  const now = useNow();
  const waits = agreement.waiting_for.includes(me) && !hasPassed(agreement.document, now);
  const terms = termsOf(agreement.document);
  const sign = useAction(async () => {
    await api.exchange.sign(agreement.id);
    live(t.agreements.accepted);
    changed();
  });
  const refine = useAction(async (document: OdrlDocument) => {
    const made = await api.exchange.refine(agreement.id, document);
    live(t.negotiate.sent);
    navigate(`/agreements/${made.id}`);
  });
  return (
    <div className="dmi-stack">
      {refining ? null : <ReviewVerdict documents={[agreement.document]} busy={refine.busy} mend={t.negotiate.sendMended} onMend={([one]) => one && void refine.run({ ...one, uid: undefined })} />}
      {waits && !refining ? <p>{t.agreements.acceptText(agreement.assigner === me)}</p> : null}
      {refining ? null : (
        <div className="dmi-actions">
          {waits ? <PrimaryActionButton busy={sign.busy} aria-disabled={sign.busy ? true : undefined} onClick={() => { if (!sign.busy) void sign.run(); }}>{t.agreements.accept}</PrimaryActionButton> : null}
          {terms ? <SecondaryActionButton onClick={() => setRefining(true)}>{t.negotiate.other}</SecondaryActionButton> : null}
          <SecondaryActionButton onClick={() => setAsking(true)}>{endWords(agreement, me, t, names).confirm}</SecondaryActionButton>
        </div>
      )}
      {terms ? null : <p className="dmi-small dmi-soft">{t.negotiate.notByForm}</p>}
      {sign.error ? <Failure error={sign.error} /> : null}
      {refine.error && !refining ? <Failure error={refine.error} /> : null}
      {refining && terms ? <Refine document={agreement.document} first={terms} send={refine} onClose={() => setRefining(false)} /> : null}
      <EndDialog agreement={asking ? agreement : null} onClose={() => setAsking(false)} onDone={changed} />
    </div>
  );
}
