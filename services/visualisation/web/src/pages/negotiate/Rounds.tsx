/** The proposals that an agreement came of: what the last one changed, and all of them with their words. */
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi } from '../../app/session';
import { useResource, type Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { difference } from '../../rights/difference';
import { inWords } from '../../rights/words';
import { Loaded, Section } from '../../ui/State';
import { Difference } from './Difference';

/** Who made a proposal: the party that has signed it, or of one that both signed, not the one that answered. */
export function madeBy(rounds: Agreement[], index: number): string {
  const one = rounds[index];
  const before = rounds[index - 1];
  if (before) return before.ended_by ?? '';
  const [only, second] = Object.keys(one?.signatures ?? {});
  // Of an agreement without an earlier round that both signed, the owner offered or was asked: that is not kept.
  return second === undefined ? (only ?? '') : '';
}

export function useRounds(agreement: Agreement): Resource<Agreement[]> {
  const api = useApi();
  return useResource(agreement.replaces ? `rounds ${agreement.id}` : null, (signal) => api.exchange.rounds(agreement.id, signal));
}

export function LastChange({ rounds }: { rounds: Resource<Agreement[]> }) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  return (
    <Loaded resource={rounds} height={160}>
      {(all) => {
        const [before, after] = [all.at(-2), all.at(-1)];
        if (!before || !after) return null;
        return (
          <Section title={t.negotiate.changed} id="changed" lead={t.negotiate.changedLead(names.participant(madeBy(all, all.length - 1)))}>
            <Difference changes={difference(before.document, after.document, i18n, names)} none={t.negotiate.same} />
          </Section>
        );
      }}
    </Loaded>
  );
}

export function Rounds({ rounds }: { rounds: Resource<Agreement[]> }) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const all = rounds.data ?? [];
  if (all.length < 2) return null;
  return (
    <Section title={t.negotiate.rounds} id="rounds">
      <ol className="dmi-plain">
        {all.map((one, index) => (
          <li key={one.id}>
            <details className="dmi-details">
              <summary>
                {t.negotiate.round(index + 1, names.participant(madeBy(all, index)))} <span className="dmi-small dmi-soft">({index < all.length - 1 ? t.negotiate.roundUntil(moment(one.ended_at)) : one.concluded_at ? t.negotiate.roundAgreed : t.negotiate.roundNow})</span>
              </summary>
              <ul className="dmi-edits">{inWords(one.document, i18n, names).map((line) => <li key={line}>{line}</li>)}</ul>
              {index < all.length - 1 ? <p className="dmi-small"><RouteLink to={`/agreements/${one.id}`}>{t.agreements.legalShow}</RouteLink></p> : null}
            </details>
          </li>
        ))}
      </ol>
    </Section>
  );
}
