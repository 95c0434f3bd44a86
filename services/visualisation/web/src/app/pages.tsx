/** Which page belongs to which path. Every page is its own piece of the build, fetched when it is opened. */
import { lazy, Suspense, useEffect, type ComponentType } from 'react';
import { Paragraph, PrimaryActionButton } from '@utrecht/component-library-react';
import { codeOf } from '../api/problem';
import { useI18n } from '../i18n';
import { Page } from '../ui/Page';
import { Skeleton } from '../ui/State';
import { ButtonLink } from '../ui/ButtonLink';
import { SignInPage } from '../pages/SignInPage';
import { useNames } from './names';
import { matchPath, useRouter } from './router';
import { useSession } from './session';

export type PageProps = { params: Record<string, string> };

const routes: [string, ComponentType<PageProps>][] = [
  ['/', lazy(() => import('../pages/HomePage'))],
  ['/map', lazy(() => import('../pages/MapPage'))],
  ['/catalogue', lazy(() => import('../pages/CataloguePage'))],
  ['/catalogue/:id', lazy(() => import('../pages/DatasetPage'))],
  ['/agreements', lazy(() => import('../pages/AgreementsPage'))],
  ['/agreements/:id', lazy(() => import('../pages/AgreementPage'))],
  ['/nodes', lazy(() => import('../pages/NodesPage'))],
  ['/negotiations/:id', lazy(() => import('../pages/NegotiationPage'))],
  ['/lineage/:id', lazy(() => import('../pages/LineagePage'))],
  ['/scenarios', lazy(() => import('../pages/ScenariosPage'))],
  ['/scenarios/:id', lazy(() => import('../pages/ScenarioPage'))],
  ['/scenarios/:id/merge', lazy(() => import('../pages/MergePage'))],
  ['/forecasts', lazy(() => import('../pages/ForecastsPage'))],
  ['/measures', lazy(() => import('../pages/MeasuresPage'))],
  ['/my-data', lazy(() => import('../pages/MyDataPage'))],
  ['/mandates', lazy(() => import('../pages/MandatesPage'))],
  ['/mandates/:id', lazy(() => import('../pages/MandatePage'))],
  ['/transactions', lazy(() => import('../pages/TransactionsPage'))],
  ['/inspection', lazy(() => import('../pages/InspectionPage'))],
  ['/inspection/:id', lazy(() => import('../pages/InspectedPage'))],
  ['/log', lazy(() => import('../pages/LogPage'))],
  ['/sources', lazy(() => import('../pages/SourcesPage'))],
  ['/publish/dataset', lazy(() => import('../pages/OfferPage'))],
  ['/publish', lazy(() => import('../pages/PublishPage'))],
  ['/desk', lazy(() => import('../pages/DeskPage'))],
  ['/operations', lazy(() => import('../pages/OperationsPage'))],
];

export function Pages() {
  const { path } = useRouter();
  const { identity, purpose } = useSession();
  const { refused } = useNames();
  useFocusOnNewPage(path);
  if (!identity || path === '/signin') return <SignInPage />;
  if (refused) return <NotMember signed={codeOf(refused.problem) !== 'rulebook_not_signed'} />;
  for (const [pattern, Component] of routes) {
    const params = matchPath(pattern, path);
    if (params) {
      return (
        <Suspense fallback={<Skeleton lines={6} height={480} />}>
          <Component key={`${identity.id} ${purpose} ${path}`} params={params} />
        </Suspense>
      );
    }
  }
  return <NotFound />;
}

/** After going to another page the focus starts at its content, as it would after a page load. */
function useFocusOnNewPage(path: string) {
  useEffect(() => {
    if (document.activeElement && document.activeElement !== document.body) {
      document.getElementById('content')?.focus({ preventScroll: true });
    }
  }, [path]);
}

/** One page in the place of a refusal at every part of every page. */
function NotMember({ signed }: { signed: boolean }) {
  const { t } = useI18n();
  return (
    <Page title={signed ? t.shell.notMember : t.shell.notSigned} lead={signed ? t.shell.notMemberText : t.shell.notSignedText}>
      <ol className="dmi-edits">
        {(signed ? [t.shell.stepAdmit, t.shell.stepSign, t.shell.stepBack] : [t.shell.stepSign, t.shell.stepBack]).map((step) => <li key={step}>{step}</li>)}
      </ol>
      <div className="dmi-actions">
        <PrimaryActionButton onClick={() => window.location.reload()}>{t.common.retry}</PrimaryActionButton>
        <ButtonLink to="/signin">{t.shell.switchIdentity}</ButtonLink>
      </div>
    </Page>
  );
}

function NotFound() {
  const { t } = useI18n();
  return (
    <Page title={t.shell.notFound}>
      <Paragraph>{t.shell.notFoundText}</Paragraph>
      <p>
        <ButtonLink to="/">{t.shell.start}</ButtonLink>
      </p>
    </Page>
  );
}
