/** One's own book: the balance of each account by the other party, and the entries that it is the sum of. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Account, Balance } from '../../api/dealings';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/State';

const order: Account[] = ['debtors', 'bank', 'creditors', 'revenue', 'costs', 'vat-due', 'vat-paid'];

export function Book({ changed }: { changed: number }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const balances = useResource(`balances ${changed}`, (signal) => api.dealings.balances(signal));
  const [shown, setShown] = useState<Balance | null>(null);
  const sides = useSides<Balance>();
  return (
    <Loaded resource={balances} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.transactions.bookEmpty}>{t.transactions.bookEmptyText}</Empty>}>
      {(all) => (
        <>
          <DataTable
            caption={t.transactions.book} captionHidden rows={all} rowKey={key} current={shown ? key(shown) : null} initialSort={{ key: 'account' }}
            columns={[
              { key: 'account', head: t.transactions.account, sort: (one) => order.indexOf(one.account), cell: (one) => t.transactions.accounts[one.account] },
              { key: 'other', head: t.transactions.other, sort: (one) => names.participant(one.other), cell: (one) => names.participant(one.other) },
              ...sides,
              {
                key: 'do', head: t.common.actions,
                cell: (one) => (
                  <SecondaryActionButton className="dmi-small-button" aria-expanded={shown !== null && key(shown) === key(one)} aria-label={`${t.transactions.why}: ${t.transactions.accounts[one.account]}, ${names.participant(one.other)}`} onClick={() => setShown(shown && key(shown) === key(one) ? null : one)}>{t.transactions.why}</SecondaryActionButton>
                ),
              },
            ]}
          />
          {shown ? <Entries of={shown} changed={changed} /> : null}
        </>
      )}
    </Loaded>
  );
}

function Entries({ of, changed }: { of: Balance; changed: number }) {
  const { t, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const entries = useResource(`entries ${key(of)} ${changed}`, (signal) => api.dealings.entries(of, signal));
  const caption = t.transactions.entries(t.transactions.accounts[of.account], names.participant(of.other));
  const sides = useSides<{ id: number; cents: number }>();
  return (
    <Loaded resource={entries} height={120}>
      {(all) => (
        <DataTable
          caption={caption} rows={all} rowKey={(one) => String(one.id)} pageSize={20} initialSort={{ key: 'date' }}
          columns={[
            { key: 'date', head: t.transactions.date, sort: (one) => one.id, cell: (one) => date(one.at) },
            { key: 'what', head: t.transactions.what, sort: (one) => one.kind, cell: (one) => t.transactions.kinds[one.kind](one.number) },
            ...sides,
          ]}
        />
      )}
    </Loaded>
  );
}

/** Debit and credit, each in a column of its own, as bookkeepers read them. */
function useSides<T extends { cents: number }>(): Column<T>[] {
  const { t, money } = useI18n();
  return [
    { key: 'debit', head: t.transactions.debit, numeric: true, sort: (one) => one.cents, cell: (one) => (one.cents > 0 ? money(one.cents) : '') },
    { key: 'credit', head: t.transactions.creditSide, numeric: true, sort: (one) => -one.cents, cell: (one) => (one.cents < 0 ? money(-one.cents) : one.cents === 0 ? money(0) : '') },
  ];
}

function key(balance: Balance): string {
  return `${balance.account} ${balance.other}`;
}
