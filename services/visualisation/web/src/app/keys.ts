/** Pairs of keys that are made in the browser: the private part is handed to the reader and kept nowhere else. */

/** ES256 (RFC 7518 §6.2): what the exchange gets, and the whole of it as the file of its holder. */
export interface KeyPair {
  open: Record<'kty' | 'crv' | 'x' | 'y', string>;
  file: Blob;
}

/** Throws ``TypeError`` in a browser that makes no keys here, such as on a page without TLS. */
export async function makeKeyPair(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  if (!x || !y || !d) throw new TypeError('no key was made');
  const open = { kty: 'EC', crv: 'P-256', x, y };
  return { open, file: new Blob([JSON.stringify({ ...open, d })], { type: 'application/json' }) };
}
