import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Reject } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { Failure } from '../../ui/State';

export function RejectTable({ rejects, changed }: { rejects: Reject[]; changed: () => void }) {
  const { t, moment, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const replay = useAction(async (id: string) => {
    await api.platform.replayReject(id);
    live(t.sources.replayed);
    changed();
  });
  return (
    <>
      {replay.error ? <Failure error={replay.error} /> : null}
      <DataTable
        caption={t.sources.rejects} captionHidden rows={rejects} rowKey={(r) => r.id} initialSort={{ key: 'at', descending: true }}
        columns={[
          { key: 'at', head: t.common.time, sort: (r) => r.at, cell: (r) => moment(r.at) },
          { key: 'dataset', head: t.common.dataset, sort: (r) => r.dataset, cell: (r) => names.dataset(r.dataset) },
          { key: 'topic', head: t.sources.topic, sort: (r) => r.topic, cell: (r) => <code>{r.topic ?? ''}</code> },
          { key: 'reason', head: t.sources.reason, sort: (r) => r.reason, cell: (r) => <>{r.reason}{r.detail ? <span className="dmi-small dmi-soft">: {r.detail}</span> : null}</> },
          { key: 'count', head: t.sources.count, numeric: true, sort: (r) => r.rows, cell: (r) => number(r.rows) },
          {
            key: 'replay', head: t.sources.replay,
            cell: (r) => (
              <SecondaryActionButton className="dmi-small-button" disabled={replay.busy} aria-label={`${t.sources.replay}: ${r.reason}`} onClick={() => void replay.run(r.id)}>
                {t.sources.replay}
              </SecondaryActionButton>
            ),
          },
        ]}
      />
    </>
  );
}
