/** The rights of a person over its data: take all along, stop, correct, erase, object; and what came of it. */
import { useEffect, useRef, useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, OwnDataset, SubjectRequest } from '../../api';
import { useLive } from '../../app/live';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { outline, recipientsOf } from '../../rights/words';
import { Badge } from '../../ui/Badge';
import { ConfirmDialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/fields';
import { Failure, Loaded, Section } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { Correct } from './Correct';
import { doneBy } from './done';
import { Told } from './Told';
import { useWhose } from './whose';
import { zipped } from './zip';

/** How long layers are waited for with attention, in milliseconds. */
const soon = 60_000;

/** How many layers told that they carried something out: with each, what is kept of the person is another. */
function carriedOut(requests: SubjectRequest[]): number {
  return requests.reduce((sum, one) => sum + one.carried_out.length, 0);
}

/** `purposes`: those that the person consents to now; `stopped`: the consents that it took back. */
export function Rights({ purposes, stopped, changed, corrected }: { purposes: string[]; stopped: Agreement[]; changed: () => void; corrected: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const { identity } = useSession();
  const whose = useWhose();
  const known = useResource(`my datasets ${whose}`, (signal) => api.exchange.myDatasets(whose, signal));
  // Soon after something was asked, layers carry it out one by one: then it is looked at more often.
  const [fresh, setFresh] = useState(false);
  const asked = useResource(`my requests ${whose}`, async (signal) => {
    const all = await api.exchange.myRequests(whose, signal);
    setFresh(all.some((one) => Date.now() - Date.parse(one.made_at) < soon));
    return all;
  }, fresh ? 2_000 : 10_000);
  const carried = asked.data && carriedOut(asked.data);
  const shown = useRef<number | null>(null);
  useEffect(() => {
    if (shown.current !== null && carried !== null && carried !== shown.current) corrected();
    shown.current = carried ?? shown.current;
  }, [carried, corrected]);
  const done = () => {
    asked.reload();
    changed();
  };
  return (
    <Section title={t.rights.title} id="rights" lead={t.rights.lead}>
      <Loaded resource={known} height={320}>
        {(datasets) => (
          <div className="dmi-stack">
            <TakeAll datasets={datasets} />
            <Stop purposes={purposes} done={done} />
            <Correct datasets={datasets} done={done} corrected={corrected} />
            <ObjectTo datasets={datasets.filter((one) => !one.needs_consent)} done={done} />
            <Erase datasets={datasets} done={done} />
            {identity?.onPaper ? null : <Letter />}
          </div>
        )}
      </Loaded>
      <h3 className="utrecht-heading-3">{t.rights.asked}</h3>
      <Loaded resource={asked} height={80} isEmpty={(all) => all.length + stopped.length === 0} empty={<p className="dmi-soft">{t.rights.askedNone}</p>}>
        {(all) => (
          <ul className="dmi-cards">
            {[
              ...all.map((one) => ({ at: one.made_at, card: <Asked key={one.id} request={one} done={done} /> })),
              ...stopped.map((one) => ({ at: one.ended_at ?? '', card: <Stopped key={one.id} consent={one} /> })),
            ].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).map((one) => one.card)}
          </ul>
        )}
      </Loaded>
      <h3 className="utrecht-heading-3">{t.notices.told}</h3>
      <p>{t.notices.toldText}</p>
      <Told />
    </Section>
  );
}

function TakeAll({ datasets }: { datasets: OwnDataset[] }) {
  const { t } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const save = useAction(async () => {
    const files = [{ name: 'my-data.json', content: await api.exchange.myCopy(whose) }];
    for (const one of datasets) {
      const rows = await api.platform.export(one.id, 'csv', whose);
      files.push({ name: `${one.id.split(':').slice(3).join('-')}.zip`, content: await rows.arrayBuffer() });
    }
    saveBlob(zipped(files), t.rights.allFile);
    live(t.rights.allDone);
  });
  return (
    <details className="dmi-details">
      <summary>{t.rights.all}</summary>
      <p>{t.rights.allText}</p>
      <div className="dmi-actions"><SecondaryActionButton busy={save.busy} disabled={save.busy} onClick={() => void save.run()}>{t.rights.allConfirm}</SecondaryActionButton></div>
      {save.error ? <Failure error={save.error} /> : null}
    </details>
  );
}

function Letter() {
  const { t, language } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const make = useAction(async () => {
    saveBlob(await api.exchange.myLetter(language, whose), t.rights.letterFile);
    live(t.rights.letterDone);
  });
  return (
    <details className="dmi-details">
      <summary>{t.rights.letter}</summary>
      <p>{t.rights.letterText}</p>
      <div className="dmi-actions"><SecondaryActionButton busy={make.busy} disabled={make.busy} onClick={() => void make.run()}>{t.rights.letterConfirm}</SecondaryActionButton></div>
      {make.error ? <Failure error={make.error} /> : null}
    </details>
  );
}

function Stop({ purposes, done }: { purposes: string[]; done: () => void }) {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const [purpose, setPurpose] = useState('');
  const [asking, setAsking] = useState(false);
  const stop = useAction(async () => {
    const ended = await api.exchange.stopAll(purpose, whose);
    setAsking(false);
    setPurpose('');
    live(t.rights.stopDone(ended.length));
    done();
  });
  if (purposes.length === 0) return null;
  return (
    <details className="dmi-details">
      <summary>{t.rights.stop}</summary>
      <div className="dmi-form">
        <SelectField label={t.rights.stopWhat} value={purpose} onChange={setPurpose} placeholder={t.rights.stopEvery} choices={purposes.map((value) => ({ value, label: names.purpose(value) }))} />
        <div className="dmi-actions"><SecondaryActionButton hint="danger" onClick={() => setAsking(true)}>{t.rights.stopButton}</SecondaryActionButton></div>
      </div>
      <ConfirmDialog open={asking} danger title={t.rights.stopTitle} confirm={t.rights.stopConfirm} busy={stop.busy} error={stop.error} onClose={() => setAsking(false)} onConfirm={() => void stop.run()}>
        <p>{purpose === '' ? t.rights.stopAllText : t.rights.stopText(names.purpose(purpose))}</p>
      </ConfirmDialog>
    </details>
  );
}

function Erase({ datasets, done }: { datasets: OwnDataset[]; done: () => void }) {
  const { t, say } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const [dataset, setDataset] = useState('');
  const [asking, setAsking] = useState(false);
  const erase = useAction(async () => {
    await api.exchange.erase(dataset, whose);
    setAsking(false);
    live(t.rights.eraseDone);
    done();
  });
  const chosen = datasets.find((one) => one.id === dataset);
  return (
    <details className="dmi-details">
      <summary>{t.rights.erase}</summary>
      <div className="dmi-form">
        <p>{t.rights.eraseText}</p>
        <SelectField label={t.rights.eraseWhat} value={dataset} onChange={setDataset} placeholder={t.rights.eraseEvery} choices={datasets.map((one) => ({ value: one.id, label: say(one.title) }))} />
        <div className="dmi-actions"><SecondaryActionButton hint="danger" onClick={() => setAsking(true)}>{t.rights.eraseButton}</SecondaryActionButton></div>
      </div>
      <ConfirmDialog open={asking} danger title={t.rights.eraseTitle} confirm={t.rights.eraseConfirm} busy={erase.busy} error={erase.error} onClose={() => setAsking(false)} onConfirm={() => void erase.run()}>
        <p>{t.rights.eraseAbout(chosen ? say(chosen.title) : t.rights.eraseEvery)}</p>
        <p>{t.rights.eraseFinal}</p>
      </ConfirmDialog>
    </details>
  );
}

function ObjectTo({ datasets, done }: { datasets: OwnDataset[]; done: () => void }) {
  const { t, say } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const [dataset, setDataset] = useState('');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const object = useAction(async () => {
    await api.exchange.objectTo({ dataset, reason }, whose);
    setTried(false);
    setDataset('');
    setReason('');
    live(t.rights.objectDone);
    done();
  });
  return (
    <details className="dmi-details">
      <summary>{t.rights.object}</summary>
      <p>{t.rights.objectText}</p>
      {datasets.length === 0 ? <p className="dmi-soft">{t.rights.objectNone}</p> : (
        <form className="dmi-form" noValidate onSubmit={(event) => { event.preventDefault(); setTried(true); if (dataset) void object.run(); }}>
          <SelectField label={t.mydata.giveDataset} value={dataset} onChange={setDataset} placeholder={t.common.chooseOne} error={tried && !dataset ? t.common.required : null} choices={datasets.map((one) => ({ value: one.id, label: say(one.title) }))} />
          <TextField label={t.rights.reason} value={reason} onChange={setReason} />
          {object.error ? <Failure error={object.error} /> : null}
          <div><SecondaryActionButton type="submit" busy={object.busy} disabled={object.busy}>{t.rights.objectConfirm}</SecondaryActionButton></div>
        </form>
      )}
    </details>
  );
}

/** A consent that was taken back: what the person asked with Stop. */
function Stopped({ consent }: { consent: Agreement }) {
  const { t, moment } = useI18n();
  const names = useNames();
  const purposes = outline(consent.document).purposes.map((one) => names.purpose(one)).join(', ');
  const named = recipientsOf(consent.document);
  const who = (named.length > 0 ? named : [consent.assignee]).map((one) => names.participant(one)).join(', ');
  return (
    <li className="dmi-card">
      <p className="dmi-badges"><Badge tone="good">{t.rights.stopDoneBadge}</Badge></p>
      <h4 className="utrecht-heading-4">{t.rights.stopped(purposes, consent.datasets.map((one) => names.dataset(one)).join(', '), who)}</h4>
      <p className="dmi-small dmi-soft">{t.rights.askedOn(moment(consent.ended_at, true))}</p>
    </li>
  );
}

function stateOf({ state, right, carried_out }: SubjectRequest, t: Messages): string {
  if (state === 'ended') return t.rights.ended;
  if (right === 'objection') return t.rights.holds;
  return carried_out.length === 0 ? t.rights.underWay : t.rights.carriedOut(carried_out.length);
}

function Asked({ request, done }: { request: SubjectRequest; done: () => void }) {
  const i18n = useI18n();
  const { t, moment } = i18n;
  const names = useNames();
  const api = useApi();
  const back = useAction(async () => {
    await api.exchange.endRequest(request.id);
    done();
  });
  const runs = request.right === 'objection' && request.state === 'active';
  return (
    <li className="dmi-card">
      <p className="dmi-badges"><Badge tone={request.state === 'ended' ? 'neutral' : 'good'}>{stateOf(request, t)}</Badge></p>
      <h4 className="utrecht-heading-4">{t.rights.kinds[request.right]}: {names.dataset(request.dataset)}</h4>
      <p className="dmi-small dmi-soft">{t.rights.askedOn(moment(request.made_at, true))}</p>
      {request.carried_out.length > 0 ? (
        <ul className="dmi-edits">{request.carried_out.map((one) => <li key={one.service}>{doneBy(one, request.right, i18n)}</li>)}</ul>
      ) : null}
      {request.end_reason ? <p>{t.rights.overruled(names.participant(request.ended_by), request.end_reason)}</p> : null}
      {runs ? <div className="dmi-actions"><SecondaryActionButton busy={back.busy} disabled={back.busy} onClick={() => void back.run()} aria-label={`${t.rights.takeBack}: ${names.dataset(request.dataset)}`}>{t.rights.takeBack}</SecondaryActionButton></div> : null}
      {back.error ? <Failure error={back.error} /> : null}
    </li>
  );
}
