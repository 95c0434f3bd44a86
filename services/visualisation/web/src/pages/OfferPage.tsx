import { useEffect, useRef, useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Template } from '../api';
import { useNames } from '../app/names';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useFromTop } from '../app/useFromTop';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { toCityInput } from '../i18n/cityTime';
import { ButtonLink } from '../ui/ButtonLink';
import { RadioGroup } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError } from '../ui/problems';
import { Failure, Loaded, Notice, Section, Skeleton } from '../ui/State';
import { areaNames, datasetId, spatialOf } from './intake/useDataset';
import { enter, type Begun } from './offer/entering';
import { Entry } from './offer/Entry';
import { entryOf, keptFor, nothingTold, platformAgreement, wrongEntry, type Told } from './offer/told';
import { brokenAt, judgedEntry, renamed, useJudged } from './offer/judged';
import { filledFor, isForEveryone, offerable, parametersOf, questions, wrongIn, type Filled } from './offer/parameters';
import { Platform } from './offer/Platform';
import { Preview } from './offer/Preview';
import { Questions } from './offer/Questions';

interface Offered {
  dataset: string;
  everyone: boolean;
}

export default function OfferPage() {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const [offered, setOffered] = useState<Offered | null>(null);
  const rulebook = useResource('rulebook', (signal) => api.exchange.rulebook(signal));
  return (
    <Page title={t.offer.title} lead={t.offer.lead}>
      {offered ? <Done offered={offered} again={() => setOffered(null)} />
        : names.error ? <Failure error={names.error} retry={names.reload} />
        : names.loading ? <Skeleton height={480} />
        : <Loaded resource={rulebook} height={480}>{(book) => <OfferForm templates={offerable(book.templates ?? [])} onDone={setOffered} />}</Loaded>}
    </Page>
  );
}

function Done({ offered, again }: { offered: Offered; again: () => void }) {
  const { t } = useI18n();
  useFromTop();
  return (
    <div className="dmi-stack">
      <Notice tone="good" title={t.offer.done}><p role="status">{offered.everyone ? t.offer.doneEveryone : t.offer.doneOffer}</p></Notice>
      <div className="dmi-actions">
        <ButtonLink to={`/catalogue/${offered.dataset}`} primary>{t.offer.toEntry}</ButtonLink>
        <ButtonLink to="/publish">{t.offer.addSensor}</ButtonLink>
        <SecondaryActionButton onClick={again}>{t.offer.another}</SecondaryActionButton>
      </div>
    </div>
  );
}

function OfferForm({ templates, onDone }: { templates: Template[]; onDone: (offered: Offered) => void }) {
  const { t, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const [told, setTold] = useState<Told>(nothingTold);
  const [chosen, setChosen] = useState('dmi:template:sensor-data');
  const [filled, setFilled] = useState<Filled>({ lists: { actions: ['dmi:read'] }, texts: {} });
  const [tried, setTried] = useState(false);
  const [today] = useState(() => toCityInput(Date.now()).slice(0, 10));
  const nextYear = new Date(Date.parse(today) + 365 * 86_400_000).toISOString().slice(0, 10);
  // How far it came, when a later step failed and is tried again.
  const [begun, setBegun] = useState<Begun | null>(null);
  const owner = identity?.participant ?? '';
  const template = templates.find((one) => one.id === chosen) ?? templates[0];
  const everyone = template !== undefined && isForEveryone(template);
  const id = begun?.id ?? datasetId(owner, told.name);
  const taken = names.datasets.map((one) => one.id).filter((one) => one !== begun?.id);
  const wrong = wrongEntry(told, owner, taken, everyone);
  const wrongAnswers = template ? wrongIn(template, filled, today) : {};
  const fits = template !== undefined && Object.keys(wrongAnswers).length === 0;
  const parameters = fits ? parametersOf(template, filled, (area) => spatialOf(background.data, area)) : null;
  const platform = platformAgreement(told, id, owner, keptFor(template, filled, nextYear), names.rulebook?.version ?? '1.0.0', names.stack);
  const title = told.name.trim() || t.common.dataset;
  const entry = entryOf(told, id, spatialOf(background.data, told.area));
  // Judged under an id of no name, so that other words ask for no other verdict.
  const unnamed = datasetId(owner, 'nieuw');
  const judged = useJudged(parameters && template ? {
    template, parameters: filledFor(template, parameters, owner, unnamed), platform: renamed(platform, id, unnamed), entry: judgedEntry(entry, unnamed),
  } : null);
  const broken = brokenAt(judged.verdicts.data ?? [], template ? questions(template).map((one) => one.name) : []);
  const allowed = judged.verdicts.data?.every((one) => one.passes) ?? true;
  const send = useAction(async () => {
    if (!template || !parameters) return;
    const wanted = { entry, agreements: [platform], changed: t.offer.changedMeanwhile };
    const entered = await enter(api.exchange, wanted, begun, setBegun);
    if (everyone) {
      const open = await api.exchange.draft(template.id, filledFor(template, parameters, owner, id));
      await enter(api.exchange, { ...wanted, agreements: [platform, open] }, entered, setBegun);
    } else await api.exchange.offer({ dataset: id, template: template.id, parameters });
    names.reload();
    onDone({ dataset: id, everyone });
  });
  // Pressed before the verdict came: then it is pressed once more when that is there.
  const form = useRef<HTMLFormElement>(null);
  const [pressed, setPressed] = useState(false);
  useEffect(() => {
    if (pressed && !judged.waiting) form.current?.requestSubmit();
  }, [pressed, judged.waiting]);
  // What was refused is another thing once it is changed.
  const changing = <T,>(set: (value: T) => void) => (value: T) => {
    send.clear();
    setPressed(false);
    set(value);
  };
  return (
    <form
      className="dmi-form" noValidate ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        const whole = Object.keys(wrong).length === 0 && parameters !== null;
        setPressed(whole && judged.waiting);
        if (whole && judged.waiting) return;
        if (whole && allowed) void send.run();
        else focusFirstError(event.currentTarget);
      }}
    >
      <Entry told={told} onChange={changing(setTold)} broken={broken.entry} areas={areaNames(background.data)} wrong={tried ? wrong : {}} />
      <Section title={t.offer.conditions} id="conditions" lead={t.offer.conditionsLead}>
        <div className="dmi-form">
          <RadioGroup
            label={t.offer.template} name="template" value={template?.id ?? ''} onChange={changing(setChosen)} error={broken.conditions['template']?.map((one) => say(one.explanation)).join(' ')}
            choices={templates.map((one) => ({ value: one.id, label: say(one.label), help: say(one.description) }))}
          />
          {template ? <Questions template={template} filled={filled} areas={areaNames(background.data)} wrong={tried ? wrongAnswers : {}} broken={broken.conditions} onChange={changing(setFilled)} /> : null}
        </div>
      </Section>
      <Section title={t.offer.preview} id="preview">
        {parameters
          ? <Preview judged={judged} about={{ title, unnamed, id: told.name.trim() === '' ? unnamed : id }} refused={send.error !== null} />
          : <p className="dmi-soft">{t.offer.previewLater}</p>}
        <Platform proposal={platform} title={title} />
      </Section>
      {send.error ? <Failure error={send.error} /> : null}
      {send.error && begun ? <Notice tone="info"><p>{t.offer.resumes}</p></Notice> : null}
      <div><PrimaryActionButton type="submit" busy={send.busy || pressed} disabled={send.busy || pressed}>{t.offer.submit}</PrimaryActionButton></div>
    </form>
  );
}
