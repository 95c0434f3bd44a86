/** Datasets that hold something of a person, whatever they rest on. */
import type { Api, OwnDataset } from '../../api';
import { ApiError } from '../../api/problem';

/** One that could not be looked into counts as one that does: its place on the page then tells why. */
export async function keptOf(api: Api, whose: string, signal: AbortSignal): Promise<OwnDataset[]> {
  const known = (await api.exchange.myDatasets(whose, signal)).filter(({ held }) => held);
  const found = await Promise.all(known.map(async (one) => {
    try {
      return (await api.platform.latest(one.id, signal, whose)).length > 0;
    } catch (reason) {
      return !(reason instanceof ApiError && reason.kind === 'missing');
    }
  }));
  return known.filter((_, index) => found[index]);
}
