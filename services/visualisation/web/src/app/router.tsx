/** A small router over the History API: the path is the page, the query its state. */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type AnchorHTMLAttributes, type ReactNode } from 'react';

export interface Location {
  path: string;
  query: URLSearchParams;
}

interface Router extends Location {
  navigate: (to: string, options?: { replace?: boolean }) => void;
}

const Context = createContext<Router | null>(null);

function read(): Location {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) };
}

export function RouterProvider({ children }: { children: ReactNode }) {
  const [location, setLocation] = useState(read);
  useEffect(() => {
    const listen = () => setLocation(read());
    window.addEventListener('popstate', listen);
    return () => window.removeEventListener('popstate', listen);
  }, []);
  const navigate = useCallback((to: string, options: { replace?: boolean } = {}) => {
    const before = window.location.pathname;
    if (options.replace) window.history.replaceState(null, '', to);
    else window.history.pushState(null, '', to);
    setLocation(read());
    if (window.location.pathname !== before) window.scrollTo(0, 0);
  }, []);
  const value = useMemo(() => ({ ...location, navigate }), [location, navigate]);
  return <Context value={value}>{children}</Context>;
}

export function useRouter(): Router {
  const value = useContext(Context);
  if (!value) throw new Error('useRouter needs a RouterProvider');
  return value;
}

/** Changes some keys of the query and keeps the rest; null removes a key. */
export function useQueryState(): [URLSearchParams, (changes: Record<string, string | null>) => void] {
  const { path, query, navigate } = useRouter();
  const change = (changes: Record<string, string | null>) => {
    const next = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) next.delete(key);
      else next.set(key, value);
    }
    const text = next.toString();
    navigate(text === '' ? path : `${path}?${text}`, { replace: true });
  };
  return [query, change];
}

/** Matches "/datasets/:id" on a path; gives the parts, or null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.replace(/\/+$/, '').split('/');
  if (path === '/' ? pattern !== '/' : wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':')) {
      if (actual === '') return null;
      found[part.slice(1)] = safeDecode(actual);
    } else if (part !== actual) return null;
  }
  return found;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Handles a plain left click inside the application; lets the browser do all others. */
export function useLinkClick(to: string) {
  const { navigate } = useRouter();
  return (event: React.MouseEvent<HTMLAnchorElement>) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(to);
  };
}

export function RouteLink({ to, children, className, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const click = useLinkClick(to);
  return (
    <a {...rest} href={to} onClick={click} className={className ?? 'utrecht-link utrecht-link--html-a'}>
      {children}
    </a>
  );
}
