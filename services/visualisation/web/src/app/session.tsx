/** Who is signed in, for which purpose they look, and the one API client of the application. */
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';
import { createApi, type Api, type Identity } from '../api';
import type { Proof } from './proofs';
import { TokenKeeper } from './tokens';

const identityKey = 'dmi.identity';
const purposeKey = 'dmi.purpose';
/** The identity of who signed in without an account. */
export const ownIdentity = 'own';
/** No purpose chosen: every dataset is asked for the purpose that it is collected for. */
export const defaultPurpose = '';

export interface Session {
  identity: Identity | null;
  purpose: string;
  setPurpose: (purpose: string) => void;
  signIn: (identity: Identity) => Promise<void>;
  /** Signs in by a code or key, without an account; ends with this page. */
  signInBy: (proof: Proof) => Promise<void>;
  signOut: () => void;
  api: Api;
}

const Context = createContext<Session | null>(null);

function storedIdentity(): Identity | null {
  try {
    return JSON.parse(sessionStorage.getItem(identityKey) ?? 'null') as Identity | null;
  } catch {
    return null;
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [identity, setIdentity] = useState<Identity | null>(storedIdentity);
  const [purpose, setPurposeState] = useState(() => sessionStorage.getItem(purposeKey) ?? defaultPurpose);
  const [keeper] = useState(() => new TokenKeeper());

  const api = useMemo(() => {
    const id = identity?.id ?? null;
    return createApi({
      token: () => (id === null ? Promise.resolve(null) : keeper.token(id)),
      renew: () => (id === null ? Promise.resolve(null) : keeper.renew(id)),
      purpose: () => purpose,
    });
  }, [identity, purpose, keeper]);

  const signIn = useCallback(
    async (chosen: Identity) => {
      await keeper.renew(chosen.id);
      sessionStorage.setItem(identityKey, JSON.stringify(chosen));
      setIdentity(chosen);
    },
    [keeper],
  );
  const signInBy = useCallback(
    async (proof: Proof) => {
      const token = await keeper.prove(ownIdentity, proof);
      const me = await createApi({ token: () => Promise.resolve(token), renew: () => Promise.resolve(null), purpose: () => '' }).exchange.me();
      sessionStorage.removeItem(identityKey);
      setIdentity({ id: ownIdentity, name: me.name, role: 'resident', participant: me.participant, description: {}, onPaper: me.on_paper ?? false });
    },
    [keeper],
  );
  const signOut = useCallback(() => {
    sessionStorage.removeItem(identityKey);
    setIdentity(null);
  }, []);
  const setPurpose = useCallback((next: string) => {
    sessionStorage.setItem(purposeKey, next);
    setPurposeState(next);
  }, []);
  const value = useMemo(
    () => ({ identity, purpose, setPurpose, signIn, signInBy, signOut, api }),
    [identity, purpose, setPurpose, signIn, signInBy, signOut, api],
  );
  return <Context value={value}>{children}</Context>;
}

/** Whether somebody is a resident, who takes part by consents and not by agreements. */
export function isPerson(participant: string | undefined): boolean {
  return participant?.startsWith('urn:dmi:person:') ?? false;
}

export function useSession(): Session {
  const value = useContext(Context);
  if (!value) throw new Error('useSession needs a SessionProvider');
  return value;
}

export function useApi(): Api {
  return useSession().api;
}
