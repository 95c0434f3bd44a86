/** Words about measures that several parts share. */
import type { Measure } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';

/** Who decided and when; for an automatic one who allowed that, and until when. */
export function Decision({ measure }: { measure: Measure }) {
  const { t, moment } = useI18n();
  const names = useNames();
  if (!measure.decided_by) return <>{t.measures.nobodyDecided}</>;
  const until = measure.properties?.['automatic_until'];
  if (measure.properties?.['automatic'] === true && typeof until === 'string') {
    return <>{t.measures.automaticDecision(names.participant(measure.decided_by), moment(until))}</>;
  }
  const who = measure.decided_by.startsWith('urn:') ? names.participant(measure.decided_by) : measure.decided_by;
  return <>{t.measures.decidedBy(who, moment(measure.decided_at))}</>;
}
