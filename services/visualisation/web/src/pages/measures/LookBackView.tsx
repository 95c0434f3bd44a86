/** What came of a measure: before and after, beside the forecast without it, and how sure one may be. */
import type { LookBackPart, Measure } from '../../api';
import { TimeChart } from '../../chart/TimeChart';
import { useI18n } from '../../i18n';
import { Notice } from '../../ui/State';
import { CrowdLookBackView } from './CrowdLookBackView';
import { chartRows } from './lookBack';

const unit = '{vehicle}';

export function LookBackView({ measure }: { measure: Measure }) {
  const { t, say, signed } = useI18n();
  const m = t.measures;
  const seen = measure.look_back;
  if (measure.state !== 'expired' || measure.withdrawn) return <p className="dmi-soft">{m.notLookedBack}</p>;
  if (!seen) return <p className="dmi-soft">{measure.decided_by === null ? m.notPublished : measure.properties?.['threshold'] === undefined ? m.effectNone : m.crowdEffectNone}</p>;
  if (seen.kind === 'crowd') return <CrowdLookBackView seen={seen} />;
  const verdict = seen.verdict ?? 'unknown';
  return (
    <div className="dmi-stack">
      <Notice tone="info" title={m.verdictTitles[verdict]}><p>{m.verdictTexts[verdict]}</p></Notice>
      {seen.destination ? <Part part={seen.destination} title={m.atDestination} /> : null}
      {seen.hub ? <Part part={seen.hub} title={m.atHub} /> : null}
      {seen.hub_change === null ? null : <p>{m.hubChange(signed(seen.hub_change, 0))}</p>}
      <p className="dmi-small dmi-soft">{say(seen.caveat)}</p>
    </div>
  );
}

function Part({ part, title }: { part: LookBackPart; title: string }) {
  const { t, number, signed } = useI18n();
  const m = t.measures;
  const digits = Math.abs(part.mean_difference) < 10 ? 1 : 0;
  return (
    <div className="dmi-stack">
      <h4 className="utrecht-heading-3">{title}</h4>
      <p>
        {m.difference(signed(part.mean_difference, digits), signed(part.low, digits), signed(part.high, digits))}{' '}
        {m.outside(number(part.outside_interval), number(part.count))}
      </p>
      {part.moments.length > 1 ? (
        <TimeChart
          title={`${title}: ${m.chart}`} unit={unit} height={220} rows={chartRows(part)}
          names={{ value: m.forecastWithout, low: t.forecasts.low, high: t.forecasts.high, band: t.forecasts.interval, second: t.forecasts.measured }}
        />
      ) : null}
    </div>
  );
}
