/** How measures reach the street: the public list, and the addresses that are told at once. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Measure, Subscription } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource, type Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { CopyButton } from '../../ui/CopyButton';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { Failure, Loaded, Section } from '../../ui/State';
import { fieldError } from '../../ui/problems';

/** `feed`: the public list, read anew by who decides on a measure. */
export function Channels({ feed }: { feed: Resource<Measure[]> }) {
  const { t, say, time } = useI18n();
  const address = `${location.origin}/support-centre/v1/measures/feed`;
  return (
    <>
      <Section title={t.measures.feed} id="feed" lead={t.measures.feedText}>
        <Loaded resource={feed} height={64}>
          {(all) => all.length === 0 ? <p className="dmi-soft">{t.measures.feedEmpty}</p> : (
            <ul className="dmi-rows">{all.map((one) => <li key={one.id}><span><strong>{say(one.title)}</strong>. {say(one.advice)}</span><span className="dmi-small dmi-soft">{t.measures.untilTime(time(one.valid_to))}</span></li>)}</ul>
          )}
        </Loaded>
        <div className="dmi-actions">
          <a className="utrecht-link utrecht-link--html-a" href="/support-centre/v1/measures/feed">{address}</a>
          <CopyButton text={address} label={t.measures.copyAddress} />
        </div>
      </Section>
      <Webhooks />
    </>
  );
}

function Webhooks() {
  const { t } = useI18n();
  const api = useApi();
  const live = useLive();
  const subscriptions = useResource('subscriptions', (signal) => api.support.subscriptions(signal), 15_000);
  const [url, setUrl] = useState('');
  const [tried, setTried] = useState(false);
  const add = useAction(async () => {
    await api.support.subscribe(url.trim());
    live(t.measures.hookAdded);
    setUrl('');
    setTried(false);
    subscriptions.reload();
  });
  const empty = url.trim() === '' ? t.common.required : null;
  const told = fieldError(add.error, 'url');
  return (
    <Section title={t.measures.hooks} id="hooks" lead={t.measures.hooksText}>
      <Loaded resource={subscriptions} height={96} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.measures.hooksEmpty}</p>}>
        {(all) => <ul className="dmi-rows">{all.map((one) => <Hook key={one.id} hook={one} changed={subscriptions.reload} />)}</ul>}
      </Loaded>
      <form
        className="dmi-form__row" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (empty === null) void add.run();
        }}
      >
        <TextField label={t.measures.hookUrl} help={t.measures.hookHelp} value={url} onChange={setUrl} error={(tried ? empty : null) ?? (told ? t.measures.hookWrong(told) : null)} />
        <PrimaryActionButton type="submit" busy={add.busy} disabled={add.busy}>{t.measures.hookAdd}</PrimaryActionButton>
      </form>
      {add.error && !told ? <Failure error={add.error} /> : null}
    </Section>
  );
}

function Hook({ hook, changed }: { hook: Subscription; changed: () => void }) {
  const { t, number, moment, time } = useI18n();
  const api = useApi();
  const live = useLive();
  const [asking, setAsking] = useState(false);
  const end = useAction(async () => {
    await api.support.unsubscribe(hook.id);
    live(t.measures.hookEnded);
    setAsking(false);
    changed();
  });
  const failing = hook.attempts > 0;
  return (
    <li>
      <div>
        <p><code>{hook.url}</code></p>
        <p className="dmi-small dmi-soft">{t.measures.hookSince(moment(hook.created_at))}{failing && hook.next_at ? ` ${t.measures.hookAgain(number(hook.attempts), time(hook.next_at))}` : ''}</p>
      </div>
      <Badge tone={failing ? 'bad' : hook.waiting > 0 ? 'info' : 'good'}>{hook.waiting > 0 ? t.measures.hookWaiting(hook.waiting) : t.measures.hookDone}</Badge>
      <SecondaryActionButton className="dmi-small-button" aria-label={`${t.measures.hookEnd}: ${hook.url}`} onClick={() => setAsking(true)}>{t.measures.hookEnd}</SecondaryActionButton>
      <ConfirmDialog open={asking} danger title={t.measures.hookEndTitle} confirm={t.measures.hookEnd} busy={end.busy} error={end.error} onClose={() => setAsking(false)} onConfirm={() => void end.run()}>
        <p>{t.measures.hookEndText(hook.url)}</p>
      </ConfirmDialog>
    </li>
  );
}
