/** What stands around every page: skip link, demonstration banner, header, menu, content, footer. */
import { useEffect, useState, type ReactNode } from 'react';
import { SkipLink } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';
import { Icon } from '../ui/Icon';
import { MainMenu } from './MainMenu';
import { useNames } from './names';
import { RouteLink, useRouter } from './router';
import { useSession } from './session';
import { useNow } from './useNow';

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const { identity } = useSession();
  const names = useNames();
  const { path } = useRouter();
  const [openOn, setOpenOn] = useState<string | null>(null);
  // The menu belongs to the page it was opened on, so going elsewhere closes it.
  const open = openOn === path;
  const setOpen = (next: boolean) => setOpenOn(next ? path : null);
  const signedIn = identity !== null && path !== '/signin';
  // Who opens the map without being signed in sees the page to sign in, which has the frame of all others.
  const wide = signedIn && path === '/map';

  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setOpenOn(null);
    };
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [open]);

  return (
    <div className={wide ? 'dmi-shell dmi-shell--full' : 'dmi-shell'}>
      <SkipLink href="#content">{t.shell.skip}</SkipLink>
      <header className="dmi-top">
        {identity && signedIn ? <DemoBanner /> : null}
        <div className="dmi-header">
          {signedIn ? (
            <button type="button" className="dmi-menu-button" aria-expanded={open} aria-controls="menu" onClick={() => setOpen(!open)}>
              <Icon name={open ? 'close' : 'menu'} />
              {open ? t.shell.closeMenu : t.shell.menu}
            </button>
          ) : null}
          <RouteLink to="/" className="dmi-brand">
            <img src="/icon.svg" alt="" width={32} height={32} />
            <span>
              {t.shell.product} <span className="dmi-brand__city">{names.city}</span>
            </span>
          </RouteLink>
          <div className="dmi-header__tools">
            {signedIn ? <PurposeChoice /> : null}
            <LanguageSwitch />
          </div>
        </div>
        {signedIn ? <CityClock /> : null}
      </header>
      <div className="dmi-body">
        {signedIn ? (
          <nav id="menu" className={open ? 'dmi-nav dmi-nav--open' : 'dmi-nav'} aria-label={t.shell.mainNav}>
            <MainMenu />
          </nav>
        ) : null}
        <main id="content" tabIndex={-1} className="dmi-main">
          {children}
        </main>
      </div>
      {wide ? null : <footer className="dmi-footer">{t.shell.footer}</footer>}
    </div>
  );
}

function DemoBanner() {
  const { t, term } = useI18n();
  const { identity } = useSession();
  if (!identity) return null;
  return (
    <div className="dmi-demo">
      <Icon name="warning" />
      <p>
        <strong>{t.shell.demoTitle}: {identity.name}, {term(identity.role)}.</strong>{' '}
        <span className="dmi-demo__text">{t.shell.demoText(identity.name)}</span>
      </p>
      <RouteLink to="/signin" className="dmi-demo__link">
        {t.shell.switchIdentity}
      </RouteLink>
    </div>
  );
}

/** Told once to who has another clock: all times on the pages are the city's. */
function CityClock() {
  const { t, elsewhere, time } = useI18n();
  const now = useNow();
  return elsewhere ? <p className="dmi-clock"><Icon name="info" size={16} /> <span>{t.shell.otherClock(time(now))}</span></p> : null;
}

function LanguageSwitch() {
  const { t, language, setLanguage } = useI18n();
  const other = language === 'nl' ? 'en' : 'nl';
  return (
    <button type="button" className="dmi-text-button" lang={other} onClick={() => setLanguage(other)}>
      {t.shell.otherLanguage}
    </button>
  );
}

function PurposeChoice() {
  const { t, say } = useI18n();
  const { purpose, setPurpose } = useSession();
  const { purposes } = useNames();
  return (
    <label className="dmi-purpose" title={t.shell.purposeHelp}>
      <span>{t.shell.purposeLabel}</span>
      <select aria-label={t.shell.purposeLabel} value={purpose} onChange={(event) => setPurpose(event.target.value)}>
        <option value="">{t.shell.purposeOwn}</option>
        {purposes.map((one) => (
          <option key={one.id} value={one.id}>
            {say(one.label)}
          </option>
        ))}
      </select>
    </label>
  );
}
