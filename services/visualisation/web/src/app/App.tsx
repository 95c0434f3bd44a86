import { I18nProvider } from '../i18n';
import { Crash } from './Crash';
import { LiveProvider } from './live';
import { NamesProvider } from './names';
import { Pages } from './pages';
import { RouterProvider } from './router';
import { SessionProvider } from './session';
import { Shell } from './Shell';

export function App() {
  return (
    <I18nProvider>
      <Crash>
        <RouterProvider>
          <SessionProvider>
            <LiveProvider>
              <NamesProvider>
                <Shell>
                  <Pages />
                </Shell>
              </NamesProvider>
            </LiveProvider>
          </SessionProvider>
        </RouterProvider>
      </Crash>
    </I18nProvider>
  );
}
