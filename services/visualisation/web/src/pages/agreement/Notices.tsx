/** What persons asked for data that this participant received, and its answer, which the person reads. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { SubjectNotice } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useHeld } from '../../app/useHeld';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { RadioGroup, TextField } from '../../ui/fields';
import { Failure, Section } from '../../ui/State';

/** Nothing at all where nothing waits for an answer. */
export function Notices() {
  const { t } = useI18n();
  const api = useApi();
  const open = useResource('open notices', (signal) => api.exchange.notices(signal), 15_000);
  useHeld(open.data?.length ?? null);
  if (!open.data?.length) return null;
  return (
    <Section title={t.notices.title} id="notices" lead={t.notices.lead}>
      <ul className="dmi-cards">{open.data.map((one) => <Card key={one.id} notice={one} changed={open.reload} />)}</ul>
    </Section>
  );
}

function Card({ notice, changed }: { notice: SubjectNotice; changed: () => void }) {
  const { t, term, moment, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const live = useLive();
  const [outcome, setOutcome] = useState('');
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  // Who may not know the person gets no name of it: then the id leads to nobody.
  const name = notice.named ? names.participants.find((one) => one.id === notice.person)?.name : undefined;
  const why = outcome === 'kept' && text.trim() === '';
  const send = useAction(async () => {
    await api.exchange.answerNotice(notice.id, outcome, text);
    live(t.notices.sent);
    changed();
  });
  return (
    <li className="dmi-card">
      <h3 className="utrecht-heading-3">{t.notices.kinds[notice.right]}: {names.dataset(notice.dataset)}</h3>
      <p>{t.notices.asks[notice.state === 'ended' && notice.right === 'objection' ? 'objectionEnded' : notice.right]}</p>
      <dl className="dmi-facts">
        <dt>{notice.named ? t.notices.person : t.notices.alias}</dt>
        <dd>{name ? <>{name}<br /><span className="dmi-small dmi-soft">{notice.person}</span></> : notice.person}{notice.named ? null : <><br /><span className="dmi-small dmi-soft">{t.notices.aliasHelp}</span></>}</dd>
        {notice.given.length > 0 ? (
          <>
            <dt>{t.notices.given}</dt>
            <dd>{notice.given.map((one) => <div key={`${one.action} ${one.purpose}`}>{t.notices.givenBetween(term(one.action), number(one.times), moment(one.first), moment(one.last))} <span className="dmi-small dmi-soft">{names.purpose(one.purpose)}</span></div>)}</dd>
          </>
        ) : null}
        {notice.until ? <><dt>{t.notices.until}</dt><dd>{moment(notice.until)}</dd></> : null}
        <dt>{t.notices.when}</dt><dd>{moment(notice.made_at)}</dd>
      </dl>
      {notice.corrections.length > 0 ? (
        <ul>{notice.corrections.map((one) => <li key={`${one.datastream} ${one.time}`}>{t.notices.correction(one.datastream, moment(one.time), one.result === null ? t.notices.noValue : number(one.result, 3))}</li>)}</ul>
      ) : null}
      <form className="dmi-form" noValidate onSubmit={(event) => { event.preventDefault(); setTried(true); if (outcome !== '' && !why && !send.busy) void send.run(); }}>
        <RadioGroup
          inline label={t.notices.outcome} name={notice.id} value={outcome} onChange={setOutcome} error={tried && outcome === '' ? t.common.chooseOne : null}
          choices={[{ value: 'done', label: t.notices.done }, { value: 'kept', label: t.notices.keep }]}
        />
        <TextField label={t.notices.text} value={text} onChange={setText} error={tried && why ? t.notices.why : null} />
        {send.error ? <Failure error={send.error} /> : null}
        <div><SecondaryActionButton type="submit" busy={send.busy} aria-disabled={send.busy ? true : undefined}>{t.notices.send}</SecondaryActionButton></div>
      </form>
    </li>
  );
}
