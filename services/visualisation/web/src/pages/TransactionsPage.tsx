import { useState } from 'react';
import { isPerson, useApi, useSession } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { ButtonLink } from '../ui/ButtonLink';
import { Page } from '../ui/Page';
import { Empty, Notice, Section } from '../ui/State';
import { Billing } from './dealings/Billing';
import { Book } from './dealings/Book';
import { Commons } from './dealings/Commons';
import { Invoices } from './dealings/Invoices';
import { OpenUse } from './dealings/OpenUse';

export default function TransactionsPage() {
  const { t } = useI18n();
  const { identity } = useSession();
  if (!isPerson(identity?.participant)) return <Members />;
  return (
    <Page title={t.transactions.title}>
      <Empty title={t.transactions.onlyMembers} action={<ButtonLink to="/my-data">{t.shell.mydata}</ButtonLink>}>{t.transactions.onlyMembersText}</Empty>
    </Page>
  );
}

function Members() {
  const { t } = useI18n();
  const api = useApi();
  const invoices = useResource('invoices', (signal) => api.dealings.invoices(signal), 30_000);
  const [done, setDone] = useState<string | null>(null);
  // What was done changes the book, too.
  const [changes, setChanges] = useState(0);
  const tell = (said: string) => {
    setDone(said);
    setChanges((before) => before + 1);
    invoices.reload();
  };
  return (
    <Page title={t.transactions.title} lead={t.transactions.lead} wide>
      {done ? <Notice tone="good"><p role="status">{done}</p></Notice> : null}
      <Section title={t.transactions.use} id="use" lead={t.transactions.useText}><OpenUse changed={changes} onIssued={(number) => tell(t.transactions.issued(number))} /></Section>
      <Section title={t.transactions.invoices} id="invoices"><Invoices invoices={invoices} onDone={tell} /></Section>
      <Section title={t.transactions.book} id="book" lead={t.transactions.bookText}><Book changed={changes} /></Section>
      <Section title={t.transactions.commons} id="commons" lead={t.transactions.commonsText}><Commons /></Section>
      <Section title={t.transactions.details} id="details" lead={t.transactions.detailsText}><Billing /></Section>
    </Page>
  );
}
