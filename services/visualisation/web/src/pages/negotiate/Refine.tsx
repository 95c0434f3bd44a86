/** Other terms in the place of a proposal: what they change and what law and rulebook say of them, before they are sent. */
import { useMemo, useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { OdrlDocument } from '../../api';
import { useNames } from '../../app/names';
import type { Action } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { toCityInput } from '../../i18n/cityTime';
import { difference } from '../../rights/difference';
import { termsOf, withTerms, wrongTerms, type Terms } from '../../rights/terms';
import { focusFirstError } from '../../ui/problems';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { Failure, Section } from '../../ui/State';
import { Difference } from './Difference';
import { TermsForm } from './TermsForm';

interface Props {
  /** The terms on the table. */
  document: OdrlDocument;
  first: Terms;
  send: Pick<Action<[OdrlDocument]>, 'run' | 'busy' | 'error'>;
  /** Whether this node can judge the text: of another node it lacks what only that one knows. */
  review?: boolean;
  onClose: () => void;
}

export function Refine({ document, first, send, review = true, onClose }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const names = useNames();
  const [terms, setTerms] = useState(first);
  // The text that the terms are put into: that on the table, or with the change that the reasoner wants.
  const [base, setBase] = useState(document);
  const [tried, setTried] = useState(false);
  const [today] = useState(() => toCityInput(Date.now()).slice(0, 10));
  const wrong = wrongTerms(terms, today);
  const fits = Object.keys(wrong).length === 0;
  const wanted = useMemo(() => (fits ? withTerms(base, terms) : null), [base, terms, fits]);
  const changes = wanted ? difference(document, wanted, i18n, names) : [];
  return (
    <Section title={t.negotiate.otherTitle} id="other" lead={t.negotiate.otherLead}>
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (wanted && changes.length > 0) void send.run(wanted);
          else focusFirstError(event.currentTarget);
        }}
      >
        <TermsForm terms={terms} onChange={setTerms} wrong={tried ? wrong : {}} measures keeps={names.keeps(document.assignee)} more={first.actions} />
        <div aria-live="polite">
          <h3 className="utrecht-heading-3">{t.negotiate.yourChanges}</h3>
          <Difference changes={changes} none={t.negotiate.sameYet} />
        </div>
        {review && wanted && changes.length > 0 ? (
          <ReviewVerdict
            documents={[wanted]} busy={send.busy}
            onMend={([one]) => {
              const mended = one && termsOf(one);
              if (!one) return;
              if (!mended) return void send.run(one);
              setBase(one);
              setTerms(mended);
            }}
          />
        ) : null}
        {send.error ? <Failure error={send.error} /> : null}
        <div className="dmi-actions">
          <PrimaryActionButton type="submit" busy={send.busy} disabled={send.busy}>{t.negotiate.send}</PrimaryActionButton>
          <SecondaryActionButton type="button" onClick={onClose}>{t.common.cancel}</SecondaryActionButton>
        </div>
      </form>
    </Section>
  );
}
