/** Invoices and credit notes that were given or got: what each is made of, its file, what was paid, taking it back. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Invoice } from '../../api/dealings';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import type { Resource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { ConfirmDialog } from '../../ui/Dialog';
import { RadioGroup } from '../../ui/fields';
import { Empty, Failure, Loaded } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { Lines } from './Lines';

export function Invoices({ invoices, onDone }: { invoices: Resource<Invoice[]>; onDone: (said: string) => void }) {
  const { t, date, money } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const [shown, setShown] = useState<string | null>(null);
  const [paying, setPaying] = useState<Invoice | null>(null);
  const [crediting, setCrediting] = useState<Invoice | null>(null);
  const save = useAction(async (one: Invoice) => saveBlob(await api.dealings.ubl(one.id), `${one.number}.xml`));
  const own = (one: Invoice) => one.supplier === identity?.participant;
  return (
    <>
      <Loaded resource={invoices} height={160} isEmpty={(all) => all.length === 0} empty={<Empty title={t.transactions.invoicesEmpty}>{t.transactions.invoicesEmptyText}</Empty>}>
        {(all) => {
          const credited = new Set(all.map((one) => one.credits));
          const picked = all.find((one) => one.id === shown);
          return (
            <>
              <DataTable
                caption={t.transactions.invoices} captionHidden rows={all} rowKey={(one) => one.id} current={shown} pageSize={20} initialSort={{ key: 'date', descending: true }}
                columns={[
                  { key: 'number', head: t.transactions.number, sort: (one) => one.number, cell: (one) => <>{one.number}{one.credits_number ? <span className="dmi-soft"> ({t.transactions.credit(one.credits_number)})</span> : null}</> },
                  { key: 'from', head: t.transactions.from, sort: (one) => names.participant(one.supplier), cell: (one) => names.participant(one.supplier) },
                  { key: 'to', head: t.transactions.to, sort: (one) => names.participant(one.customer), cell: (one) => names.participant(one.customer) },
                  { key: 'date', head: t.transactions.date, sort: (one) => one.issued_at, cell: (one) => date(one.issued_at) },
                  { key: 'amount', head: t.transactions.amount, numeric: true, sort: (one) => one.gross, cell: (one) => money(one.gross) },
                  { key: 'open', head: t.transactions.open, numeric: true, sort: (one) => one.open, cell: (one) => <Open of={one} credited={credited.has(one.id)} /> },
                  {
                    key: 'do', head: t.common.actions,
                    cell: (one) => (
                      <div className="dmi-actions">
                        <SecondaryActionButton className="dmi-small-button" aria-expanded={shown === one.id} aria-label={`${t.transactions.why}: ${one.number}`} onClick={() => setShown(shown === one.id ? null : one.id)}>{t.transactions.why}</SecondaryActionButton>
                        <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.file}: ${one.number}`} disabled={save.busy} onClick={() => void save.run(one)}>{t.transactions.file}</SecondaryActionButton>
                        {one.open > 0 && own(one) ? (
                          <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.paid}: ${one.number}`} onClick={() => setPaying(one)}>{t.transactions.paid}</SecondaryActionButton>
                        ) : null}
                        {own(one) && one.kind !== 'credit' && !credited.has(one.id) ? (
                          <SecondaryActionButton className="dmi-small-button" aria-label={`${t.transactions.takeBack}: ${one.number}`} onClick={() => setCrediting(one)}>{t.transactions.takeBack}</SecondaryActionButton>
                        ) : null}
                      </div>
                    ),
                  },
                ]}
              />
              {picked ? <Lines of={picked} /> : null}
            </>
          );
        }}
      </Loaded>
      {save.error ? <Failure error={save.error} /> : null}
      {paying ? <Pay of={paying} onClose={() => setPaying(null)} onDone={() => onDone(t.transactions.paidDone)} /> : null}
      {crediting ? <TakeBack of={crediting} onClose={() => setCrediting(null)} onDone={(number) => onDone(t.transactions.credited(number))} /> : null}
    </>
  );
}

function Open({ of, credited }: { of: Invoice; credited: boolean }) {
  const { t, date, money } = useI18n();
  if (of.open > 0) return of.kind === 'credit' ? t.transactions.giveBack(money(of.open)) : `${money(of.open)} · ${t.transactions.due.toLocaleLowerCase()} ${date(of.due_at)}`;
  if (of.kind === 'credit') return null;
  return credited ? <Badge>{t.transactions.takenBack}</Badge> : <Badge tone="good">{t.transactions.settled}</Badge>;
}

function Pay({ of, onClose, onDone }: { of: Invoice; onClose: () => void; onDone: () => void }) {
  const { t, money } = useI18n();
  const api = useApi();
  const pay = useAction(() => api.dealings.paid(of.id, of.open));
  const back = of.kind === 'credit';
  return (
    <ConfirmDialog
      open title={back ? t.transactions.backTitle : t.transactions.paidTitle} confirm={t.transactions.paidConfirm} busy={pay.busy} error={pay.error} onClose={onClose}
      onConfirm={() => {
        void pay.run().then((ok) => {
          if (!ok) return;
          onClose();
          onDone();
        });
      }}
    >
      <p>{back ? t.transactions.backText(money(of.open)) : t.transactions.paidText(money(of.open))}</p>
    </ConfirmDialog>
  );
}

function TakeBack({ of, onClose, onDone }: { of: Invoice; onClose: () => void; onDone: (number: string) => void }) {
  const { t, money } = useI18n();
  const api = useApi();
  const [then, setThen] = useState('nothing');
  const credit = useAction(async () => onDone((await api.dealings.credit(of.id, then === 'again')).number));
  return (
    <ConfirmDialog
      open danger title={t.transactions.takeBackTitle(of.number)} confirm={t.transactions.takeBackConfirm} busy={credit.busy} error={credit.error} onClose={onClose}
      onConfirm={() => void credit.run().then((ok) => { if (ok) onClose(); })}
    >
      <p>{t.transactions.takeBackText(money(of.gross))}</p>
      <RadioGroup
        label={t.transactions.takeBackThen} name="then" value={then} onChange={setThen}
        choices={[{ value: 'nothing', label: t.transactions.billNothing }, { value: 'again', label: t.transactions.billAgain }]}
      />
    </ConfirmDialog>
  );
}
