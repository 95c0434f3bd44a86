/** The machines of a participant: each with a key of its own, and no right but what a mandate gives. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Machine } from '../../api/dealings';
import { makeKeyPair } from '../../app/keys';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import type { Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { focusFirstError } from '../../ui/problems';
import { Empty, Failure, Loaded, Notice } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { slugOf } from '../intake/useDataset';

export function Machines({ machines, onStopped }: { machines: Resource<Machine[]>; onStopped: () => void }) {
  const { t } = useI18n();
  const w = t.mandates.machines;
  const api = useApi();
  const [stopping, setStopping] = useState<Machine | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const stop = useAction((id: string) => api.dealings.stopMachine(id));
  return (
    <>
      {done ? <Notice tone="good"><p role="status">{done}</p></Notice> : null}
      <Loaded resource={machines} height={120} isEmpty={(all) => all.length === 0} empty={<Empty title={w.empty}>{w.emptyText}</Empty>}>
        {(all) => (
          <DataTable
            caption={w.title} captionHidden rows={all} rowKey={(one) => one.id} pageSize={20} initialSort={{ key: 'name', descending: false }}
            columns={[
              { key: 'name', head: w.name, sort: (one) => one.title, cell: (one) => one.title },
              { key: 'id', head: w.id, cell: (one) => <code>{one.id}</code> },
              { key: 'mandates', head: w.mandates, sort: (one) => one.mandates.length, cell: (one) => (one.mandates.length === 0 && one.active ? w.none : String(one.mandates.length)) },
              { key: 'state', head: t.common.state, cell: (one) => <Badge tone={one.active ? 'good' : 'bad'}>{one.active ? w.active : w.stopped}</Badge> },
              {
                key: 'stop', head: w.stop,
                cell: (one) => (one.active
                  ? <SecondaryActionButton className="dmi-small-button" aria-label={`${w.stop}: ${one.title}`} onClick={() => setStopping(one)}>{w.stop}</SecondaryActionButton>
                  : null),
              },
            ]}
          />
        )}
      </Loaded>
      <AddMachine
        onAdded={(one) => {
          setDone(w.added(one.title));
          machines.reload();
        }}
      />
      <ConfirmDialog
        open={stopping !== null} danger title={w.stopTitle} confirm={w.stopConfirm} busy={stop.busy} error={stop.error} onClose={() => setStopping(null)}
        onConfirm={() => {
          if (!stopping) return;
          void stop.run(stopping.id).then((ok) => {
            if (!ok) return;
            setStopping(null);
            setDone(w.isStopped);
            machines.reload();
            onStopped();
          });
        }}
      >
        <p>{w.stopText}</p>
      </ConfirmDialog>
    </>
  );
}

function AddMachine({ onAdded }: { onAdded: (machine: Machine) => void }) {
  const { t } = useI18n();
  const w = t.mandates.machines;
  const api = useApi();
  const [title, setTitle] = useState('');
  const [tried, setTried] = useState(false);
  const [keyless, setKeyless] = useState(false);
  const name = slugOf(title);
  const wrong = name === '' ? t.common.required : null;
  const add = useAction(async () => {
    const pair = await makeKeyPair().catch(() => null);
    setKeyless(pair === null);
    if (pair === null) return;
    const machine = await api.dealings.addMachine({ name, title: title.trim(), key: pair.open });
    saveBlob(pair.file, `${name}.jwk`);
    setTitle('');
    setTried(false);
    onAdded(machine);
  });
  return (
    <form
      className="dmi-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (wrong === null) void add.run();
        else focusFirstError(event.currentTarget);
      }}
    >
      <TextField label={w.newName} help={w.newHelp} value={title} onChange={setTitle} error={tried ? wrong : null} />
      {keyless ? <Notice tone="bad" alert><p>{w.keyless}</p></Notice> : null}
      {add.error ? <Failure error={add.error} /> : null}
      <div><PrimaryActionButton type="submit" busy={add.busy} disabled={add.busy}>{w.add}</PrimaryActionButton></div>
    </form>
  );
}
