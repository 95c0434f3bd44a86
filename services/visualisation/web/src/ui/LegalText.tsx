/** The text that is signed, behind a summary. */
import type { OdrlDocument } from '../api';
import { useI18n } from '../i18n';

export function LegalText({ document }: { document: OdrlDocument }) {
  const { t } = useI18n();
  return (
    <details className="dmi-details">
      <summary>{t.agreements.legalShow}</summary>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <div className="dmi-code"><pre tabIndex={0} role="region" aria-label={t.agreements.legal}><code>{JSON.stringify(document, null, 2)}</code></pre></div>
    </details>
  );
}
