import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Invoice } from '../api/dealings';
import { useNames } from '../app/names';
import { isPerson, useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource, type Resource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Badge } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { DataTable } from '../ui/DataTable';
import { ConfirmDialog } from '../ui/Dialog';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Notice, Section } from '../ui/State';
import { Billing } from './dealings/Billing';
import { OpenUse } from './dealings/OpenUse';
import { saveBlob } from './dataset/save';

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
  const tell = (said: string) => {
    setDone(said);
    invoices.reload();
  };
  return (
    <Page title={t.transactions.title} lead={t.transactions.lead} wide>
      {done ? <Notice tone="good"><p role="status">{done}</p></Notice> : null}
      <Section title={t.transactions.use} id="use" lead={t.transactions.useText}><OpenUse onIssued={(number) => tell(t.transactions.issued(number))} /></Section>
      <Section title={t.transactions.invoices} id="invoices"><Invoices invoices={invoices} onPaid={() => tell(t.transactions.paidDone)} /></Section>
      <Section title={t.transactions.commons} id="commons" lead={t.transactions.commonsText}><Commons /></Section>
      <Section title={t.transactions.details} id="details" lead={t.transactions.detailsText}><Billing /></Section>
    </Page>
  );
}

function Invoices({ invoices, onPaid }: { invoices: Resource<Invoice[]>; onPaid: () => void }) {
  const { t, date, money } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const [paying, setPaying] = useState<Invoice | null>(null);
  const pay = useAction((one: Invoice) => api.dealings.paid(one.id, one.open));
  const save = useAction(async (one: Invoice) => saveBlob(await api.dealings.ubl(one.id), `${one.number}.xml`));
  return (
    <>
      <Loaded resource={invoices} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.transactions.invoicesEmpty}>{t.transactions.invoicesEmptyText}</Empty>}>
        {(all) => (
          <DataTable
            caption={t.transactions.invoices} captionHidden rows={all} rowKey={(one) => one.id} pageSize={20} initialSort={{ key: 'date', descending: true }}
            columns={[
              { key: 'number', head: t.transactions.number, sort: (one) => one.number, cell: (one) => <>{one.number}{one.credits_number ? <span className="dmi-soft"> ({t.transactions.credit(one.credits_number)})</span> : null}</> },
              { key: 'from', head: t.transactions.from, sort: (one) => names.participant(one.supplier), cell: (one) => names.participant(one.supplier) },
              { key: 'to', head: t.transactions.to, sort: (one) => names.participant(one.customer), cell: (one) => names.participant(one.customer) },
              { key: 'date', head: t.transactions.date, sort: (one) => one.issued_at, cell: (one) => date(one.issued_at) },
              { key: 'amount', head: t.transactions.amount, numeric: true, sort: (one) => one.gross, cell: (one) => money(one.gross) },
              { key: 'open', head: t.transactions.open, numeric: true, sort: (one) => one.open, cell: (one) => (one.open > 0 ? `${money(one.open)} · ${t.transactions.due.toLocaleLowerCase()} ${date(one.due_at)}` : one.kind === 'credit' ? '' : <Badge tone="good">{t.transactions.settled}</Badge>) },
              {
                key: 'do', head: t.common.actions,
                cell: (one) => (
                  <div className="dmi-actions">
                    <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.file}: ${one.number}`} disabled={save.busy} onClick={() => void save.run(one)}>{t.transactions.file}</SecondaryActionButton>
                    {one.open > 0 && one.supplier === identity?.participant ? (
                      <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.paid}: ${one.number}`} onClick={() => setPaying(one)}>{t.transactions.paid}</SecondaryActionButton>
                    ) : null}
                  </div>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {save.error ? <Failure error={save.error} /> : null}
      <ConfirmDialog
        open={paying !== null} title={t.transactions.paidTitle} confirm={t.transactions.paidConfirm} busy={pay.busy} error={pay.error} onClose={() => setPaying(null)}
        onConfirm={() => {
          if (!paying) return;
          void pay.run(paying).then((ok) => {
            if (!ok) return;
            setPaying(null);
            onPaid();
          });
        }}
      >
        <p>{t.transactions.paidText(money(paying?.open ?? 0))}</p>
      </ConfirmDialog>
    </>
  );
}

function Commons() {
  const { t, money } = useI18n();
  const names = useNames();
  const api = useApi();
  const commons = useResource('commons', (signal) => api.dealings.commons(signal));
  return (
    <Loaded resource={commons} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.common.noRows} />}>
      {(all) => (
        <DataTable
          caption={t.transactions.commons} captionHidden rows={all} rowKey={(one) => one.participant} initialSort={{ key: 'who' }} pageSize={20}
          columns={[
            { key: 'who', head: t.transactions.participant, sort: (one) => names.participant(one.participant), cell: (one) => names.participant(one.participant) },
            { key: 'offered', head: t.transactions.offered, numeric: true, sort: (one) => one.offered, cell: (one) => money(one.offered) },
            { key: 'asked', head: t.transactions.asked, numeric: true, sort: (one) => one.asked, cell: (one) => money(one.asked) },
            { key: 'taken', head: t.transactions.taken, numeric: true, sort: (one) => sum(one.taken), cell: (one) => money(sum(one.taken)) },
            {
              key: 'state', head: t.common.state,
              cell: (one) => <Badge tone={one.rides_free ? 'bad' : one.short > 0 ? 'info' : 'good'}>{one.rides_free ? t.transactions.ridesFree : one.short > 0 ? t.transactions.short : t.transactions.enough}</Badge>,
            },
          ]}
        />
      )}
    </Loaded>
  );
}

function sum(taken: { cents: number }[]): number {
  return taken.reduce((all, one) => all + one.cents, 0);
}
