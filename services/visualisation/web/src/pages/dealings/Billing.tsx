/** What invoices say of one's own organisation, and the form to change it. */
import { useState } from 'react';
import { PrimaryActionButton, SecondaryActionButton } from '@utrecht/component-library-react';
import type { BillingDetails } from '../../api/dealings';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { SelectField, TextField } from '../../ui/fields';
import { focusFirstError } from '../../ui/problems';
import { Failure, Loaded, Notice } from '../../ui/State';

const blank: BillingDetails = { name: '', scheme: '0106', registration: '', street: '', postcode: '', city: '', vat_id: '', vat_percent: 21, exemption: '', iban: '' };

export function Billing() {
  const { t } = useI18n();
  const api = useApi();
  // Wrapped, since no details is an answer too and no waiting for one.
  const details = useResource('billing', async (signal) => ({ found: await api.dealings.details(signal) }));
  const [editing, setEditing] = useState(false);
  const [saved, setSaved] = useState(false);
  return (
    <Loaded resource={details} height={160}>
      {({ found }) => (
        <>
          {saved ? <Notice tone="good"><p role="status">{t.transactions.saved}</p></Notice> : null}
          {found && !editing ? (
            <>
              <address className="dmi-address">{found.name}<br />{found.street}<br />{found.postcode} {found.city}<br />{found.scheme === '0106' ? t.transactions.chamber : t.transactions.oin}: {found.registration}{found.iban ? <><br />{found.iban}</> : null}</address>
              <div><SecondaryActionButton onClick={() => setEditing(true)}>{t.transactions.edit}</SecondaryActionButton></div>
            </>
          ) : (
            <Form
              first={{ ...blank, ...found }}
              onSaved={() => {
                setEditing(false);
                setSaved(true);
                details.reload();
              }}
            />
          )}
        </>
      )}
    </Loaded>
  );
}

function Form({ first, onSaved }: { first: BillingDetails; onSaved: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const [given, setGiven] = useState(first);
  const [tried, setTried] = useState(false);
  const set = (change: Partial<BillingDetails>) => setGiven((old) => ({ ...old, ...change }));
  const missing = (text: string) => (text.trim() === '' ? t.common.required : null);
  const wrong = {
    name: missing(given.name),
    registration: new RegExp(given.scheme === '0106' ? '^\\d{8}$' : '^\\d{20}$').test(given.registration.trim()) ? null : t.transactions.wrongRegistration,
    street: missing(given.street),
    postcode: missing(given.postcode),
    city: missing(given.city),
    vat: given.vat_percent !== 0 && (given.vat_id ?? '').trim() === '' ? t.transactions.missingVatId : /^(NL\d{9}B\d{2})?$/.test(compact(given.vat_id)) ? null : t.transactions.wrongVatId,
    exemption: given.vat_percent === 0 ? missing(given.exemption ?? '') : null,
  };
  const keep = useAction(async () => {
    await api.dealings.keepDetails({ ...given, registration: given.registration.trim(), vat_id: compact(given.vat_id), iban: compact(given.iban) });
    onSaved();
  });
  const show = (message: string | null) => (tried ? message : null);
  return (
    <form
      className="dmi-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.values(wrong).every((one) => one === null)) void keep.run();
        else focusFirstError(event.currentTarget);
      }}
    >
      <TextField label={t.transactions.name} value={given.name} onChange={(name) => set({ name })} error={show(wrong.name)} />
      <SelectField
        label={t.transactions.scheme} value={given.scheme} onChange={(scheme) => set({ scheme: scheme === '0190' ? '0190' : '0106' })}
        choices={[{ value: '0106', label: t.transactions.chamber }, { value: '0190', label: t.transactions.oin }]}
      />
      <TextField inputMode="numeric" label={t.transactions.registration} value={given.registration} onChange={(registration) => set({ registration })} error={show(wrong.registration)} />
      <TextField label={t.transactions.street} value={given.street} onChange={(street) => set({ street })} error={show(wrong.street)} />
      <div className="dmi-form__row">
        <TextField label={t.transactions.postcode} value={given.postcode} onChange={(postcode) => set({ postcode })} error={show(wrong.postcode)} />
        <TextField label={t.transactions.city} value={given.city} onChange={(city) => set({ city })} error={show(wrong.city)} />
      </div>
      <SelectField
        label={t.transactions.vatPercent} value={String(given.vat_percent ?? 21)} onChange={(value) => set({ vat_percent: value === '0' ? 0 : value === '9' ? 9 : 21 })}
        choices={['21', '9', '0'].map((value) => ({ value, label: `${value}%` }))}
      />
      {given.vat_percent === 0 ? <TextField label={t.transactions.exemption} value={given.exemption ?? ''} onChange={(exemption) => set({ exemption })} error={show(wrong.exemption)} /> : null}
      <TextField label={t.transactions.vatId} help={given.vat_percent === 0 ? t.transactions.noVatId : undefined} value={given.vat_id ?? ''} onChange={(vat_id) => set({ vat_id })} error={show(wrong.vat)} />
      <TextField label={t.transactions.iban} help={t.transactions.ibanHelp} value={given.iban ?? ''} onChange={(iban) => set({ iban })} />
      {keep.error ? <Failure error={keep.error} /> : null}
      <div><PrimaryActionButton type="submit" busy={keep.busy} disabled={keep.busy}>{t.transactions.save}</PrimaryActionButton></div>
    </form>
  );
}

/** A number as it is kept: people write it in groups, with spaces and points. */
function compact(written: string | undefined): string {
  return (written ?? '').replaceAll(/[\s.]/g, '').toUpperCase();
}
