/** What waits for an answer of a participant beside its agreements: from other cities, and from persons. */
import type { Negotiation, SubjectNotice } from '../../api';
import { useNames, type Names } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import type { Messages } from '../../i18n/nl';
import { documentIn, isTurn, whyOf } from '../nodes/standing';
import { hasPassed } from '../../rights/words';
import type { Task } from './parts';

/** Negotiations with other cities in which it is for `me` to go on, unless their last day has passed; and, together, what persons asked. */
export function toAnswer(negotiations: Negotiation[], notices: SubjectNotice[], me: string, now: Date, t: Messages, names: Pick<Names, 'participant' | 'dataset'>): Task[] {
  const tasks = negotiations.filter((one) => one.participant === me && isTurn(one) && !hasPassed(documentIn(one, one.offer), now)).map((one) => ({
    key: one.id, title: t.nodes[one.role](names.participant(one.other)), text: `${names.dataset(one.dataset)}. ${whyOf(one, t)}`, to: `/negotiations/${one.id}`, action: t.home.decide,
  }));
  if (notices.length === 0) return tasks;
  const about = [...new Set(notices.map((one) => names.dataset(one.dataset)))].join(', ');
  return [...tasks, { key: 'notices', title: t.home.personsAsk(notices.length), text: about, to: '/agreements', action: t.home.answer }];
}

export function useAnswers() {
  const { t } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const now = useNow();
  const negotiations = useResource('negotiations', (signal) => api.exchange.negotiations(signal), 15_000);
  const notices = useResource('open notices', (signal) => api.exchange.notices(signal), 15_000);
  return { negotiations, notices, tasks: toAnswer(negotiations.data ?? [], notices.data ?? [], identity?.participant ?? '', now, t, names) };
}
