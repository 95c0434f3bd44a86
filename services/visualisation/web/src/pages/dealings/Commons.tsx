/** What each participant offers the others in a year, and from whom it takes how much. */
import { useNames } from '../../app/names';
import type { Share } from '../../api/dealings';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/State';

export function Commons() {
  const { t, money } = useI18n();
  const names = useNames();
  const api = useApi();
  const commons = useResource('commons', (signal) => api.dealings.commons(signal));
  return (
    <Loaded resource={commons} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.common.noRows} />}>
      {(all) => (
        <DataTable
          caption={t.transactions.commons} captionHidden rows={all} rowKey={(one) => one.participant} initialSort={{ key: 'state' }} pageSize={20}
          columns={[
            { key: 'who', head: t.transactions.participant, sort: (one) => names.participant(one.participant), cell: (one) => names.participant(one.participant) },
            { key: 'offered', head: t.transactions.offered, numeric: true, sort: (one) => one.offered, cell: (one) => money(one.offered) },
            { key: 'asked', head: t.transactions.asked, numeric: true, sort: (one) => one.asked, cell: (one) => money(one.asked) },
            { key: 'taken', head: t.transactions.taken, numeric: true, sort: sum, cell: (one) => money(sum(one)) },
            {
              key: 'from', head: t.transactions.takenFrom,
              cell: (one) => <ul className="dmi-plain">{one.taken.map((each) => <li key={each.from}>{t.transactions.takenOf(names.participant(each.from), money(each.cents), money(one.asked))}</li>)}</ul>,
            },
            { key: 'state', head: t.common.state, sort: (one) => (one.rides_free ? 0 : one.early ? 2 : one.short > 0 ? 1 : 3), cell: (one) => <Standing of={one} /> },
          ]}
        />
      )}
    </Loaded>
  );
}

function Standing({ of }: { of: Share }) {
  const { t } = useI18n();
  if (of.rides_free) return <Badge tone="bad">{t.transactions.ridesFree}</Badge>;
  if (of.early) return <Badge>{t.transactions.early}</Badge>;
  return of.short > 0 ? <Badge tone="info">{t.transactions.short}</Badge> : <Badge tone="good">{t.transactions.enough}</Badge>;
}

function sum(share: Share): number {
  return share.taken.reduce((all, one) => all + one.cents, 0);
}
