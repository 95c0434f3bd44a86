/** Parts that several first screens share. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Agreement, Negotiation } from '../../api';
import { useNames, type Names } from '../../app/names';
import { RouteLink } from '../../app/router';
import { isPerson, useApi, useSession } from '../../app/session';
import { useBrought } from '../../app/useBrought';
import { useResource, type Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { hasPassed, outline } from '../../rights/words';
import { Badge } from '../../ui/Badge';
import { ButtonLink } from '../../ui/ButtonLink';
import { RefusedBadge } from '../../ui/RefusedBadge';
import { Loaded, Notice, Skeleton } from '../../ui/State';
import { isOver } from '../nodes/standing';
import { isArchive, isLate, useNow } from '../../app/useNow';

/** `none` tells why there is no moment where another reason is likelier than that nothing came in yet. */
export function Freshness({ latest, still, none }: { latest: string | null; still?: boolean; none?: string }) {
  const { t, age, date } = useI18n();
  const now = useNow();
  if (still) return <span className="dmi-small dmi-soft">{t.home.still}</span>;
  if (latest === null) return <Badge>{none ?? t.home.never}</Badge>;
  if (isArchive(latest, now)) return <span className="dmi-badges"><Badge>{t.map.archive}</Badge><span className="dmi-small dmi-soft">{t.map.archiveUntil(date(latest))}</span></span>;
  const late = isLate(latest, now);
  return (
    <span className="dmi-badges">
      <Badge tone={late ? 'warn' : 'good'}>{late ? t.home.lateWord : t.home.fresh}</Badge>
      <span className="dmi-small dmi-soft">{t.map.age(age(latest))}</span>
    </span>
  );
}

/** In the place of a figure that is not known: it is still coming, or it could not be fetched. Never a zero. */
export function Unknown({ resource }: { resource: Pick<Resource<unknown>, 'error'> }) {
  const { t } = useI18n();
  return <span className="dmi-none">{resource.error ? t.common.notKnown : '…'}</span>;
}

/** Over a list of which a part could not be fetched. */
export function Incomplete({ retry }: { retry: () => void }) {
  const { t } = useI18n();
  return (
    <Notice tone="warn" title={t.states.incomplete} alert>
      <p>{t.states.incompleteText}</p>
      <SecondaryActionButton onClick={retry}>{t.common.retry}</SecondaryActionButton>
    </Notice>
  );
}

/** Something that waits for a person, and where to do it. */
export interface Task {
  key: string;
  title: string;
  text: string;
  to: string;
  action: string;
}

/** Proposals that wait for the signature of `me`; one whose last day has passed cannot be signed any more. */
export function toSign(agreements: Agreement[], me: string, now: Date, t: Messages, names: Pick<Names, 'participant' | 'dataset' | 'purpose'>): Task[] {
  return agreements.filter((one) => one.state === 'proposed' && one.waiting_for.includes(me) && !hasPassed(one.document, now)).map((one) => {
    const purposes = outline(one.document).purposes.map((purpose) => names.purpose(purpose)).join(', ');
    return {
      key: one.id, title: t.home.proposalBy(names.participant(one.assigner === me ? one.assignee : one.assigner)),
      text: `${one.datasets.map((id) => names.dataset(id)).join(', ')}. ${t.common.purpose}: ${purposes}`, to: `/agreements/${one.id}`, action: t.home.decide,
    };
  });
}

/**
 * Data of other cities that somebody here may use and the platform may not process: none of it comes onto the map before
 * the operator, `me`, has asked for it too.
 */
export function toAsk(agreements: Agreement[], negotiations: Negotiation[], me: string, t: Messages, names: Pick<Names, 'participant' | 'dataset' | 'isAbroad'>): Task[] {
  const asked = new Set([
    ...agreements.filter((one) => one.assignee === me && one.state !== 'ended').flatMap((one) => one.datasets),
    ...negotiations.filter((one) => one.participant === me && one.role === 'consumer' && !isOver(one)).map((one) => one.dataset),
  ]);
  const tasks = new Map<string, Task>();
  for (const one of agreements) {
    if (one.state !== 'active' || !names.isAbroad(one.assigner) || names.isAbroad(one.assignee)) continue;
    for (const dataset of one.datasets) {
      if (asked.has(dataset) || tasks.has(dataset)) continue;
      tasks.set(dataset, { key: `ask ${dataset}`, title: t.home.askToo(names.dataset(dataset), names.participant(one.assigner)), text: t.home.askTooText(names.participant(one.assignee)), to: '/nodes', action: t.shell.nodes });
    }
  }
  return [...tasks.values()];
}

/** As many as are shown before somebody asks for all. */
const few = 5;

export function Tasks({ tasks, none }: { tasks: Task[]; none: string }) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const { there, go } = useBrought<HTMLLIElement>();
  if (tasks.length === 0) return <p className="dmi-soft">{none}</p>;
  const shown = all ? tasks : tasks.slice(0, few);
  return (
    <>
      <ul className="dmi-rows">
        {shown.map((task, index) => (
          <li key={task.key} ref={index === few ? there : undefined} tabIndex={index === few ? -1 : undefined}>
            <div>
              <p><strong>{task.title}</strong></p>
              <p className="dmi-small dmi-soft">{task.text}</p>
            </div>
            <ButtonLink to={task.to}>{task.action}</ButtonLink>
          </li>
        ))}
      </ul>
      {shown.length < tasks.length ? (
        <button
          type="button" className="dmi-link-button"
          onClick={() => {
            setAll(true);
            go();
          }}
        >
          {t.home.allTasks(tasks.length)}
        </button>
      ) : null}
    </>
  );
}

/** What waits, out of several answers: that nothing does is said only when each of them came. */
export function Together({ parts, tasks }: { parts: Resource<unknown>[]; tasks: Task[] }) {
  const { t } = useI18n();
  const names = useNames();
  // What somebody may not see is no gap in what waits for that person.
  const incomplete = [names, ...parts].some(({ error }) => error !== null && error.kind !== 'refused');
  if (names.loading || parts.some((one) => one.data === null && one.error === null)) return <Skeleton height={96} />;
  return (
    <>
      {incomplete ? <Incomplete retry={() => [names, ...parts].forEach((one) => one.reload())} /> : null}
      {incomplete && tasks.length === 0 ? null : <Tasks tasks={tasks} none={t.home.waitingNone} />}
    </>
  );
}

export function useLayers() {
  const api = useApi();
  return useResource('home layers', (signal) => api.visualisation.layers(signal), 30_000);
}

export function LayerRows() {
  const { t, say } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const person = isPerson(identity?.participant);
  const layers = useLayers();
  return (
    <Loaded resource={layers} height={240} isEmpty={(all) => all.items.length === 0} empty={<p className="dmi-soft">{t.map.noLayers}</p>}>
      {(all) => (
        <ul className="dmi-rows">
          {all.items.map((layer) => (
            <li key={layer.id}>
              <div>
                <p><RouteLink to={`/map?layer=${layer.id}`}>{say(layer.title)}</RouteLink></p>
                <p className="dmi-small dmi-soft">{names.participant(layer.owner)}</p>
              </div>
              {layer.refused ? <RefusedBadge problem={layer.refused} /> : <Freshness latest={layer.latest} still={layer.kind === 'areas'} none={layer.personal && person ? t.home.noneOfYou : undefined} />}
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
