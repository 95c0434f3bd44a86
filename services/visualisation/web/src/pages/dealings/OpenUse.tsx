/** What was used under priced agreements and is not billed yet, by customer. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { CountedUse } from '../../api/dealings';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { AgreementLink } from '../../ui/AgreementLink';
import { DataTable } from '../../ui/DataTable';
import { Empty, Failure, Loaded } from '../../ui/State';

type Row = CountedUse & { customer: string };

export function OpenUse({ onIssued }: { onIssued: (number: string) => void }) {
  const { t, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const open = useResource('open use', async (signal): Promise<Row[]> => {
    const [used, agreements] = await Promise.all([api.dealings.use(signal), api.exchange.agreements({}, signal)]);
    const customers = new Map(agreements.map((one) => [one.id, one.assignee]));
    return used.map((one) => ({ ...one, customer: customers.get(one.agreement) ?? '' }));
  });
  const issue = useAction(async (customer: string) => {
    const made = await api.dealings.issue(customer);
    open.reload();
    onIssued(made.number);
  });
  return (
    <>
      <Loaded resource={open} height={120} isEmpty={(all) => all.length === 0} empty={<Empty title={t.transactions.useEmpty}>{t.transactions.useEmptyText}</Empty>}>
        {(all) => (
          <DataTable
            caption={t.transactions.use} captionHidden rows={all} rowKey={(one) => `${one.agreement} ${one.rule}`} initialSort={{ key: 'who' }}
            columns={[
              { key: 'who', head: t.transactions.customer, sort: (one) => names.participant(one.customer), cell: (one) => names.participant(one.customer) },
              { key: 'agreement', head: t.common.agreement, cell: (one) => <AgreementLink id={one.agreement} /> },
              { key: 'uses', head: t.transactions.uses, numeric: true, sort: (one) => one.uses, cell: (one) => number(one.uses) },
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
