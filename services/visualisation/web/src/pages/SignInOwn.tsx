/** Signing in without an account: with the code of a letter, or with the key of an own sensor. */
import { useState } from 'react';
import { Heading2, PrimaryActionButton } from '@utrecht/component-library-react';
import type { ApiError } from '../api/problem';
import { byCode, byKey } from '../app/proofs';
import { useRouter } from '../app/router';
import { useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useI18n } from '../i18n';
import { FileField, TextField } from '../ui/fields';
import { Failure } from '../ui/State';

export function SignInOwn() {
  const { t } = useI18n();
  return (
    <section className="dmi-section" aria-labelledby="own-signin">
      <Heading2 id="own-signin">{t.signin.own}</Heading2>
      <p>{t.signin.ownText}</p>
      <WithCode />
      <WithKey />
    </section>
  );
}

/** Nobody is known by it: elsewhere that means that one's sign-in has ended, and here that there was none. */
const isUnknown = (error: ApiError | null) => error?.kind === 'signedOut';

function WithCode() {
  const { t } = useI18n();
  const { signInBy } = useSession();
  const { navigate } = useRouter();
  const [code, setCode] = useState('');
  const [tried, setTried] = useState(false);
  const enter = useAction(async () => {
    await signInBy(byCode(code));
    navigate('/my-data');
  });
  return (
    <details className="dmi-details">
      <summary>{t.signin.code}</summary>
      <form className="dmi-form" noValidate onSubmit={(event) => { event.preventDefault(); setTried(true); if (code.trim()) void enter.run(); }}>
        <TextField label={t.signin.codeLabel} help={t.signin.codeHelp} value={code} onChange={(next) => { enter.clear(); setCode(next); }} error={tried && !code.trim() ? t.common.required : isUnknown(enter.error) ? t.signin.codeUnknown : null} />
        {enter.error && !isUnknown(enter.error) ? <Failure error={enter.error} /> : null}
        <div><PrimaryActionButton type="submit" busy={enter.busy} disabled={enter.busy}>{t.signin.codeConfirm}</PrimaryActionButton></div>
      </form>
    </details>
  );
}

function WithKey() {
  const { t } = useI18n();
  const { signInBy } = useSession();
  const { navigate } = useRouter();
  const [name, setName] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [unusable, setUnusable] = useState(false);
  const [tried, setTried] = useState(false);
  const enter = useAction(async () => {
    if (file === null) return;
    const proof = await byKey(name.trim(), await file.text()).catch(() => null);
    setUnusable(proof === null);
    if (proof === null) return;
    await signInBy(proof);
    navigate('/my-data');
  });
  const wrong = tried && file === null ? t.common.required : unusable ? t.signin.keyWrong : isUnknown(enter.error) ? t.signin.keyUnknown : null;
  return (
    <details className="dmi-details">
      <summary>{t.signin.key}</summary>
      <form className="dmi-form" noValidate onSubmit={(event) => { event.preventDefault(); setTried(true); if (name.trim() && file) void enter.run(); }}>
        <TextField label={t.signin.keyName} help={t.signin.keyNameHelp} value={name} onChange={setName} error={tried && !name.trim() ? t.common.required : null} />
        <FileField label={t.signin.keyFile} help={t.signin.keyHelp} error={wrong} accept=".json,.jwk,application/json" onChange={(chosen) => { setUnusable(false); enter.clear(); setFile(chosen ?? null); }} />
        {enter.error && !isUnknown(enter.error) ? <Failure error={enter.error} /> : null}
        <div><PrimaryActionButton type="submit" busy={enter.busy} disabled={enter.busy}>{t.signin.keyConfirm}</PrimaryActionButton></div>
      </form>
    </details>
  );
}
