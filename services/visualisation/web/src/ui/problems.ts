/** Which field of a form a refused call is about, so that its error stands at the field. */
import { ApiError } from '../api/problem';

/** The rule that a field broke, by the field's name or the last part of its path; null when it broke none. */
export function fieldError(error: ApiError | null, field: string): string | null {
  if (error?.kind !== 'invalid') return null;
  const found = error.problem.errors?.find((one) => one.field === field || one.field?.split('.').at(-1) === field);
  return found?.rule ?? null;
}

/** Brings the focus to the first field with an error, once the page shows them. */
export function focusFirstError(form: HTMLFormElement): void {
  requestAnimationFrame(() => {
    const field = form.querySelector<HTMLElement>('[aria-invalid="true"], fieldset[aria-describedby] input');
    // What no field can mend is told in a notice: the page goes there, so that nobody presses in vain.
    const notice = form.querySelector<HTMLElement>('.dmi-notice--bad');
    if (field) field.focus();
    else notice?.scrollIntoView({ block: 'center' });
  });
}

/** An empty list in the place of one that may not be read; any other failure stays one. */
export function noneWhenRefused<T>(reason: unknown): T[] {
  if (reason instanceof ApiError && reason.kind === 'refused') return [];
  throw reason;
}
