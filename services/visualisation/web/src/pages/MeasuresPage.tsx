import type { Measure } from '../api';
import { useQueryState } from '../app/router';
import { useApi } from '../app/session';
import { useNow } from '../app/useNow';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { SelectField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Loaded, Section } from '../ui/State';
import { Channels } from './measures/Channels';
import { MeasureCard } from './measures/MeasureCard';
import { PastMeasures } from './measures/PastMeasures';
import { Rules } from './measures/Rules';

export default function MeasuresPage() {
  const { t, term } = useI18n();
  const api = useApi();
  const [query, change] = useQueryState();
  const measures = useResource('measures', (signal) => api.support.measures(undefined, signal), 10_000);
  const feed = useResource('feed', (signal) => api.support.feed(signal), 10_000);
  const changed = () => {
    measures.reload();
    feed.reload();
  };
  const now = useNow().getTime();
  const asked = query.get('state') ?? '';
  const running = (m: Measure) => m.state === 'published' && new Date(m.valid_to).getTime() > now;
  const newest = (all: Measure[], fits: (m: Measure) => boolean) => all.filter(fits).sort((a, b) => b.proposed_at.localeCompare(a.proposed_at));
  const cards = (list: Measure[], title: string, text: string) =>
    list.length === 0 ? <Empty title={title}>{text}</Empty> : (
      <ul className="dmi-cards dmi-cards--wide">{list.map((m) => <MeasureCard key={m.id} measure={m} changed={changed} />)}</ul>
    );
  return (
    <Page title={t.measures.title} lead={t.measures.lead}>
      <Loaded resource={measures} height={420}>
        {(all) => {
          const past = newest(all, (m) => m.state !== 'proposed' && !running(m));
          const states = [...new Set(past.map((m) => m.state))];
          const state = states.includes(asked) ? asked : '';
          return (
            <>
              <Section title={t.measures.proposed} id="proposed">{cards(newest(all, (m) => m.state === 'proposed'), t.measures.proposedEmpty, t.measures.proposedEmptyText)}</Section>
              <Section title={t.measures.running} id="running">{cards(newest(all, running), t.measures.runningEmpty, t.measures.runningEmptyText)}</Section>
              <Section title={t.measures.past} id="past" lead={past.length > 0 ? t.measures.pastText : undefined}>
                {past.length === 0 ? <Empty title={t.measures.pastEmpty}>{t.measures.pastEmptyText}</Empty> : (
                  <>
                    {states.length > 1 ? (
                      <SelectField
                        label={t.common.state} value={state} onChange={(value) => change({ state: value || null })}
                        choices={[{ value: '', label: t.common.all }, ...states.map((value) => ({ value, label: term(value) }))]}
                      />
                    ) : null}
                    <PastMeasures key={state} measures={past.filter((m) => state === '' || m.state === state)} />
                  </>
                )}
              </Section>
            </>
          );
        }}
      </Loaded>
      <Rules />
      <Channels feed={feed} />
    </Page>
  );
}
