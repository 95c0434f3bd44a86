/** Form fields with a label above, help under it, and the error in words before the control. */
import { useId, type ReactNode } from 'react';
import { FormField, FormFieldDescription, FormFieldErrorMessage, FormLabel, Select, SelectOption, Textbox } from '@utrecht/component-library-react';

interface FieldProps {
  label: string;
  help?: string;
  error?: string | null;
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ReactNode;
}

export function Field({ label, help, error, children }: FieldProps) {
  const id = useId();
  const described = [help ? `${id}-help` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return (
    <FormField invalid={Boolean(error)} className="dmi-field">
      <FormLabel htmlFor={id}>{label}</FormLabel>
      {help ? <FormFieldDescription id={`${id}-help`}>{help}</FormFieldDescription> : null}
      {error ? <FormFieldErrorMessage id={`${id}-error`}>{error}</FormFieldErrorMessage> : null}
      {children({ id, describedBy: described || undefined, invalid: Boolean(error) })}
    </FormField>
  );
}

interface TextFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: string;
  error?: string | null;
  type?: 'text' | 'number' | 'search' | 'date' | 'datetime-local';
  placeholder?: string;
  inputMode?: 'decimal' | 'numeric';
}

export function TextField({ label, value, onChange, help, error, type = 'text', placeholder, inputMode }: TextFieldProps) {
  return (
    <Field label={label} help={help} error={error}>
      {({ id, describedBy, invalid }) => (
        <Textbox
          id={id}
          type={type}
          value={value}
          invalid={invalid}
          placeholder={placeholder}
          inputMode={inputMode}
          aria-describedby={describedBy}
          onChange={(event: React.ChangeEvent<HTMLInputElement>) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** One file of the reader's own; undefined when none is chosen any more. */
export function FileField({ label, help, error, accept, onChange }: { label: string; help?: string; error?: string | null; accept: string; onChange: (file: File | undefined) => void }) {
  return (
    <Field label={label} help={help} error={error}>
      {({ id, describedBy, invalid }) => (
        <span className="dmi-file">
          <input id={id} type="file" accept={accept} aria-describedby={describedBy} aria-invalid={invalid || undefined} onChange={(event) => onChange(event.target.files?.[0])} />
        </span>
      )}
    </Field>
  );
}

export interface Choice {
  value: string;
  label: string;
}

interface SelectFieldProps {
  label: string;
  value: string;
  choices: Choice[];
  onChange: (value: string) => void;
  placeholder?: string;
  help?: string;
  error?: string | null;
}

export function SelectField({ label, value, choices, onChange, placeholder, help, error }: SelectFieldProps) {
  return (
    <Field label={label} help={help} error={error}>
      {({ id, describedBy, invalid }) => (
        <Select id={id} value={value} invalid={invalid} aria-describedby={describedBy} onChange={(event) => onChange(event.target.value)}>
          {placeholder ? <SelectOption value="">{placeholder}</SelectOption> : null}
          {choices.map((choice) => (
            <SelectOption key={choice.value} value={choice.value}>
              {choice.label}
            </SelectOption>
          ))}
        </Select>
      )}
    </Field>
  );
}

interface RadioChoice extends Choice {
  help?: string;
}

export function RadioGroup({ label, name, value, choices, onChange, inline, error }: { label: string; name: string; value: string; choices: RadioChoice[]; onChange: (value: string) => void; inline?: boolean; error?: string | null }) {
  const id = useId();
  return (
    <fieldset className={inline ? 'dmi-radios dmi-radios--inline' : 'dmi-radios'} aria-describedby={error ? id : undefined}>
      <legend className="utrecht-form-label">{label}</legend>
      {error ? <FormFieldErrorMessage id={id} className="dmi-wrong">{error}</FormFieldErrorMessage> : null}
      {choices.map((choice) => (
        <label key={choice.value} className="dmi-radio">
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span>
            {choice.label}
            {choice.help ? <span className="dmi-radio__help">{choice.help}</span> : null}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function CheckboxList({ label, values, choices, onChange, error }: { label: string; values: string[]; choices: Choice[]; onChange: (values: string[]) => void; error?: string | null }) {
  const id = useId();
  const turn = (value: string) =>
    onChange(values.includes(value) ? values.filter((one) => one !== value) : [...values, value]);
  return (
    <fieldset className="dmi-radios" aria-describedby={error ? id : undefined}>
      <legend className="utrecht-form-label">{label}</legend>
      {error ? <FormFieldErrorMessage id={id}>{error}</FormFieldErrorMessage> : null}
      {choices.map((choice) => (
        <label key={choice.value} className="dmi-radio">
          <input type="checkbox" checked={values.includes(choice.value)} onChange={() => turn(choice.value)} />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
