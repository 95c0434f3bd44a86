import { useState } from 'react';
import { Heading2, Paragraph, PrimaryActionButton } from '@utrecht/component-library-react';
import type { Identity } from '../api';
import { asApiError, type ApiError } from '../api/problem';
import { useRouter } from '../app/router';
import { useApi, useSession } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Notice } from '../ui/State';
import { SignInOwn } from './SignInOwn';

export function SignInPage() {
  const { t, say, term } = useI18n();
  const api = useApi();
  const { signIn } = useSession();
  const { navigate, path, query } = useRouter();
  const identities = useResource('identities', (signal) => api.exchange.identities(signal));
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  const choose = async (identity: Identity) => {
    setBusy(identity.id);
    setError(null);
    try {
      await signIn(identity);
      const goal = path === '/signin' ? (query.get('to') ?? '/') : window.location.pathname + window.location.search;
      navigate(goal.startsWith('/') && !goal.startsWith('//') ? goal : '/');
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(null);
    }
  };
  const explanation = (identity: Identity): string => {
    const own: Record<string, string> = { officer: t.signin.officer, vendor: t.signin.vendor, analyst: t.signin.analyst, resident: t.signin.resident, operator: t.signin.operator };
    return own[identity.id] ?? say(identity.description);
  };

  return (
    <Page title={t.signin.title} lead={t.signin.lead}>
      <Notice tone="warn" title={t.shell.demoTitle}>
        <p>{t.signin.warning}</p>
      </Notice>
      {error ? <Failure error={error} /> : null}
      <Heading2 className="dmi-sr-only">{t.signin.list}</Heading2>
      <Loaded
        resource={identities}
        lines={8}
        height={420}
        isEmpty={(list) => list.length === 0}
        empty={<Empty title={t.signin.off}>{t.signin.offText}</Empty>}
      >
        {(list) => (
          <ul className="dmi-cards">
            {list.map((identity) => (
              <li key={identity.id} className="dmi-card">
                <p className="dmi-card__over">{term(identity.role)}</p>
                <h3 className="utrecht-heading-3">{identity.name}</h3>
                <Paragraph>{explanation(identity)}</Paragraph>
                <PrimaryActionButton
                  busy={busy === identity.id}
                  disabled={busy !== null}
                  aria-label={t.signin.choose(identity.name)}
                  onClick={() => void choose(identity)}
                >
                  {t.signin.chooseShort}
                </PrimaryActionButton>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <SignInOwn />
    </Page>
  );
}
