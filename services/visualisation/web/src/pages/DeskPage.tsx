import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import { useApi, useSession } from '../app/session';
import { useQueryState } from '../app/router';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { ButtonLink } from '../ui/ButtonLink';
import { TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError } from '../ui/problems';
import { Empty, Failure, Section, Skeleton } from '../ui/State';
import { Letter } from './desk/Letter';
import { isPersonId } from './desk/persons';
import { Representatives } from './desk/Representatives';

/** Where the operator helps who has no account. */
export default function DeskPage() {
  const { t } = useI18n();
  const { identity } = useSession();
  return (
    <Page title={t.desk.title} lead={t.desk.lead}>
      {identity?.role === 'operator' ? <Desk /> : (
        <Empty title={t.desk.onlyOperator} action={<ButtonLink to="/">{t.shell.start}</ButtonLink>}>{t.desk.onlyOperatorText}</Empty>
      )}
    </Page>
  );
}

function Desk() {
  const { t } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const asked = query.get('person') ?? '';
  const [typed, setTyped] = useState(asked);
  const [wrong, setWrong] = useState<string | null>(null);
  const found = useResource(asked === '' ? null : `person ${asked}`, (signal) => api.exchange.representation(asked, signal));
  const unknown = found.error?.kind === 'missing' ? t.desk.unknown : null;
  return (
    <>
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const person = typed.trim();
          setWrong(isPersonId(person) ? null : t.desk.wrongPerson);
          if (!isPersonId(person)) focusFirstError(event.currentTarget);
          else if (person === asked) found.reload();
          else change({ person });
        }}
      >
        <TextField label={t.desk.person} help={t.desk.personHelp} value={typed} onChange={setTyped} error={wrong ?? (typed.trim() === asked ? unknown : null)} />
        <div><SecondaryActionButton type="submit" busy={found.loading} disabled={found.loading}>{t.desk.find}</SecondaryActionButton></div>
      </form>
      {found.error && !unknown ? <Failure error={found.error} retry={found.reload} busy={found.loading} /> : null}
      {found.loading && !found.data ? <Skeleton lines={4} height={320} /> : null}
      {found.data ? (
        <>
          <Section title={t.desk.letter(found.data.name)} id="letter" lead={t.desk.letterText}>
            <Letter key={found.data.id} person={found.data} meant={typed.trim() === found.data.id} />
          </Section>
          <Section title={t.desk.acts(found.data.name)} id="acts" lead={t.desk.actsText}>
            <Representatives key={`${found.data.id} ${found.at?.getTime() ?? 0}`} person={found.data} changed={found.reload} />
          </Section>
        </>
      ) : null}
    </>
  );
}
