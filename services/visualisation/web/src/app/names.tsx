/** Names of participants and datasets, fetched once, so that no page shows a bare id. */
import { createContext, useCallback, useContext, useEffect, useMemo, type ReactNode } from 'react';
import { capital, shortId } from '../i18n/format';
import { useI18n } from '../i18n';
import type { Dataset, Participant, Rulebook, RulebookTerm } from '../api';
import type { ApiError } from '../api/problem';
import { compacted } from '../rights/spelling';
import { defaultStack } from '../rights/templates';
import { useApi, useSession } from './session';
import { exchange, partiesOf } from './parties';
import { useResource } from './useResource';

export interface Names {
  participant: (id: string | null | undefined) => string;
  dataset: (id: string | null | undefined) => string;
  purpose: (id: string | null | undefined) => string;
  participants: Participant[];
  /** The organisations that one can agree something with. */
  parties: Participant[];
  datasets: Dataset[];
  rulebook: Rulebook | null;
  /** Purposes that one use or collection has; agreements alone also name the one that stands for any. */
  purposes: RulebookTerm[];
  /** The city whose platform this is; empty while its municipality is not known. */
  city: string;
  /** Who operates the layers of this node. */
  stack: string;
  /** Whether a participant operates layers, here or in another city, so that it keeps and deletes what passes. */
  keeps: (id: string) => boolean;
  /** Whether a participant is a member of another city's node. */
  isAbroad: (id: string | null | undefined) => boolean;
  /** Why the exchange tells nothing at all: the participant is no member, or has not signed yet. */
  refused: ApiError | null;
  /** Whether the datasets are still being fetched. */
  loading: boolean;
  /** Why the datasets could not be fetched; then none are known, which is not the same as that there are none. */
  error: ApiError | null;
  reload: () => void;
}


const anyPurpose = 'dmi:purpose:any';

const Context = createContext<Names | null>(null);

export function NamesProvider({ children }: { children: ReactNode }) {
  const api = useApi();
  const { identity } = useSession();
  const { say, term, t } = useI18n();
  const who = identity?.id ?? null;
  const participants = useResource(who && `participants ${who}`, (signal) => api.exchange.participants(signal));
  const datasets = useResource(who && `datasets ${who}`, (signal) => api.exchange.datasets(signal));
  const rulebook = useResource(who && `rulebook ${who}`, (signal) => api.exchange.rulebook(signal));

  const { reload: reloadParticipants } = participants;
  const { reload: reloadDatasets } = datasets;
  const reload = useCallback(() => {
    reloadParticipants();
    reloadDatasets();
  }, [reloadParticipants, reloadDatasets]);

  const value = useMemo<Names>(() => {
    // As people look for them in a list; the service gives them by their ids.
    const byName = [...(participants.data ?? [])].sort((a, b) => a.name.localeCompare(b.name));
    const people = new Map((participants.data ?? []).map((p) => [p.id, toldApart(p, participants.data ?? [])]));
    const sets = new Map((datasets.data ?? []).map((d) => [d.id, say(d.title)]));
    const purposes = new Map((rulebook.data?.purposes ?? []).map((p) => [p.id, say(p.label)]));
    const operators = new Set((participants.data ?? []).filter((p) => p.roles?.includes('dmi:role:operator')).map((p) => p.id));
    if (identity) people.set(identity.participant, people.get(identity.participant) ?? identity.name);
    return {
      participant: (id) => {
        if (!id) return t.common.noData;
        const machine = machineIn(id);
        if (machine) return t.mandates.machines.of(capital(machine.name.replaceAll('-', ' ')), people.get(machine.owner) ?? capital(shortId(machine.owner)));
        return people.get(id) ?? (id.startsWith('urn:dmi:party:') ? term(id) : capital(shortId(id)));
      },
      dataset: (id) => (id ? (sets.get(id) ?? capital(shortId(id).replaceAll('-', ' '))) : t.common.noData),
      purpose: (id) => (id ? (purposes.get(compacted(id))?.toLocaleLowerCase() ?? term(id)) : t.common.noData),
      participants: byName,
      parties: partiesOf(byName),
      datasets: datasets.data ?? [],
      rulebook: rulebook.data,
      purposes: (rulebook.data?.purposes ?? []).filter((one) => one.id !== anyPurpose),
      city: (participants.data ?? []).find((p) => !p.home && p.roles?.includes('dmi:role:municipality'))?.name.replace(/^(?:gemeente|municipality of) /i, '') ?? '',
      stack: (participants.data ?? []).find((p) => !p.home && p.id !== exchange && p.roles?.includes('dmi:role:operator'))?.id ?? defaultStack,
      keeps: (id) => operators.has(id) || id === defaultStack,
      isAbroad: (id) => Boolean(participants.data?.find((p) => p.id === id)?.home),
      refused: participants.error?.kind === 'refused' ? participants.error : null,
      loading: datasets.data === null && datasets.error === null,
      error: datasets.data === null ? datasets.error : null,
      reload,
    };
  }, [participants.data, participants.error, datasets.data, datasets.error, reload, rulebook.data, identity, say, term, t]);
  return <Context value={value}>{children}</Context>;
}

/** The name of a participant; operators are called the same everywhere, so one abroad gets the name of its city. */
function toldApart(one: Participant, all: Participant[]): string {
  if (!one.home || !one.roles?.includes('dmi:role:operator')) return one.name;
  const city = all.find((p) => p.home === one.home && p.roles?.includes('dmi:role:municipality'));
  return `${one.name} (${city?.name ?? one.home.replace(/^https?:\/\//, '').replace(/\/exchange$/, '')})`;
}

/** The short name of a machine, and whose it is, as its id says; null for an id of anything else. */
export function machineIn(id: string | null | undefined): { name: string; owner: string } | null {
  const [, owner, name] = /^urn:dmi:machine:([^:]+):(.+)$/.exec(id ?? '') ?? [];
  return owner && name ? { name, owner: `urn:dmi:participant:${owner}` } : null;
}

export function useNames(): Names {
  const value = useContext(Context);
  if (!value) throw new Error('useNames needs a NamesProvider');
  return value;
}

/**
 * Asks for the names again when one of these participants or datasets is not known: another city's come in while one
 * looks. `when` tells that something has changed since, so that what is still not known is asked for once more.
 */
export function useKnown(ids: (string | null | undefined)[], when = ''): void {
  const { participants, datasets, reload } = useNames();
  const known = new Set([...participants, ...datasets].map((one) => one.id));
  const missing = participants.length === 0 ? '' : ids.filter((id) => id && !known.has(id) && /^urn:dmi:(participant|dataset):/.test(id)).join(' ');
  useEffect(() => {
    if (missing !== '') reload();
  }, [missing, when, reload]);
}
