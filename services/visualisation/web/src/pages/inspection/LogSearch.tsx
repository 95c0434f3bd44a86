/** All decisions, searched by who, what, outcome and day; each with its proof, and all of them to keep as evidence. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { LogEntry } from '../../api';
import type { LogSearch as Wanted } from '../../api/inspection';
import { useNames } from '../../app/names';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useBrought } from '../../app/useBrought';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { fromCityInput } from '../../i18n/cityTime';
import { SelectField, TextField } from '../../ui/fields';
import { Empty, Failure, Loaded } from '../../ui/State';
import { LogTable } from '../log/LogTable';
import { useProof } from '../log/useProof';
import { Keep } from './Keep';

const nothing: Wanted = { participant: '', dataset: '', outcome: '', from: '', to: '' };

/** A day on the city's calendar as the moment when it begins or, with `after`, is over. */
function moment(day: string, after = false): string {
  const at = fromCityInput(`${day}T${after ? '23:59:59' : '00:00:00'}`) + (after ? 1000 : 0);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}

export function LogSearch() {
  const { t, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const [typed, setTyped] = useState(nothing);
  const [wanted, setWanted] = useState(nothing);
  const [more, setMore] = useState<LogEntry[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const proof = useProof('h3');
  const { there, go } = useBrought<HTMLDivElement>();
  const query = { ...wanted, from: moment(wanted.from), to: moment(wanted.to, true) };
  const first = useResource(`inspection log ${JSON.stringify(wanted)}`, (signal) => api.inspection.search(query, signal));
  const load = useAction(async (before: string) => {
    const page = await api.inspection.search({ ...query, before });
    setMore((old) => [...old, ...page.items]);
    setNext(page.next);
    if (page.next === null) go();
  });
  const set = (change: Partial<Wanted>) => setTyped((old) => ({ ...old, ...change }));
  const search = () => {
    setMore([]);
    setNext(undefined);
    proof.ask(null);
    setWanted(typed);
  };
  const cursor = next === undefined ? (first.data?.next ?? null) : next;
  const found = [...(first.data?.items ?? []), ...more];
  return (
    <>
      <form
        className="dmi-stack"
        onSubmit={(event) => {
          event.preventDefault();
          search();
        }}
      >
        <div className="dmi-form__row">
          <SelectField
            label={t.inspection.participant} value={typed.participant} onChange={(participant) => set({ participant })}
            choices={[{ value: '', label: t.common.all }, ...names.participants.map((one) => ({ value: one.id, label: one.name }))]}
          />
          <SelectField
            label={t.log.filterDataset} value={typed.dataset} onChange={(dataset) => set({ dataset })}
            choices={[{ value: '', label: t.common.all }, ...names.datasets.map((one) => ({ value: one.id, label: say(one.title) }))]}
          />
          <SelectField
            label={t.log.filterOutcome} value={typed.outcome} onChange={(outcome) => set({ outcome })}
            choices={[{ value: '', label: t.common.all }, { value: 'refused', label: t.log.onlyRefused }, { value: 'allowed', label: t.log.onlyAllowed }]}
          />
        </div>
        <div className="dmi-form__row">
          <TextField type="date" label={t.inspection.from} value={typed.from} onChange={(from) => set({ from })} />
          <TextField type="date" label={t.inspection.to} value={typed.to} onChange={(to) => set({ to })} />
        </div>
        <div><PrimaryActionButton type="submit">{t.inspection.searchButton}</PrimaryActionButton></div>
      </form>
      <div ref={there} tabIndex={-1} role="group" aria-label={t.inspection.log}>
        <Loaded resource={first} height={360} isEmpty={() => found.length === 0} empty={<Empty title={t.inspection.noneFound} />}>
          {() => <LogTable caption={t.inspection.log} entries={found} onWhy={proof.ask} />}
        </Loaded>
      </div>
      {load.error ? <Failure error={load.error} /> : null}
      {cursor ? <div><SecondaryActionButton busy={load.busy} onClick={() => (load.busy ? undefined : void load.run(cursor))}>{t.inspection.further}</SecondaryActionButton></div> : null}
      {proof.shown}
      {found.length > 0 ? <Keep sequences={found.map((one) => one.sequence)} /> : null}
    </>
  );
}
