/** How who holds a mandate is called: a machine by the title that its participant gave it, anything else as everywhere. */
import type { Machine } from '../../api/dealings';
import { machineIn, useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';

/** The machines that one may see, where one of these ids is of a machine; none before they are known. */
export function useMachines(ids: (string | null | undefined)[]): Machine[] {
  const api = useApi();
  const named = ids.some((id) => machineIn(id) !== null);
  return useResource(named ? 'machines' : null, (signal) => api.dealings.machines(signal)).data ?? [];
}

export function useHolder(machines: Machine[]): (id: string) => string {
  const { t } = useI18n();
  const names = useNames();
  const { identity } = useSession();
  const w = t.mandates.machines;
  return (id) => {
    const machine = machines.find((one) => one.id === id);
    if (!machine) return names.participant(id);
    return machine.participant === identity?.participant ? w.named(machine.title) : w.of(machine.title, names.participant(machine.participant));
  };
}
