/** What the review found about all agreements: the first thing that supervision looks at. */
import type { Finding } from '../../api/inspection';
import type { Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Loaded, Notice, Section } from '../../ui/State';
import { Findings } from './Findings';

export function Found({ findings }: { findings: Resource<Finding[]> }) {
  const { t } = useI18n();
  return (
    <Section title={t.inspection.found} id="found" lead={t.inspection.foundText}>
      <Loaded resource={findings} height={160} isEmpty={(all) => all.length === 0} empty={<Notice tone="good"><p>{t.inspection.nothing}</p></Notice>}>
        {(all) => <Findings items={all} />}
      </Loaded>
    </Section>
  );
}
