/** Keeps one access token in memory and gets the next one half a minute before it ends. */
import { exchangeApi } from '../api/exchange';
import { HttpClient } from '../api/http';

export class TokenKeeper {
  private held: { identity: string; token: string; until: number } | null = null;
  private pending: Promise<string> | null = null;
  private readonly exchange = exchangeApi(
    new HttpClient({ token: () => Promise.resolve(null), renew: () => Promise.resolve(null), purpose: () => '' }),
  );

  async token(identity: string): Promise<string> {
    if (this.held?.identity === identity && this.held.until > Date.now()) return this.held.token;
    return this.renew(identity);
  }

  renew(identity: string): Promise<string> {
    this.pending ??= this.fetch(identity).finally(() => (this.pending = null));
    return this.pending;
  }

  private async fetch(identity: string): Promise<string> {
    const answer = await this.exchange.demoToken(identity);
    this.held = { identity, token: answer.access_token, until: Date.now() + (answer.expires_in - 30) * 1000 };
    return answer.access_token;
  }
}
