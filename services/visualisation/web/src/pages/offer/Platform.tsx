/** What the platform is allowed, which whoever offers data signs along with it, in plain words. */
import type { OdrlDocument } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { proposalInWords } from '../../rights/words';

export function Platform({ proposal, title }: { proposal: OdrlDocument; title: string }) {
  const i18n = useI18n();
  const names = useNames();
  return (
    <div className="dmi-stack">
      <p>{i18n.t.offer.platform}</p>
      <ul className="dmi-edits">{proposalInWords(proposal, i18n, { ...names, dataset: () => title }).map((line) => <li key={line}>{line}</li>)}</ul>
    </div>
  );
}
