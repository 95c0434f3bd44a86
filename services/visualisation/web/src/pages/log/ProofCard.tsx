/** Why one decision came out as it did: the reasons in the log, and each rule and condition of the agreements. */
import { useEffect, useRef } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { LogEntry } from '../../api';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { AgreementLink } from '../../ui/AgreementLink';
import { Loaded } from '../../ui/State';
import { Why } from './LogTable';

/** Why no agreement stands below a decision: it is about somebody else, rests on what others agreed, or on none. */
function nothingShown(entry: LogEntry, t: Messages): string {
  if (entry.assignee === null) return t.log.sealedProof;
  return entry.agreements.length > 0 ? t.log.othersProof : t.log.noProof;
}

export function ProofCard({ entry, heading: Heading, onClose }: { entry: LogEntry; heading: 'h2' | 'h3'; onClose: () => void }) {
  const { t, say, language, number } = useI18n();
  const api = useApi();
  const explanation = useResource(`proof ${entry.sequence}`, (signal) => api.exchange.explanation(entry.sequence, signal));
  const title = useRef<HTMLHeadingElement>(null);
  // It opens below a long table, so whoever asked is brought there.
  useEffect(() => title.current?.focus(), []);
  return (
    <section className="dmi-card" aria-labelledby="proof-title">
      <Heading id="proof-title" ref={title} tabIndex={-1} className="utrecht-heading-3">{t.log.decision(number(entry.sequence))}</Heading>
      {entry.allowed ? null : <Why entry={entry} />}
      <Loaded resource={explanation} height={120}>
        {(found) => (
          <>
            {found.items.length === 0 ? <p className="dmi-soft">{nothingShown(entry, t)}</p> : null}
            {found.items.map((one) => (
              <div key={one.agreement}>
                <p><AgreementLink id={one.agreement} /></p>
                <ul className="dmi-edits">{(one.told[language] ?? []).map((line, index) => <li key={index}>{line}</li>)}</ul>
              </div>
            ))}
            {found.items.length > 0 ? <p className="dmi-small dmi-soft">{say(found.facts)}</p> : null}
          </>
        )}
      </Loaded>
      <div className="dmi-actions"><SecondaryActionButton onClick={onClose}>{t.common.close}</SecondaryActionButton></div>
    </section>
  );
}
