import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Reject } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { Failure } from '../../ui/State';
import { grouped, type RejectGroup } from './rejects';

/** Rejects of one dataset with one reason stand in one row, and are played again together. */
export function RejectTable({ rejects, changed }: { rejects: Reject[]; changed: () => void }) {
  const { t, moment, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const [running, setRunning] = useState('');
  const words: Record<string, string> = t.rejects;
  const reason = (g: RejectGroup) => words[g.reason] ?? g.reason.replaceAll('_', ' ');
  const replay = useAction(async (group: RejectGroup) => {
    setRunning(group.key);
    for (const id of group.ids) await api.platform.replayReject(id);
    live(t.sources.replayed);
    changed();
  });
  return (
    <>
      {replay.error ? <Failure error={replay.error} /> : null}
      <DataTable
        caption={t.sources.rejects} captionHidden rows={grouped(rejects)} rowKey={(g) => g.key} initialSort={{ key: 'at', descending: true }} pageSize={15}
        columns={[
          { key: 'dataset', head: t.common.dataset, sort: (g) => names.dataset(g.dataset), cell: (g) => names.dataset(g.dataset) },
          { key: 'reason', head: t.sources.reason, sort: reason, cell: (g) => <>{reason(g)}{words[g.reason] || !g.detail ? null : <span className="dmi-small dmi-soft">: {g.detail}</span>}</> },
          { key: 'count', head: t.sources.count, numeric: true, sort: (g) => g.rows, cell: (g) => number(g.rows) },
          { key: 'at', head: t.sources.newest, sort: (g) => g.at, cell: (g) => <span className="dmi-nowrap">{moment(g.at)}</span> },
          {
            key: 'replay', head: t.common.action,
            cell: (g) => (
              <SecondaryActionButton
                className="dmi-small-button" busy={replay.busy && running === g.key} disabled={replay.busy}
                aria-label={`${t.sources.replay}: ${names.dataset(g.dataset)}, ${reason(g)}`} onClick={() => void replay.run(g)}
              >
                {t.sources.replay}
              </SecondaryActionButton>
            ),
          },
        ]}
      />
    </>
  );
}
