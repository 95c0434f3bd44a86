/** Who received the data of a person and was told what it asked, or is not yet and why, and what they answered. */
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import type { Told as One } from '../../api';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { Loaded } from '../../ui/State';
import { useWhose } from './whose';

export function Told() {
  const { t, moment } = useI18n();
  const names = useNames();
  const api = useApi();
  const whose = useWhose();
  const told = useResource(`my told ${whose}`, (signal) => api.exchange.myTold(whose, signal), 10_000);
  const answer = (one: One) => (one.outcome === 'kept' ? t.notices.kept(one.answer ?? '') : one.outcome === 'done' ? [t.notices.done, one.answer].filter(Boolean).join(': ') : t.notices.noAnswer);
  return (
    <Loaded resource={told} height={80} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.notices.toldNone}</p>}>
      {(all) => (
        <DataTable
          caption={t.notices.told} captionHidden rows={all} initialSort={{ key: 'when', descending: true }} pageSize={20}
          rowKey={(one) => [one.request, one.state, one.dataset, one.recipient].join(' ')}
          columns={[
            { key: 'who', head: t.notices.who, sort: (one) => one.name, cell: (one) => one.name },
            { key: 'what', head: t.notices.what, sort: (one) => t.notices.kinds[one.right], cell: (one) => <>{t.notices.kinds[one.right]}<br /><span className="dmi-small dmi-soft">{names.dataset(one.dataset)}</span></> },
            {
              key: 'when', head: t.notices.when, sort: (one) => one.told_at,
              cell: (one) => (one.told_at ? <span className="dmi-nowrap">{moment(one.told_at)}</span> : <>{t.notices.notYet}<br /><span className="dmi-small dmi-soft">{one.reason}</span></>),
            },
            { key: 'answer', head: t.notices.answer, cell: answer },
          ]}
        />
      )}
    </Loaded>
  );
}
