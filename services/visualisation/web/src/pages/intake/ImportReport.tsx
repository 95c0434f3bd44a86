import { useState } from 'react';
import { Heading3, SecondaryActionButton } from '@utrecht/component-library-react';
import type { ImportReport, RejectedRow } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { TextField } from '../../ui/fields';
import { Failure, Loaded, Notice } from '../../ui/State';

/** Whether rows are still on their way. */
function unfinished(report: ImportReport): boolean {
  return Boolean(report.pending) || report.state === 'running' || report.state === 'pending';
}

/** The outcome of an import, renewed until nothing is pending any more. */
export function ImportReportView({ first }: { first: ImportReport }) {
  const { t, number } = useI18n();
  const words: Record<string, string> = t.rejects;
  const inWords = (reason: string) => words[reason] ?? reason.replaceAll('_', ' ');
  const api = useApi();
  const [done, setDone] = useState(!unfinished(first));
  const report = useResource(
    `import ${first.import_id}`,
    async (signal) => {
      const now = await api.ingest.report(first.import_id, signal);
      setDone(!unfinished(now));
      return now;
    },
    done ? undefined : 2_000,
  );
  const now = report.data ?? first;
  const figures: [string, number][] = [
    [t.sources.reportRead, now.read], [t.sources.reportAccepted, now.accepted], [t.sources.reportDuplicate, now.duplicate], [t.sources.reportRejected, now.rejected],
  ];
  return (
    <div className="dmi-stack">
      <Heading3>{t.sources.report}</Heading3>
      <ul className="dmi-cards dmi-cards--small">
        {figures.map(([label, value]) => (
          <li key={label} className="dmi-card"><p className="dmi-card__over">{label}</p><p className="dmi-card__figure">{number(value)}</p></li>
        ))}
      </ul>
      <p className="dmi-small dmi-soft" role="status">{t.sources.reportSum(number(now.read), number(now.accepted), number(now.duplicate), number(now.rejected))}</p>
      {done ? null : <Notice tone="info"><p>{t.sources.pending}</p></Notice>}
      {now.reasons.length > 0 ? (
        <DataTable
          caption={t.sources.reportReasons} rows={now.reasons} rowKey={(r) => r.reason} initialSort={{ key: 'count', descending: true }}
          columns={[
            { key: 'reason', head: t.sources.reason, sort: (r) => inWords(r.reason), cell: (r) => inWords(r.reason) },
            { key: 'count', head: t.sources.count, numeric: true, sort: (r) => r.count, cell: (r) => number(r.count) },
            { key: 'rows', head: t.sources.examples, cell: (r) => <code>{(r.rows ?? []).slice(0, 3).map((one) => `${one.line}: ${one.value === undefined ? (one.field ?? '') : shown(one.value)}`).join('  ')}</code> },
          ]}
        />
      ) : null}
      {done && now.reasons.some((r) => r.rows?.length) ? <Corrections id={now.import_id} changed={report.reload} /> : null}
    </div>
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** The rows that fell out, each with the wrong cell to correct and send again. */
function Corrections({ id, changed }: { id: string; changed: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const rejects = useResource(`import rejects ${id}`, (signal) => api.ingest.rejects(id, signal));
  return (
    <Loaded resource={rejects} height={120}>
      {(rows) => rows.length === 0 ? <p className="dmi-small dmi-soft">{t.sources.rowsNotKept}</p> : (
        <details className="dmi-details">
          <summary>{t.sources.correct}</summary>
          <ul className="dmi-rows">
            {rows.map((row) => (
              <li key={row.id}>
                <Correction
                  id={id} row={row}
                  changed={() => {
                    rejects.reload();
                    changed();
                  }}
                />
              </li>
            ))}
          </ul>
        </details>
      )}
    </Loaded>
  );
}

function Correction({ id, row, changed }: { id: string; row: RejectedRow; changed: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const live = useLive();
  const cells = typeof row.raw === 'object' ? row.raw : null;
  const field = cells && row.field && row.field in cells ? row.field : null;
  const [text, setText] = useState(() => (field && cells ? shown(cells[field]) : shown(row.raw)));
  const replay = useAction(async () => {
    const raw = field && cells ? { ...cells, [field]: text } : cells ? (JSON.parse(text) as Record<string, unknown>) : text;
    await api.ingest.replay(id, [{ id: row.id, raw }]);
    live(t.sources.replayed);
    changed();
  });
  return (
    <form
      className="dmi-form__row" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void replay.run();
      }}
    >
      <TextField label={t.sources.correctLine(String(row.line), field ?? '')} help={row.reason} value={text} onChange={setText} />
      <SecondaryActionButton type="submit" busy={replay.busy} disabled={replay.busy}>{t.sources.replay}</SecondaryActionButton>
      {replay.error ? <Failure error={replay.error} /> : null}
    </form>
  );
}
