/** Ways to prove who one is without an account: a code from a letter, or a key of one's own. */
import type { Token } from '../api/types';
import type { exchangeApi } from '../api/exchange';

export type Exchange = ReturnType<typeof exchangeApi>;
/** Gets a fresh access token. */
export type Proof = (exchange: Exchange) => Promise<Token>;

export function byCode(code: string): Proof {
  return (exchange) => exchange.paperToken(code);
}

/** A private key as JWK, as `dmi participant add --key` writes it: ES256 (P-256) or EdDSA (Ed25519). */
interface PrivateJwk extends JsonWebKey {
  kid?: string;
}

const assertionSeconds = 60;

function algorithm(jwk: PrivateJwk): { name: string; header: string; parameters: EcKeyImportParams | Algorithm; sign: EcdsaParams | Algorithm } {
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') {
    return { name: 'ECDSA', header: 'ES256', parameters: { name: 'ECDSA', namedCurve: 'P-256' }, sign: { name: 'ECDSA', hash: 'SHA-256' } };
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return { name: 'Ed25519', header: 'EdDSA', parameters: { name: 'Ed25519' }, sign: { name: 'Ed25519' } };
  throw new TypeError('no private key');
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** RFC 7638: the digest of the members that make the key, in order. */
async function thumbprint(jwk: PrivateJwk): Promise<string> {
  const members = jwk.kty === 'EC' ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y } : { crv: jwk.crv, kty: jwk.kty, x: jwk.x };
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(members)))));
}

/**
 * The key of a file proves `participant` by a signed client assertion (RFC 7523). It stays in this page: the browser signs,
 * and nothing keeps the key. Throws ``TypeError`` or ``SyntaxError`` when the text holds no usable private key.
 */
export async function byKey(participant: string, text: string): Promise<Proof> {
  const jwk = JSON.parse(text) as PrivateJwk;
  const kind = algorithm(jwk);
  if (!jwk.d) throw new TypeError('no private key');
  const bare: JsonWebKey = { kty: jwk.kty, crv: jwk.crv, x: jwk.x, d: jwk.d, ...(jwk.kty === 'EC' ? { y: jwk.y } : {}) };
  const key = await crypto.subtle.importKey('jwk', bare, kind.parameters, false, ['sign']);
  const kid = await thumbprint(jwk);
  const encoded = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  return async (exchange) => {
    const now = Math.floor(Date.now() / 1000);
    const audience = `${window.location.origin}/exchange/token`;
    const claims = { iss: participant, sub: participant, aud: audience, iat: now, exp: now + assertionSeconds, jti: crypto.randomUUID() };
    const signed = `${encoded({ alg: kind.header, typ: 'JWT', kid })}.${encoded(claims)}`;
    const signature = await crypto.subtle.sign(kind.sign, key, new TextEncoder().encode(signed));
    return exchange.keyToken(`${signed}.${base64url(new Uint8Array(signature))}`);
  };
}
