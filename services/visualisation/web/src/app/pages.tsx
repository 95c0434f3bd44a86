/** Which page belongs to which path. Every page is its own piece of the build, fetched when it is opened. */
import { lazy, Suspense, useEffect, type ComponentType } from 'react';
import { Paragraph } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';
import { Page } from '../ui/Page';
import { Skeleton } from '../ui/State';
import { ButtonLink } from '../ui/ButtonLink';
import { SignInPage } from '../pages/SignInPage';
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
  ['/lineage/:id', lazy(() => import('../pages/LineagePage'))],
  ['/scenarios', lazy(() => import('../pages/ScenariosPage'))],
  ['/scenarios/:id', lazy(() => import('../pages/ScenarioPage'))],
  ['/scenarios/:id/merge', lazy(() => import('../pages/MergePage'))],
  ['/forecasts', lazy(() => import('../pages/ForecastsPage'))],
  ['/measures', lazy(() => import('../pages/MeasuresPage'))],
  ['/my-data', lazy(() => import('../pages/MyDataPage'))],
  ['/log', lazy(() => import('../pages/LogPage'))],
  ['/sources', lazy(() => import('../pages/SourcesPage'))],
  ['/publish', lazy(() => import('../pages/PublishPage'))],
  ['/operations', lazy(() => import('../pages/OperationsPage'))],
];

export function Pages() {
  const { path } = useRouter();
  const { identity, purpose } = useSession();
  useFocusOnNewPage(path);
  if (!identity || path === '/signin') return <SignInPage />;
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
