import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { ApiError } from '../api/problem';
import { useNames } from '../app/names';
import { isPerson, useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useFromTop } from '../app/useFromTop';
import { useI18n } from '../i18n';
import { readCoordinates } from '../map/coordinates';
import { ButtonLink } from '../ui/ButtonLink';
import { CodeExample } from '../ui/CopyButton';
import { SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError } from '../ui/problems';
import { Empty, Failure, Notice, Section, Skeleton } from '../ui/State';
import { Awaited, awaited } from './dataset/Awaited';
import { Conditions } from './intake/Conditions';
import { examples, measurable, thingOf, tokenExample } from './intake/sensor';
import { firstTerms, slugOf, useCreateDataset } from './intake/useDataset';
import { Whereabouts } from './intake/Whereabouts';

export default function PublishPage() {
  const { t } = useI18n();
  const { identity } = useSession();
  const [done, setDone] = useState<string | null>(null);
  if (isPerson(identity?.participant)) {
    return (
      <Page title={t.publish.title}>
        <Empty title={t.publish.notByPersons} action={<ButtonLink to="/my-data">{t.shell.mydata}</ButtonLink>}>{t.publish.notByPersonsText}</Empty>
      </Page>
    );
  }
  return (
    <Page title={t.publish.title} lead={t.publish.lead}>
      {done ? <Done datastream={done} again={() => setDone(null)} /> : <PublishForm onDone={setDone} />}
    </Page>
  );
}

function Done({ datastream, again }: { datastream: string; again: () => void }) {
  const { t } = useI18n();
  useFromTop();
  const { identity } = useSession();
  const { curl, python } = examples(location.origin, datastream);
  return (
    <div className="dmi-stack">
      <Notice tone="good" title={t.publish.doneTitle}>
        <p role="status">{t.publish.doneText}</p>
        <p><code>{datastream}</code></p>
      </Notice>
      <p>{t.publish.tokenNote}</p>
      {identity ? <CodeExample title={t.publish.token} code={tokenExample(location.origin, identity)} /> : null}
      <CodeExample title={t.publish.curl} code={curl} />
      <CodeExample title={t.publish.python} code={python} />
      <SecondaryActionButton onClick={again}>{t.publish.another}</SecondaryActionButton>
    </div>
  );
}

/** A number as people write it, with a comma or a point; null when it is none. */
function numberIn(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() === '' || Number.isNaN(value) ? null : value;
}

function PublishForm({ onDone }: { onDone: (datastream: string) => void }) {
  const { t, say, term, unit } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const { create, areas } = useCreateDataset();
  const [name, setName] = useState('');
  const [slug, setSlug] = useState<string | null>(null);
  const [property, setProperty] = useState('occupancy');
  const [dataset, setDataset] = useState('');
  const [title, setTitle] = useState('');
  const [place, setPlace] = useState('');
  const [capacity, setCapacity] = useState('');
  const [terms, setTerms] = useState(firstTerms);
  const [tried, setTried] = useState(false);
  const own = names.datasets.filter((one) => one.owner === identity?.participant);
  // While it is not known which there are, none is made anew.
  const unknown = names.loading || names.error !== null;
  const fresh = !unknown && (dataset === 'new' || (dataset === '' && own.length === 0));
  const shortName = slug ?? slugOf(name);
  const point = readCoordinates(place)?.point ?? null;
  const wrong = {
    name: name.trim() === '' ? t.common.required : null,
    slug: /^[a-z0-9]+(-[a-z0-9]+)*$/.test(shortName) ? null : t.publish.wrongSlug,
    dataset: !fresh && dataset === '' ? t.common.required : null,
    title: fresh && title.trim() === '' ? t.common.required : null,
    capacity: capacity.trim() === '' || (numberIn(capacity) ?? 0) > 0 ? null : t.publish.wrongCapacity,
    place: point === null ? t.publish.wrongPlace : null,
  };
  const send = useAction(async () => {
    const id = fresh ? await create(title.trim(), terms) : dataset;
    setDataset(id);
    const thing = thingOf({
      name: name.trim(), slug: shortName, dataset: id, property, unit: measurable[property] ?? '1',
      longitude: point?.[0] ?? 0, latitude: point?.[1] ?? 0, capacity: numberIn(capacity),
    });
    await api.ingest.create('Things', thing);
    onDone(`${String(thing['@iot.id'])}.${property}`);
  });
  // Nothing is taken in before the platform may process it: whoever asks then waits for the operator.
  const chosen = fresh ? '' : dataset;
  const [waits, setWaits] = useState(false);
  const agreements = useResource(chosen === '' ? null : `users ${chosen}`, async (signal) => {
    const all = await api.exchange.agreements({ dataset: chosen }, signal);
    setWaits(awaited(all, chosen, names.stack) !== null);
    return all;
  }, waits ? 5_000 : undefined);
  const waiting = awaited(agreements.data ?? [], chosen, names.stack);
  // A refusal of what waits for a signature says nothing more once that is there.
  const [passing, setPassing] = useState<ApiError | null>(null);
  if (waiting && send.error?.kind === 'refused' && send.error !== passing) setPassing(send.error);
  const show = (message: string | null) => (tried ? message : null);

  return (
    <form
      className="dmi-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.values(wrong).every((one) => one === null)) void send.run();
        else focusFirstError(event.currentTarget);
      }}
    >
      <Section title={t.publish.sensor} id="sensor">
        <TextField label={t.publish.name} help={t.publish.nameHelp} value={name} onChange={setName} error={show(wrong.name)} />
        <TextField label={t.publish.slug} help={t.publish.slugHelp} value={shortName} onChange={setSlug} error={show(wrong.slug)} />
        <SelectField label={t.publish.property} value={property} onChange={setProperty} choices={Object.keys(measurable).map((value) => ({ value, label: unit(measurable[value]) === '' ? term(value) : `${term(value)} (${unit(measurable[value])})` }))} />
        {['occupancy', 'free_spaces', 'crowd_count'].includes(property) ? (
          <TextField label={t.publish.capacity} help={t.publish.capacityHelp} inputMode="numeric" value={capacity} onChange={setCapacity} error={show(wrong.capacity)} />
        ) : null}
      </Section>
      <Section title={t.publish.place} id="place">
        <Whereabouts value={place} onChange={setPlace} error={show(wrong.place)} />
      </Section>
      <Section title={t.sources.dataset} id="set">
        {names.error ? <Failure error={names.error} retry={names.reload} /> : names.loading ? <Skeleton height={72} lines={2} /> : null}
        {own.length > 0 ? (
          <SelectField
            label={t.common.dataset} error={show(wrong.dataset)} value={dataset} onChange={setDataset} placeholder={t.common.chooseOne}
            choices={[...own.map((one) => ({ value: one.id, label: say(one.title) })), { value: 'new', label: t.sources.newDataset }]}
          />
        ) : null}
        {fresh ? (
          <>
            <TextField label={t.sources.newDatasetName} error={show(wrong.title)} value={title} onChange={setTitle} />
            <Conditions terms={terms} areas={areas} onChange={setTerms} />
          </>
        ) : null}
      </Section>
      {waiting ? <Awaited agreement={waiting} sensor /> : null}
      {send.error && send.error !== passing ? <Failure error={send.error} owner={identity?.participant} /> : null}
      <div><PrimaryActionButton type="submit" busy={send.busy} disabled={send.busy}>{t.publish.submit}</PrimaryActionButton></div>
    </form>
  );
}
