/** Who notices the change: for how many neighbourhoods and inhabitants a figure rises or falls, without small groups. */
import type { ScenarioResult } from '../../api';
import { useI18n } from '../../i18n';
import { capital } from '../../i18n/format';
import { Section } from '../../ui/State';
import { areaRows, changes, unitOf, type Comparison } from './figures';

export function Equity({ result, indicator }: { result: ScenarioResult; indicator: string }) {
  const { t, term, number, signed, quantity } = useI18n();
  const found = result.split.find((one) => one.indicator === indicator);
  if (!found) return null;
  const comparison: Comparison = { result, other: null };
  const rows = areaRows(comparison, indicator).filter(changes).sort((a, b) => (b.change ?? 0) - (a.change ?? 0));
  const most = Math.max(...rows.map((row) => Math.abs(row.change ?? 0)));
  const shown = rows.length > 12 ? [...rows.slice(0, 6), ...rows.slice(-6)] : rows;
  const sides = [[t.scenarios.equityUp, found.up], [t.scenarios.equityDown, found.down], [t.scenarios.equitySame, found.same]] as const;
  const hidden = result.areas.some((area) => area.suppressed);
  return (
    <Section title={t.scenarios.equity} id="equity" lead={capital(term(indicator))}>
      <dl className="dmi-figures">
        {sides.map(([label, side]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd><strong>{t.scenarios.equityAreas(side.areas)}</strong><br /><span className="dmi-small dmi-soft">{t.scenarios.equityPeople(number(side.inhabitants, 0))}</span></dd>
          </div>
        ))}
        {found.unknown > 0 ? <div><dt>{t.scenarios.equityUnknown}</dt><dd><strong>{t.scenarios.equityAreas(found.unknown)}</strong></dd></div> : null}
      </dl>
      {shown.length > 0 ? (
        <figure className="dmi-bars">
          <figcaption className="dmi-small">{t.scenarios.equityBars}</figcaption>
          <ul>
            {shown.map((row) => (
              <li key={row.id}>
                <span>{row.name}</span>
                <span className="dmi-bars__track" aria-hidden="true">
                  <span className={(row.change ?? 0) < 0 ? 'dmi-bars__bar dmi-bars__bar--less' : 'dmi-bars__bar'} style={{ inlineSize: `${(Math.abs(row.change ?? 0) / most) * 50}%` }} />
                </span>
                <span className="dmi-numeric">{signed(row.change)}</span>
              </li>
            ))}
          </ul>
        </figure>
      ) : null}
      {found.gap_before !== null && found.gap_after !== null ? (
        <p>{t.scenarios.equityGap}: {t.scenarios.equityGapText(quantity(found.gap_before, unitOf(indicator)), quantity(found.gap_after, unitOf(indicator)))}.</p>
      ) : null}
      {hidden ? <p className="dmi-small dmi-soft">{t.scenarios.suppressedText(number(result.smallest_group))}</p> : null}
    </Section>
  );
}
