/** What the filled-in template says: in plain words beside the legal text, and what law and rulebook say of it. */
import type { OdrlDocument, Verdict } from '../../api';
import { useNames } from '../../app/names';
import type { Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { inWords } from '../../rights/words';
import { LegalText } from '../../ui/LegalText';
import { Verdicts } from '../../ui/ReviewVerdict';
import { Loaded } from '../../ui/State';
import { isOffer } from './parameters';

/** `refused`: sending it failed, so that nothing here says that it may be. */
export function Preview({ drafted, verdicts, title, refused }: { drafted: Resource<OdrlDocument>; verdicts: Resource<Verdict[]>; title: string; refused: boolean }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  return (
    <Loaded resource={drafted} height={160}>
      {(document) => {
        const told = { ...names, dataset: () => title, participant: (id: string | null | undefined) => (isOffer(document) && id === document.assignee ? t.offer.whoever : names.participant(id)) };
        return (
          <div className="dmi-stack">
            <ul className="dmi-edits">{inWords(document, i18n, told).map((line) => <li key={line}>{line}</li>)}</ul>
            <LegalText document={document} />
            {refused ? null : <Verdicts verdicts={verdicts} />}
          </div>
        );
      }}
    </Loaded>
  );
}
