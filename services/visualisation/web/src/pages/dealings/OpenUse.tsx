/** What priced agreements cost and is not billed yet: uses that were counted, months begun, the agreement itself. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { DataTable } from '../../ui/DataTable';
import { Empty, Failure, Loaded } from '../../ui/State';
import { Price } from './Lines';

export function OpenUse({ changed, onIssued }: { changed: number; onIssued: (number: string) => void }) {
  const { t, number, money } = useI18n();
  const names = useNames();
  const api = useApi();
  const open = useResource(`open use ${changed}`, (signal) => api.dealings.use(signal));
  const issue = useAction(async (customer: string) => {
    const made = await api.dealings.issue(customer);
    onIssued(made.number);
  });
  return (
    <>
      <Loaded resource={open} height={120} isEmpty={(all) => all.length === 0} empty={<Empty title={t.transactions.useEmpty}>{t.transactions.useEmptyText}</Empty>}>
        {(all) => (
          <DataTable
            caption={t.transactions.use} captionHidden rows={all} rowKey={(one) => `${one.agreement} ${one.rule} ${one.month} ${one.price.unit}`} initialSort={{ key: 'who' }}
            columns={[
              { key: 'who', head: t.transactions.customer, sort: (one) => names.participant(one.customer), cell: (one) => names.participant(one.customer) },
              { key: 'agreement', head: t.common.agreement, cell: (one) => <AgreementLink id={one.agreement} /> },
              { key: 'price', head: t.transactions.price, cell: (one) => <Price of={one} /> },
              { key: 'uses', head: t.transactions.count, numeric: true, sort: (one) => one.uses, cell: (one) => number(one.uses) },
              { key: 'net', head: t.transactions.net, numeric: true, sort: (one) => one.net, cell: (one) => money(one.net) },
              {
                key: 'do', head: t.common.actions,
                cell: (one) => <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.issue}: ${names.participant(one.customer)}`} disabled={issue.busy} onClick={() => void issue.run(one.customer)}>{t.transactions.issue}</SecondaryActionButton>,
              },
            ]}
          />
        )}
      </Loaded>
      {issue.error ? <Failure error={issue.error} /> : null}
    </>
  );
}
