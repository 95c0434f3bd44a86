/** Keeps one access token in memory and gets the next one half a minute before it ends. */
import { exchangeApi } from '../api/exchange';
import { HttpClient } from '../api/http';
import type { Token } from '../api/types';
import type { Proof } from './proofs';

export class TokenKeeper {
  private held: { identity: string; token: string; until: number } | null = null;
  /** How identities without an account prove themselves; in this page alone, so that they end with it. */
  private readonly proofs = new Map<string, Proof>();
  private pending: Promise<string> | null = null;
  private readonly exchange = exchangeApi(
    new HttpClient({ token: () => Promise.resolve(null), renew: () => Promise.resolve(null), purpose: () => '' }),
  );

  /** From now on `identity` gets its tokens by this proof; throws when it proves nothing. */
  async prove(identity: string, proof: Proof): Promise<string> {
    const answer = await proof(this.exchange);
    this.proofs.set(identity, proof);
    return this.hold(identity, answer);
  }

  async token(identity: string): Promise<string> {
    if (this.held?.identity === identity && this.held.until > Date.now()) return this.held.token;
    return this.renew(identity);
  }

  renew(identity: string): Promise<string> {
    this.pending ??= this.fetch(identity).finally(() => (this.pending = null));
    return this.pending;
  }

  private async fetch(identity: string): Promise<string> {
    const proof = this.proofs.get(identity);
    return this.hold(identity, proof ? await proof(this.exchange) : await this.exchange.demoToken(identity));
  }

  private hold(identity: string, answer: Token): string {
    this.held = { identity, token: answer.access_token, until: Date.now() + (answer.expires_in - 30) * 1000 };
    return answer.access_token;
  }
}
