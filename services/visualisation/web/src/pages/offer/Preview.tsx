/** What the filled-in template says: in plain words beside the legal text, and what law and rulebook say of it. */
import type { Parameters, Template } from '../../api';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { inWords } from '../../rights/words';
import { LegalText } from '../../ui/LegalText';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { Loaded } from '../../ui/State';
import { isOffer } from './parameters';

export function Preview({ template, parameters, title }: { template: Template; parameters: Parameters; title: string }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  const api = useApi();
  const drafted = useResource(`draft ${template.id} ${JSON.stringify(parameters)}`, (signal) => api.exchange.draft(template.id, parameters, signal));
  return (
    <Loaded resource={drafted} height={160}>
      {(document) => {
        const told = { ...names, dataset: () => title, participant: (id: string | null | undefined) => (isOffer(document) && id === document.assignee ? t.offer.whoever : names.participant(id)) };
        return (
          <div className="dmi-stack">
            <ul className="dmi-edits">{inWords(document, i18n, told).map((line) => <li key={line}>{line}</li>)}</ul>
            <LegalText document={document} />
            <ReviewVerdict documents={[document]} />
          </div>
        );
      }}
    </Loaded>
  );
}
