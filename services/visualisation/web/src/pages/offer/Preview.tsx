/** What the filled-in template says: in plain words beside the legal text, and what law and rulebook say of it. */
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { inWords } from '../../rights/words';
import { LegalText } from '../../ui/LegalText';
import { Verdicts } from '../../ui/ReviewVerdict';
import { Loaded } from '../../ui/State';
import { renamed, type Judged } from './judged';
import { isOffer } from './parameters';

interface Props {
  judged: Judged;
  /** What the data will be called, where it is judged under an id of no name. */
  about: { title: string; unnamed: string; id: string };
  /** Sending it failed, so that nothing here says that it may be. */
  refused: boolean;
}

export function Preview({ judged, about, refused }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  return (
    <Loaded resource={judged.drafted} height={160}>
      {(drafted) => {
        const document = renamed(drafted, about.unnamed, about.id);
        const told = { ...names, dataset: () => about.title, participant: (id: string | null | undefined) => (isOffer(document) && id === document.assignee ? t.offer.whoever : names.participant(id)) };
        return (
          <div className="dmi-stack">
            <ul className="dmi-edits" aria-busy={judged.waiting}>{inWords(document, i18n, told).map((line) => <li key={line}>{line}</li>)}</ul>
            <LegalText document={document} />
            {refused ? null : <Verdicts verdicts={judged.verdicts} about={{ entry: t.offer.ofEntry, documents: [t.offer.ofPlatform, t.offer.ofOffer] }} />}
          </div>
        );
      }}
    </Loaded>
  );
}
