import { codeOf, type ProblemDocument } from '../api/problem';
import { useI18n } from '../i18n';
import { Badge } from './Badge';

/** Why a layer is not shown, in two words: stopped is not the same as not for this purpose. */
export function RefusedBadge({ problem }: { problem: ProblemDocument }) {
  const { t } = useI18n();
  const code = codeOf(problem);
  if (code === 'ended' || code === 'expired') return <Badge tone="bad">{t.map.ended}</Badge>;
  return <Badge tone="warn">{code === 'wrong_purpose' ? t.map.otherPurpose : t.map.notForYou}</Badge>;
}
