/** Why one decision came out as it did: the reasons in the log, and each rule and condition of the agreements. */
import { useEffect, useRef } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { LogEntry } from '../../api';
import { useNames, type Names } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { Loaded } from '../../ui/State';
import { Why } from '../log/LogTable';

/** The ids in a sentence of the engine as people say them. */
function withNames(line: string, names: Names): string {
  return line.replaceAll(/urn:dmi:(dataset|participant|purpose):[a-z0-9]+(?:[:-][a-z0-9]+)*/g, (id, kind: string) => {
    if (kind === 'dataset') return names.dataset(id);
    return kind === 'purpose' ? names.purpose(id.replace(/^urn:/, '')) : names.participant(id);
  });
}

export function Proof({ entry, onClose }: { entry: LogEntry; onClose: () => void }) {
  const { t, say, language, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const explanation = useResource(`proof ${entry.sequence}`, (signal) => api.inspection.explanation(entry.sequence, signal));
  const heading = useRef<HTMLHeadingElement>(null);
  // It opens below a long table, so whoever asked is brought there.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="dmi-card" aria-labelledby="proof-title">
      <h3 id="proof-title" ref={heading} tabIndex={-1} className="utrecht-heading-3">{t.inspection.decision(number(entry.sequence))}</h3>
      {entry.allowed ? null : <Why entry={entry} />}
      <Loaded resource={explanation} height={120}>
        {(found) => (
          <>
            {found.items.length === 0 ? <p className="dmi-soft">{entry.assignee === null ? t.inspection.sealedProof : t.inspection.noProof}</p> : null}
            {found.items.map((one) => (
              <div key={one.agreement}>
                <p><AgreementLink id={one.agreement} /></p>
                <ul className="dmi-edits">{(one.told[language] ?? []).map((line, index) => <li key={index}>{withNames(line, names)}</li>)}</ul>
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
