import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Measure } from '../api';
import { useLive } from '../app/live';
import { useNames } from '../app/names';
import { RouteLink } from '../app/router';
import { useApi } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useNow } from '../app/useNow';
import { useI18n } from '../i18n';
import { Badge, stateTone } from '../ui/Badge';
import { ConfirmDialog } from '../ui/Dialog';
import { TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Loaded, Section, Withdrawn } from '../ui/State';

export default function MeasuresPage() {
  const { t, say, term, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const measures = useResource('measures', (signal) => api.support.measures(undefined, signal), 10_000);
  const rules = useResource('rules', (signal) => api.support.rules(signal));
  const now = useNow().getTime();
  const running = (m: Measure) => m.state === 'published' && new Date(m.valid_to).getTime() > now;
  const group = (all: Measure[], fits: (m: Measure) => boolean, empty: string) => {
    const list = all.filter(fits).sort((a, b) => b.proposed_at.localeCompare(a.proposed_at)).slice(0, 30);
    return list.length === 0 ? <p className="dmi-soft">{empty}</p> : (
      <ul className="dmi-cards">{list.map((m) => <MeasureCard key={m.id} measure={m} changed={measures.reload} />)}</ul>
    );
  };
  return (
    <Page title={t.measures.title} lead={t.measures.lead}>
      <Loaded resource={measures} height={420}>
        {(all) => (
          <>
            <Section title={t.measures.proposed} id="proposed">{group(all, (m) => m.state === 'proposed', t.measures.proposedEmpty)}</Section>
            <Section title={t.measures.running} id="running">{group(all, running, t.measures.runningEmpty)}</Section>
            <Section title={t.measures.past} id="past">{group(all, (m) => m.state !== 'proposed' && !running(m), t.measures.pastEmpty)}</Section>
          </>
        )}
      </Loaded>
      <Section title={t.measures.rules} id="rules" lead={t.measures.rulesText}>
        <Loaded resource={rules} height={120} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.measures.rulesEmpty}</p>}>
          {(all) => (
            <ul className="dmi-rows">
              {all.map((rule) => (
                <li key={rule.id}>
                  <div><p><strong>{say(rule.title) || term(rule.id)}</strong></p><p className="dmi-small dmi-soft">{say(rule.description)}</p></div>
                  <Badge tone={rule.automatic ? 'info' : 'neutral'}>
                    {rule.automatic && rule.decided_by && rule.until ? t.measures.automaticBy(names.participant(rule.decided_by), date(rule.until)) : rule.automatic ? t.measures.automatic : t.measures.byPerson}
                  </Badge>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Section>
      <Section title={t.measures.feed} id="feed" lead={t.measures.feedText}>
        <p><a className="utrecht-link utrecht-link--html-a" href="/support-centre/v1/measures/feed">{location.origin}/support-centre/v1/measures/feed</a></p>
      </Section>
    </Page>
  );
}

/** A moment as the field for a local date and time wants it. */
function localInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function MeasureCard({ measure, changed }: { measure: Measure; changed: () => void }) {
  const { t, say, term, moment, time } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const [asking, setAsking] = useState<'approve' | 'reject' | null>(null);
  const [until, setUntil] = useState(() => localInput(new Date(measure.valid_to)));
  const decide = useAction(async () => {
    if (asking === 'approve') await api.support.approve(measure.id, new Date(until).toISOString().replace(/\.\d+Z$/, 'Z'));
    else await api.support.reject(measure.id);
    live(asking === 'approve' ? t.measures.approved : t.measures.rejectedDone);
    setAsking(null);
    changed();
  });
  const properties = measure.properties ?? {};
  const place = typeof properties['place_name'] === 'string' ? properties['place_name'] : null;
  const effect = properties['effect'] ?? measure.look_back;
  const open = measure.state === 'proposed';

  return (
    <li className="dmi-card">
      <p className="dmi-badges"><Badge tone={stateTone(measure.state)}>{term(measure.state)}</Badge><span className="dmi-small dmi-soft">{moment(measure.proposed_at)}</span></p>
      <h3 className="utrecht-heading-3">{say(measure.title)}</h3>
      {measure.state === 'withdrawn' ? <Withdrawn /> : null}
      <p>{say(measure.advice)}</p>
      <dl className="dmi-facts">
        {place ? (<><dt>{t.common.place}</dt><dd>{place}</dd></>) : null}
        {measure.audience ? (<><dt>{t.measures.audience}</dt><dd>{say(measure.audience)}</dd></>) : null}
        <dt>{t.measures.valid}</dt><dd>{t.measures.fromTo(moment(measure.valid_from), time(measure.valid_to))}</dd>
        {!open && measure.state === 'expired' ? (<><dt>{t.measures.effect}</dt><dd>{effect ? effectWords(effect, say) : t.measures.effectNone}</dd></>) : null}
      </dl>
      {measure.decided_by ? <p className="dmi-small dmi-soft">{t.measures.decidedBy(names.participant(measure.decided_by), moment(measure.decided_at))}</p> : null}
      <p className="dmi-small"><RouteLink to={`/lineage/${encodeURIComponent(measure.id)}`}>{t.lineage.show}</RouteLink></p>
      {open ? (
        <div className="dmi-actions">
          <PrimaryActionButton onClick={() => setAsking('approve')}>{t.measures.approve}</PrimaryActionButton>
          <SecondaryActionButton onClick={() => setAsking('reject')}>{t.measures.reject}</SecondaryActionButton>
        </div>
      ) : null}
      <ConfirmDialog
        open={asking !== null} busy={decide.busy} error={decide.error} danger={asking === 'reject'}
        title={asking === 'reject' ? t.measures.rejectTitle : t.measures.approveTitle}
        confirm={asking === 'reject' ? t.measures.reject : t.measures.approveConfirm}
        onClose={() => setAsking(null)} onConfirm={() => void decide.run()}
      >
        <p><strong>{say(measure.advice)}</strong></p>
        <p>{asking === 'reject' ? t.measures.rejectText : t.measures.approveText(place ?? say(measure.title))}</p>
        {asking === 'approve' ? <TextField type="datetime-local" label={t.measures.until} value={until} onChange={setUntil} /> : null}
      </ConfirmDialog>
    </li>
  );
}

/** The looked-back effect, in the words of the service or as its figures. */
function effectWords(effect: unknown, say: ReturnType<typeof useI18n>['say']): string {
  if (typeof effect === 'string') return effect;
  if (effect !== null && typeof effect === 'object') {
    if ('nl' in effect || 'en' in effect) return say(effect as { nl?: string; en?: string });
    return Object.entries(effect).map(([key, value]) => `${key.replaceAll('_', ' ')}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`).join(', ');
  }
  return String(effect);
}
