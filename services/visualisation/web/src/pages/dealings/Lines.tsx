/** What an invoice is made of: each line with its price and count, and how the amount adds up. */
import type { Invoice, InvoiceLine } from '../../api/dealings';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { DataTable } from '../../ui/DataTable';

export function Lines({ of }: { of: Invoice }) {
  const { t, money, number } = useI18n();
  return (
    <div className="dmi-stack">
      <DataTable
        caption={t.transactions.linesOf(of.number)} rows={of.lines} rowKey={(one) => `${one.agreement} ${one.rule ?? ''} ${one.month ?? ''} ${one.price.unit}`}
        columns={[
          { key: 'agreement', head: t.common.agreement, cell: (one) => <AgreementLink id={one.agreement} /> },
          { key: 'price', head: t.transactions.price, cell: (one) => <Price of={one} /> },
          { key: 'count', head: t.transactions.count, numeric: true, cell: (one) => number(one.count) },
          { key: 'net', head: t.transactions.net, numeric: true, cell: (one) => money(one.net) },
        ]}
      />
      <p>{t.transactions.adds(money(of.net), money(of.vat), money(of.gross))}</p>
    </div>
  );
}

/** A price as it was agreed, with the month that it is for. */
export function Price({ of }: { of: Pick<InvoiceLine, 'price' | 'month'> }) {
  const { t, money, number } = useI18n();
  return <>{t.transactions.priced[of.price.unit](money(of.price.cents), number(of.price.per), of.month ?? '')}</>;
}
