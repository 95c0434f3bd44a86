/** Keeps what happened under an agreement with its proof, for whoever asks later, and says how that is checked. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement } from '../../api';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { CodeExample } from '../../ui/CopyButton';
import { Failure, Notice, Section } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { courseOf, type Course } from '../log/proof';

interface Kept extends Course {
  file: string;
}

export function Proof({ agreement }: { agreement: Agreement }) {
  const { t, number } = useI18n();
  const api = useApi();
  const [kept, setKept] = useState<Kept | null>(null);
  const keep = useAction(async () => {
    const evidence = await api.exchange.evidence({ agreement: agreement.id });
    const file = `${t.proof.file}-${agreement.id.split(':').at(-1)?.slice(0, 8) ?? ''}-${evidence.head.tree_size}.json`;
    saveBlob(new Blob([JSON.stringify(evidence)], { type: 'application/json' }), file);
    setKept({ file, ...courseOf(evidence) });
  });
  return (
    <Section title={t.proof.title} id="proof" lead={t.proof.lead}>
      <div className="dmi-stack">
        <div className="dmi-actions">
          <SecondaryActionButton busy={keep.busy} disabled={keep.busy} onClick={() => void keep.run()}>{t.proof.keep}</SecondaryActionButton>
        </div>
        {keep.error ? <Failure error={keep.error} /> : null}
        <div role="status">
          {kept ? (
            <Notice tone="good" title={t.proof.kept}>
              <ul>
                <li>{kept.concluded === null ? t.proof.notConcluded : t.proof.concluded(number(kept.concluded))}</li>
                <li>{kept.rows > 0 ? t.proof.usesOf(number(kept.uses), number(kept.rows)) : t.proof.uses(number(kept.uses))}</li>
                {kept.refused > 0 ? <li>{t.proof.refused(number(kept.refused))}</li> : null}
                <li>{kept.stopped === null ? t.proof.notStopped : t.proof.stopped(number(kept.stopped))}</li>
              </ul>
            </Notice>
          ) : null}
        </div>
        <details className="dmi-details">
          <summary>{t.proof.check}</summary>
          <div className="dmi-stack">
            <p>{t.proof.checkText}</p>
            <CodeExample title={t.proof.program} code={`dmi log check ${kept?.file ?? `${t.proof.file}.json`}`} />
          </div>
        </details>
      </div>
    </Section>
  );
}
