/** Who used the data of a person, summed up: how often each use came, and when it came last. */
import type { LogEntry } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { grouped } from './grouped';

export function Uses({ entries }: { entries: LogEntry[] }) {
  const { t, term, moment, number } = useI18n();
  const names = useNames();
  const who = (id: string | null) => (id === null ? t.log.erased : names.participant(id));
  return (
    <DataTable
      caption={t.mydata.uses} captionHidden rows={grouped(entries)} rowKey={(one) => one.key} initialSort={{ key: 'last', descending: true }}
      columns={[
        { key: 'who', head: t.log.who, sort: (one) => who(one.assignee), cell: (one) => who(one.assignee) },
        {
          key: 'action', head: t.log.what, sort: (one) => one.action,
          cell: (one) => <span className="dmi-cap dmi-block">{term(one.action)}<br /><span className="dmi-small dmi-soft">{names.purpose(one.purpose)}</span></span>,
        },
        { key: 'dataset', head: t.common.dataset, sort: (one) => names.dataset(one.dataset), cell: (one) => names.dataset(one.dataset) },
        {
          key: 'allowed', head: t.mydata.outcome, sort: (one) => (one.allowed ? 1 : 0),
          cell: (one) => (one.allowed ? <Badge tone="good">{t.mydata.allowed}</Badge> : <Badge tone="bad">{t.mydata.denied}</Badge>),
        },
        { key: 'times', head: t.mydata.times, numeric: true, sort: (one) => one.times, cell: (one) => number(one.times) },
        { key: 'last', head: t.mydata.lastTime, sort: (one) => one.last, cell: (one) => <span className="dmi-nowrap">{moment(one.last)}</span> },
      ]}
    />
  );
}
