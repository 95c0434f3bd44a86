/** Corrects measurements of a person, chosen from its own rows of any day. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { OwnDataset } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { toCityInput } from '../../i18n/cityTime';
import { SelectField, TextField } from '../../ui/fields';
import { Failure } from '../../ui/State';
import { hoursOf, isPast, periodOf } from './period';
import { useWhose } from './whose';

/** Measurements to choose from; of a day with more one hour is chosen first. */
const most = 100;
/** How often and how long is asked whether the platform has carried a correction out (milliseconds, times). */
const pause = 500;
const times = 40;

/** `done`: it was asked; `corrected`: the platform shows the new value. */
export function Correct({ datasets, done, corrected }: { datasets: OwnDataset[]; done: () => void; corrected: () => void }) {
  const { t, say, term, quantity, moment, clock, unit: written } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const [dataset, setDataset] = useState('');
  const [stream, setStream] = useState('');
  const [day, setDay] = useState(() => toCityInput(Date.now()).slice(0, 10));
  const [hour, setHour] = useState('');
  const [time, setTime] = useState('');
  const [value, setValue] = useState('');
  const [tried, setTried] = useState(false);
  const now = useNow().getTime();
  const past = isPast(day, now);
  const read = (from: string) => async (signal: AbortSignal) => {
    const period = periodOf(day, from);
    return api.platform.observations(stream, period.from, signal, whose, period.to);
  };
  const streams = useResource(dataset === '' ? null : `correct ${dataset} ${whose}`, (signal) => api.platform.latest(dataset, signal, whose));
  const ofDay = useResource(stream === '' || !past ? null : `correct rows ${stream} ${whose} ${day}`, read(''));
  const many = ofDay.data !== null && (ofDay.data.next !== null || ofDay.data.items.length > most);
  const ofHour = useResource(many && hour !== '' ? `correct rows ${stream} ${whose} ${hour}` : null, read(hour));
  const rows = many ? ofHour : ofDay;
  const result = Number(value.replace(',', '.'));
  const wrong = value.trim() === '' || !Number.isFinite(result);
  const unit = streams.data?.find((one) => one.datastream === stream)?.unit ?? '';
  const correct = useAction(async () => {
    const { id } = await api.exchange.correct({ dataset, corrections: [{ datastream: stream, time, result }] }, whose);
    setTried(false);
    setTime('');
    setValue('');
    live(t.rights.correctDone);
    done();
    // The new value is read when it is there: the correction reaches the platform by the law, and its log tells so.
    for (let turn = 0; turn < times; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const asked = (await api.exchange.myRequests(whose)).find((one) => one.id === id);
      if (asked?.carried_out.some((one) => one.service === 'platform')) {
        live(t.rights.correctNow);
        break;
      }
    }
    rows.reload();
    done();
    corrected();
  });
  return (
    <details className="dmi-details">
      <summary>{t.rights.correct}</summary>
      <p>{t.rights.correctText}</p>
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (dataset && stream && time && !wrong) void correct.run();
        }}
      >
        <SelectField
          label={t.mydata.giveDataset} value={dataset} placeholder={t.common.chooseOne} error={tried && !dataset ? t.common.required : null}
          onChange={(next) => { setDataset(next); setStream(''); setTime(''); }} choices={datasets.map((one) => ({ value: one.id, label: say(one.title) }))}
        />
        <SelectField
          label={t.catalogue.properties} value={stream} placeholder={t.common.chooseOne} error={tried && !stream ? t.common.required : null}
          help={streams.data?.length === 0 ? t.rights.correctNothing : undefined}
          onChange={(next) => { setStream(next); setTime(''); }} choices={(streams.data ?? []).map((one) => ({ value: one.datastream, label: term(one.datastream.split('.').at(-1) ?? one.datastream) }))}
        />
        <TextField label={t.rights.correctDay} type="date" value={day} error={past ? null : t.rights.correctDayWrong} onChange={(next) => { setDay(next); setHour(''); setTime(''); }} />
        {many ? (
          <SelectField
            label={t.rights.correctHour} value={hour} placeholder={t.common.chooseOne} error={tried && hour === '' ? t.common.required : null}
            onChange={(next) => { setHour(next); setTime(''); }}
            choices={hoursOf(day).map((from) => ({ value: String(from), label: t.rights.correctHourOf(clock(new Date(from)), clock(new Date(from + 3_600_000))) }))}
          />
        ) : null}
        <SelectField
          label={t.rights.correctWhich} value={time} placeholder={t.common.chooseOne} error={tried && !time ? t.common.required : null}
          help={rows.data?.items.length === 0 ? t.rights.correctNone : undefined}
          onChange={setTime} choices={(rows.data?.items ?? []).toReversed().map((one) => ({ value: one.phenomenon_time, label: `${moment(one.phenomenon_time, true)}: ${quantity(one.result, unit)}` }))}
        />
        <TextField label={written(unit) ? `${t.rights.correctValue} (${written(unit)})` : t.rights.correctValue} value={value} onChange={setValue} inputMode="decimal" error={tried && wrong ? t.rights.correctNumber : null} />
        {streams.error ? <Failure error={streams.error} /> : null}
        {rows.error ? <Failure error={rows.error} /> : null}
        {correct.error ? <Failure error={correct.error} /> : null}
        <div><SecondaryActionButton type="submit" busy={correct.busy} disabled={correct.busy}>{t.rights.correctConfirm}</SecondaryActionButton></div>
      </form>
    </details>
  );
}
