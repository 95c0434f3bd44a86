import { useMemo } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, Forecast, ForecastScore } from '../api';
import { useLive } from '../app/live';
import { RouteLink, useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { TimeChart } from '../chart/TimeChart';
import { useI18n } from '../i18n';
import { Badge, type BadgeTone } from '../ui/Badge';
import { outline } from '../rights/words';
import { DataTable } from '../ui/DataTable';
import { SelectField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Section, Withdrawn } from '../ui/State';

/** The newest issue of each place, in order of the moment it is for. */
export function newestIssues(all: Forecast[]): Map<string, Forecast[]> {
  const places = new Map<string, Forecast[]>();
  for (const one of all) places.set(one.place, [...(places.get(one.place) ?? []), one]);
  for (const [place, list] of places) {
    const newest = list.map((one) => one.issued_at).sort().at(-1);
    places.set(place, list.filter((one) => one.issued_at === newest).sort((a, b) => a.valid_at.localeCompare(b.valid_at)));
  }
  return places;
}

/** The datasets to make forecasts of anew when no forecast stands any more; none while one does, or before there was one. */
export function fallenDatasets(all: Forecast[]): string[] {
  if (all.some((one) => !one.withdrawn)) return [];
  return [...new Set(all.flatMap((one) => one.grounds?.datasets ?? []))].sort();
}

/** Whether an agreement that runs allows to make forecasts. */
export function mayForecast(agreements: Agreement[]): boolean {
  return agreements.some((one) => one.state === 'active' && outline(one.document).actions.includes('dmi:analyse'));
}

export default function ForecastsPage() {
  const { t } = useI18n();
  const api = useApi();
  const live = useLive();
  const forecasts = useResource('forecasts', (signal) => api.support.forecasts(undefined, signal), 30_000);
  const fallen = fallenDatasets(forecasts.data ?? []);
  const anew = useResource(
    fallen.length > 0 ? `anew ${fallen.join(' ')}` : null,
    async (signal) => (await Promise.all(fallen.map((dataset) => api.exchange.agreements({ state: 'active', dataset }, signal)))).flat(),
    30_000,
  );
  const useful = forecasts.data !== null && (fallen.length === 0 || mayForecast(anew.data ?? []));
  const recompute = useAction(async () => {
    await api.support.recompute();
    live(t.forecasts.recomputed);
    forecasts.reload();
  });
  return (
    <Page
      title={t.forecasts.title} lead={t.forecasts.lead}
      actions={useful ? <SecondaryActionButton busy={recompute.busy} disabled={recompute.busy} onClick={() => void recompute.run()}>{t.forecasts.recompute}</SecondaryActionButton> : null}
    >
      {recompute.error ? <Failure error={recompute.error} /> : null}
      <Loaded resource={forecasts} height={420} isEmpty={(all) => all.length === 0} empty={<Empty title={t.forecasts.empty}>{t.forecasts.emptyText}</Empty>}>
        {(all) => <Places all={all} />}
      </Loaded>
      <Crowding />
    </Page>
  );
}

function Places({ all }: { all: Forecast[] }) {
  const { t, moment } = useI18n();
  const [query, change] = useQueryState();
  const places = useMemo(() => newestIssues(all), [all]);
  const asked = query.get('place') ?? '';
  // A link may name a place that has no forecast now; then the first one is shown, and its name with it.
  const place = places.has(asked) ? asked : ([...places.keys()][0] ?? '');
  const list = places.get(place) ?? [];
  const first = list[0];
  return (
    <>
      <SelectField
        label={t.forecasts.choosePlace} value={place} onChange={(value) => change({ place: value })}
        choices={[...places].map(([value, [one]]) => ({ value, label: one?.name ?? value }))}
      />
      {first?.withdrawn ? (
        <Withdrawn withdrawal={first.withdrawal} action={<p><RouteLink to={`/lineage/${encodeURIComponent(first.result)}`}>{t.lineage.show}</RouteLink></p>} />
      ) : first ? (
        <>
          <TimeChart
            title={t.forecasts.chart(first.name)} unit={first.unit} height={300} reference={first.capacity}
            names={{ value: t.forecasts.middle, low: t.forecasts.low, high: t.forecasts.high, band: t.forecasts.interval, reference: t.forecasts.capacityLine }}
            rows={list.map((one) => ({ at: new Date(one.valid_at).getTime(), value: one.p50, low: one.p10, high: one.p90 }))}
          />
          <p className="dmi-small dmi-soft">
            {t.forecasts.issued(moment(first.issued_at))}. <RouteLink to={`/lineage/${encodeURIComponent(first.result)}`}>{t.lineage.show}</RouteLink>
          </p>
          <Scores place={place} unit={first.unit} />
        </>
      ) : null}
    </>
  );
}

/** How far off the forecasts of one place were, in the unit of what is forecast, by how far ahead they looked. */
export function Scores({ place, unit }: { place: string; unit: string }) {
  const { t, number, fixed, percent, unit: unitWords } = useI18n();
  const api = useApi();
  const scores = useResource('scores', (signal) => api.support.scores(signal), 60_000);
  const inUnit = (head: string) => (unitWords(unit) === '' ? head : `${head} (${unitWords(unit)})`);
  const best = (s: ForecastScore) =>
    s.mae !== null && s.mae_persistence !== null && s.mae_last_week !== null && s.mae < s.mae_persistence && s.mae < s.mae_last_week;
  return (
    <Section title={t.forecasts.scores} id="scores" lead={t.forecasts.scoresText}>
      <Loaded resource={scores} height={240} isEmpty={(all) => all.every((s) => s.place !== place)} empty={<p className="dmi-soft">{t.forecasts.scoresEmpty}</p>}>
        {(all) => (
          <DataTable
            caption={t.forecasts.scores} captionHidden rows={all.filter((s) => s.place === place)} rowKey={(s) => String(s.horizon_min)} initialSort={{ key: 'horizon' }}
            columns={[
              { key: 'horizon', head: t.forecasts.horizon, numeric: true, sort: (s) => s.horizon_min, cell: (s) => t.forecasts.minutes(number(s.horizon_min)) },
              { key: 'mae', head: inUnit(t.forecasts.mae), numeric: true, sort: (s) => s.mae, cell: (s) => fixed(s.mae, 1) },
              { key: 'persistence', head: inUnit(t.forecasts.persistence), numeric: true, sort: (s) => s.mae_persistence, cell: (s) => fixed(s.mae_persistence, 1) },
              { key: 'lastWeek', head: inUnit(t.forecasts.lastWeek), numeric: true, sort: (s) => s.mae_last_week, cell: (s) => fixed(s.mae_last_week, 1) },
              { key: 'coverage', head: t.forecasts.coverage, numeric: true, sort: (s) => s.coverage, cell: (s) => percent(s.coverage) },
              { key: 'count', head: t.forecasts.count, numeric: true, sort: (s) => s.count, cell: (s) => number(s.count) },
              { key: 'better', head: t.common.state, cell: (s) => <Badge tone={best(s) ? 'good' : 'warn'}>{best(s) ? t.forecasts.better : t.forecasts.worse}</Badge> },
            ]}
          />
        )}
      </Loaded>
      <p className="dmi-small dmi-soft">{t.forecasts.coverage}: {t.forecasts.coverageHelp}</p>
    </Section>
  );
}

/** A tick for what is calm alone; each level says in a word how crowded it is, as its letter and colour do not. */
const levelTones: Record<string, BadgeTone> = { A: 'good', B: 'good', C: 'info', D: 'warn', E: 'bad', F: 'bad' };

export function Level({ level }: { level: string | null }) {
  const { t } = useI18n();
  if (level === null) return <Badge>{t.common.noData}</Badge>;
  const word = (t.forecasts.levels as Record<string, string>)[level];
  return <Badge tone={levelTones[level]}>{word ? `${level}: ${word}` : level}</Badge>;
}

function Crowding() {
  const { t, quantity, moment, number } = useI18n();
  const api = useApi();
  const crowd = useResource('crowd', (signal) => api.support.crowd(signal), 30_000);
  return (
    <Section title={t.forecasts.crowd} id="crowd" lead={t.forecasts.levelText}>
      <Loaded resource={crowd} height={160} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.forecasts.crowdEmpty}</p>}>
        {(all) => (
          <DataTable
            caption={t.forecasts.crowd} captionHidden rows={all} rowKey={(c) => c.place} initialSort={{ key: 'level', descending: true }} pageSize={15} search={all.length > 15 ? (c) => c.name : undefined}
            columns={[
              { key: 'name', head: t.common.place, sort: (c) => c.name, cell: (c) => c.name },
              { key: 'level', head: t.forecasts.level, sort: (c) => c.level, cell: (c) => <Level level={c.level} /> },
              { key: 'flow', head: t.forecasts.flow, numeric: true, sort: (c) => c.flow, cell: (c) => quantity(c.flow, '{person}/min') },
              { key: 'width', head: t.forecasts.width, numeric: true, sort: (c) => c.effective_width, cell: (c) => quantity(c.effective_width, 'm') },
              { key: 'capacity', head: t.map.capacity, numeric: true, sort: (c) => c.capacity, cell: (c) => number(c.capacity) },
              { key: 'at', head: t.map.when, sort: (c) => c.at, cell: (c) => moment(c.at) },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
