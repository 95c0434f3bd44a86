import type { LogEntry } from '../../api';
import { useNames } from '../../app/names';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';

export function LogTable({ caption, entries }: { caption: string; entries: LogEntry[] }) {
  const { t, term, moment, number } = useI18n();
  const names = useNames();
  const words: Record<string, string> = t.reasons;
  return (
    <DataTable
      caption={caption} captionHidden rows={entries} rowKey={(e) => String(e.sequence)} initialSort={{ key: 'sequence', descending: true }}
      columns={[
        { key: 'sequence', head: t.log.sequence, numeric: true, sort: (e) => e.sequence, cell: (e) => number(e.sequence) },
        { key: 'at', head: t.log.at, sort: (e) => e.at, cell: (e) => moment(e.at, true) },
        { key: 'who', head: t.log.who, sort: (e) => names.participant(e.assignee), cell: (e) => names.participant(e.assignee) },
        { key: 'action', head: t.common.action, sort: (e) => e.action, cell: (e) => term(e.action) },
        { key: 'dataset', head: t.common.dataset, sort: (e) => names.dataset(e.dataset), cell: (e) => names.dataset(e.dataset) },
        { key: 'purpose', head: t.common.purpose, sort: (e) => names.purpose(e.purpose), cell: (e) => names.purpose(e.purpose) },
        {
          key: 'allowed', head: t.mydata.outcome, sort: (e) => (e.allowed ? 1 : 0),
          cell: (e) => (e.allowed ? <Badge tone="good">{t.mydata.allowed}</Badge> : <Badge tone="bad">{t.mydata.denied}</Badge>),
        },
        { key: 'rows', head: t.log.rows, numeric: true, sort: (e) => e.rows, cell: (e) => number(e.rows) },
        { key: 'reasons', head: t.log.reasons, cell: (e) => <span className="dmi-small">{e.reasons.map((one) => words[one.split(':')[0]?.trim() ?? ''] ?? one).join('; ')}</span> },
      ]}
    />
  );
}
