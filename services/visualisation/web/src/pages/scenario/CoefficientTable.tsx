/** Every assumption with its source and range, and a field to change it. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Coefficient } from '../../api';
import { useI18n } from '../../i18n';
import { DataTable } from '../../ui/DataTable';

interface Props {
  coefficients: Coefficient[];
  busy: boolean;
  disabled: boolean;
  onChange: (name: string, value: number) => Promise<boolean>;
}

export function CoefficientTable({ coefficients, busy, disabled, onChange }: Props) {
  const { t, say, number, unit } = useI18n();
  const name = (c: Coefficient) => say(c.label) || c.name.replaceAll('_', ' ');
  return (
    <DataTable
      caption={t.scenarios.assumptions} captionHidden rows={coefficients} rowKey={(c) => c.name} initialSort={{ key: 'name' }} pageSize={25}
      columns={[
        { key: 'name', head: t.scenarios.coefficient, sort: name, cell: (c) => <span className="dmi-cap">{name(c)}</span> },
        { key: 'value', head: t.scenarios.value, cell: (c) => <Change coefficient={c} label={name(c)} busy={busy} disabled={disabled} onChange={onChange} /> },
        { key: 'unit', head: t.common.unit, cell: (c) => unit(say(c.unit)) },
        { key: 'default', head: t.scenarios.standard, numeric: true, cell: (c) => number(c.default) },
        { key: 'range', head: t.scenarios.range, numeric: true, cell: (c) => `${number(c.low)} – ${number(c.high)}` },
        { key: 'source', head: t.common.source, cell: (c) => <span className="dmi-small">{say(c.source)}{c.year ? ` (${c.year})` : ''}</span> },
      ]}
    />
  );
}

function Change({ coefficient, label, busy, disabled, onChange }: { coefficient: Coefficient; label: string; busy: boolean; disabled: boolean; onChange: Props['onChange'] }) {
  const { t, number } = useI18n();
  const [text, setText] = useState<string | null>(null);
  const low = coefficient.minimum ?? coefficient.low;
  const high = coefficient.maximum ?? coefficient.high;
  const shown = text ?? number(coefficient.value, 4);
  const value = Number(shown.replace(',', '.'));
  const wrong = text !== null && (Number.isNaN(value) || value < low || value > high);
  const changed = text !== null && value !== coefficient.value;
  const id = `wrong-${coefficient.name}`;
  return (
    <form
      className="dmi-coefficient" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (changed && !wrong) void onChange(coefficient.name, value).then((done) => done && setText(null));
      }}
    >
      <input
        className="utrecht-textbox utrecht-textbox--html-input" inputMode="decimal" value={shown} disabled={disabled} size={7}
        aria-label={t.scenarios.changeIt(label)} aria-invalid={wrong || undefined} aria-describedby={wrong ? id : undefined}
        onChange={(event) => setText(event.target.value)}
      />
      {changed ? <SecondaryActionButton className="dmi-small-button" type="submit" disabled={busy || wrong}>{t.common.save}</SecondaryActionButton> : null}
      {wrong ? <span id={id} role="alert" className="dmi-small dmi-wrong">{t.scenarios.outside(number(low), number(high))}</span> : null}
    </form>
  );
}
