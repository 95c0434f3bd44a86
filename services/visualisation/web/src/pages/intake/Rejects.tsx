/** What was not taken in, for those whose role may see it. */
import { useApi, useSession } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Loaded } from '../../ui/State';
import { RejectTable } from './RejectTable';

/** Roles that look after data; the service refuses all others, so they are not asked to wait for that. */
const keepers = ['operator', 'municipality', 'vendor', 'provider'];

export function Rejects({ every }: { every: number }) {
  const { t } = useI18n();
  const api = useApi();
  const { identity } = useSession();
  const keeper = keepers.includes(identity?.role ?? '');
  const rejects = useResource(keeper ? 'rejects' : null, (signal) => api.platform.rejects(signal), every);
  if (!keeper) return <p className="dmi-soft">{t.sources.rejectsRole}</p>;
  return (
    <Loaded resource={rejects} height={160} isEmpty={(all) => all.length === 0} empty={<p className="dmi-soft">{t.sources.rejectsEmpty}</p>}>
      {(all) => <RejectTable rejects={all} changed={rejects.reload} />}
    </Loaded>
  );
}
