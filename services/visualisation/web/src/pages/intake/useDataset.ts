import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { documentsFor, type ConditionChoice } from '../../rights/templates';

/** Small letters, digits and dashes of a name, as ids want it. */
export function slugOf(name: string): string {
  return name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 60);
}

/** The id that a new dataset of an owner gets by its title. */
export function datasetId(owner: string, title: string): string {
  return `urn:dmi:dataset:${owner.split(':').at(-1) ?? ''}:${slugOf(title)}`;
}

/** Enters a new dataset of the signed-in participant with its conditions as agreements. */
export function useCreateDataset() {
  const api = useApi();
  const { identity } = useSession();
  const names = useNames();
  return async (title: string, choice: ConditionChoice, purpose: string): Promise<string> => {
    const owner = identity?.participant ?? '';
    const id = datasetId(owner, title);
    await api.exchange.createDataset({ id, title: { nl: title, en: title }, personal: false, layer: 'points', licence: choice === 'open' ? 'CC0-1.0' : '' });
    for (const document of documentsFor(choice, owner, id, purpose, names.rulebook?.version ?? '1.0.0')) {
      await api.exchange.propose(document);
    }
    names.reload();
    return id;
  };
}
