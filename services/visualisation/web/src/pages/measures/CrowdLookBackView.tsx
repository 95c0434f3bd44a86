/** What came of a measure against crowding: how crowded it was before, during and after it, beside its threshold. */
import type { CrowdLookBack, CrowdPart } from '../../api';
import { TimeChart } from '../../chart/TimeChart';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { Notice } from '../../ui/State';
import { crowdRows, parts } from './lookBack';

const unit = '{person}/min';

export function CrowdLookBackView({ seen }: { seen: CrowdLookBack }) {
  const { t, say, number, quantity, time } = useI18n();
  const m = t.measures;
  const none = t.common.noData;
  const lack = (part: CrowdPart) => (part === 'width' ? m.lackWidth : m.lackCounts[part](number(seen[part].counted), number(seen[part].expected)));
  return (
    <div className="dmi-stack">
      <Notice tone="info" title={m.crowdVerdictTitles[seen.verdict](seen.threshold)}>
        {seen.verdict === 'unknown' ? <ul>{seen.lacking.map((part) => <li key={part}>{lack(part)}</li>)}</ul> : <p>{m.crowdVerdictText}</p>}
      </Notice>
      <DataTable
        caption={m.crowdTable(seen.threshold)} rows={parts.map((name) => ({ name, ...seen[name] }))} rowKey={(one) => one.name}
        columns={[
          { key: 'when', head: t.common.time, cell: (one) => `${m.crowdParts[one.name]} (${time(one.start)} – ${time(one.end)})` },
          { key: 'level', head: m.levelMiddle, cell: (one) => one.level ?? none },
          { key: 'worst', head: m.levelWorst, cell: (one) => one.worst ?? none },
          { key: 'crowded', head: m.atThreshold(seen.threshold), numeric: true, cell: (one) => (one.crowded === null ? none : m.ofCounts(number(one.crowded), number(one.counted))) },
          { key: 'flow', head: t.forecasts.flow, numeric: true, cell: (one) => (one.flow === null ? none : quantity(one.flow, unit)) },
        ]}
      />
      {seen.moments.length > 1 ? (
        <TimeChart
          title={m.crowdChart} unit={unit} height={220} rows={crowdRows(seen)} reference={seen.threshold_flow}
          names={{ value: m.crowdOutside, second: m.crowdParts.during, reference: m.fromLevel(seen.threshold) }}
        />
      ) : null}
      {seen.effective_width === null ? null : <p className="dmi-small dmi-soft">{m.crowdWidth(quantity(seen.effective_width, 'm'))}</p>}
      <p className="dmi-small dmi-soft">{say(seen.caveat)}</p>
    </div>
  );
}
