import { RouteLink } from '../app/router';
import { useI18n } from '../i18n';
import { shortId } from '../i18n/format';

/** The way to an agreement, in words; its number tells two of them apart. */
export function AgreementLink({ id }: { id: string }) {
  const { t } = useI18n();
  return <RouteLink to={`/agreements/${id}`}>{t.common.agreementNumber(shortId(id))}</RouteLink>;
}

/** The way to a mandate, likewise. */
export function MandateLink({ id }: { id: string }) {
  const { t } = useI18n();
  return <RouteLink to={`/mandates/${id}`}>{t.mandates.numbered(shortId(id))}</RouteLink>;
}
