/** Shows a part of a page as somebody sees it, before services that answer what a test says. */
import { act, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { vi } from 'vitest';
import type { Identity } from '../src/api';
import { LiveProvider } from '../src/app/live';
import { NamesProvider } from '../src/app/names';
import { RouterProvider } from '../src/app/router';
import { SessionProvider } from '../src/app/session';
import { I18nProvider } from '../src/i18n';

const general: Record<string, unknown> = {
  '/exchange/v1/demo/token': { access_token: 'x', expires_in: 3600 },
  '/exchange/v1/participants': { items: [], next: null },
  '/exchange/v1/datasets': { items: [], next: null },
  '/exchange/v1/rulebook': { version: '1.0.0', purposes: [] },
};

export function somebody(participant: string, role = 'officer'): Identity {
  return { id: role, name: 'Fatima', role, participant, description: {} };
}

/** `answers` by path; what is not named answers 404. */
export async function shown(part: ReactNode, who: Identity, answers: Record<string, unknown> = {}, language = 'nl', asked: (path: string) => void = () => undefined): Promise<HTMLElement> {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  const all = { ...general, ...answers };
  vi.stubGlobal('fetch', (input: RequestInfo | URL) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input, 'http://city.example');
    asked(pathname);
    const found = all[pathname];
    return Promise.resolve(Response.json(found ?? { status: 404 }, { status: found === undefined ? 404 : 200 }));
  });
  localStorage.setItem('dmi.language', language);
  sessionStorage.setItem('dmi.identity', JSON.stringify(who));
  const place = document.body.appendChild(document.createElement('div'));
  const root = createRoot(place);
  await act(async () => {
    root.render(
      <I18nProvider><RouterProvider><SessionProvider><LiveProvider><NamesProvider>{part}</NamesProvider></LiveProvider></SessionProvider></RouterProvider></I18nProvider>,
    );
    // All that is asked is answered at once; one turn of the clock later it stands on the page.
    await new Promise((done) => setTimeout(done, 20));
  });
  return place;
}
