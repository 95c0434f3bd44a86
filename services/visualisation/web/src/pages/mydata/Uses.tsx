/** Who used the data of a person, for what, how often, and when first and last; from the person's part of the log. */
import type { OwnUse, OwnUses } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';

export function Uses({ uses }: { uses: OwnUses }) {
  const { t, term, moment, number } = useI18n();
  const names = useNames();
  const what = (one: OwnUse) => `${term(one.action)} ${names.purpose(one.purpose)}`;
  return (
    <>
      {uses.complete ? null : <p className="dmi-soft">{t.mydata.usesMore}</p>}
      <DataTable
        caption={t.mydata.uses} captionHidden rows={uses.items} initialSort={{ key: 'last', descending: true }}
        rowKey={(one) => [one.dataset, one.participant, one.purpose, one.action].join(' ')}
        columns={[
          { key: 'who', head: t.log.who, sort: (one) => one.name, cell: (one) => one.name },
          {
            key: 'action', head: t.log.what, sort: what,
            cell: (one) => <span className="dmi-cap dmi-block">{term(one.action)}<br /><span className="dmi-small dmi-soft">{names.purpose(one.purpose)}</span></span>,
          },
          { key: 'dataset', head: t.common.dataset, sort: (one) => names.dataset(one.dataset), cell: (one) => names.dataset(one.dataset) },
          { key: 'times', head: t.mydata.times, numeric: true, sort: (one) => one.times, cell: (one) => number(one.times) },
          { key: 'first', head: t.mydata.firstTime, sort: (one) => one.first, cell: (one) => <span className="dmi-nowrap">{moment(one.first)}</span> },
          { key: 'last', head: t.mydata.lastTime, sort: (one) => one.last, cell: (one) => <span className="dmi-nowrap">{moment(one.last)}</span> },
        ]}
      />
    </>
  );
}
