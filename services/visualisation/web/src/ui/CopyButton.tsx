import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import { useLive } from '../app/live';
import { useI18n } from '../i18n';
import { Icon } from './Icon';

/** Copies a text and says that it did. Works without a secure context too, through a hidden field. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useI18n();
  const live = useLive();
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyThroughField(text);
    }
    setDone(true);
    live(t.common.copied);
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <SecondaryActionButton className="dmi-small-button" onClick={() => void copy()}>
      <Icon name={done ? 'good' : 'copy'} size={16} /> {done ? t.common.copied : (label ?? t.common.copy)}
    </SecondaryActionButton>
  );
}

function copyThroughField(text: string): void {
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  // The only way on plain http; browsers still carry it out.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand('copy');
  field.remove();
}

/** A piece of code in a box that scrolls inside itself, with a copy button. */
export function CodeExample({ title, code }: { title: string; code: string }) {
  return (
    <figure className="dmi-code">
      <figcaption className="dmi-code__head">
        <span>{title}</span>
        <CopyButton text={code} />
      </figcaption>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <pre tabIndex={0} role="region" aria-label={title}>
        <code>{code}</code>
      </pre>
    </figure>
  );
}
