/** Corrects the newest measurements of a person, chosen from its own rows. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { OwnDataset } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { SelectField, TextField } from '../../ui/fields';
import { Failure } from '../../ui/State';
import { useWhose } from './whose';

const day = 86_400_000;
/** Measurements to choose from. */
const most = 100;

export function Correct({ datasets, done }: { datasets: OwnDataset[]; done: () => void }) {
  const { t, say, term, quantity, moment } = useI18n();
  const api = useApi();
  const whose = useWhose();
  const live = useLive();
  const [dataset, setDataset] = useState('');
  const [stream, setStream] = useState('');
  const [time, setTime] = useState('');
  const [value, setValue] = useState('');
  const [tried, setTried] = useState(false);
  const streams = useResource(dataset === '' ? null : `correct ${dataset} ${whose}`, (signal) => api.platform.latest(dataset, signal, whose));
  const rows = useResource(stream === '' ? null : `correct rows ${stream} ${whose}`, async (signal) =>
    (await api.platform.observations(stream, new Date(Date.now() - day), signal, whose)).items.slice(-most).reverse());
  const result = Number(value.replace(',', '.'));
  const wrong = value.trim() === '' || !Number.isFinite(result);
  const unit = streams.data?.find((one) => one.datastream === stream)?.unit ?? '';
  const correct = useAction(async () => {
    await api.exchange.correct({ dataset, corrections: [{ datastream: stream, time, result }] }, whose);
    setTried(false);
    setTime('');
    setValue('');
    live(t.rights.correctDone);
    rows.reload();
    done();
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
          onChange={(next) => { setStream(next); setTime(''); }} choices={(streams.data ?? []).map((one) => ({ value: one.datastream, label: term(one.datastream.split('.').at(-1) ?? one.datastream) }))}
        />
        <SelectField
          label={t.rights.correctWhich} value={time} placeholder={t.common.chooseOne} error={tried && !time ? t.common.required : null}
          onChange={setTime} choices={(rows.data ?? []).map((one) => ({ value: one.phenomenon_time, label: `${moment(one.phenomenon_time, true)}: ${quantity(one.result, unit)}` }))}
        />
        <TextField label={unit ? `${t.rights.correctValue} (${unit})` : t.rights.correctValue} value={value} onChange={setValue} inputMode="decimal" error={tried && wrong ? t.rights.correctNumber : null} />
        {streams.error ? <Failure error={streams.error} /> : null}
        {rows.error ? <Failure error={rows.error} /> : null}
        {correct.error ? <Failure error={correct.error} /> : null}
        <div><SecondaryActionButton type="submit" busy={correct.busy} disabled={correct.busy}>{t.rights.correctConfirm}</SecondaryActionButton></div>
      </form>
    </details>
  );
}
