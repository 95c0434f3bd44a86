/** Enters data with its first agreements in steps that can be gone on with: what was stored once is not stored again. */
import type { Agreement, NewDataset, OdrlDocument } from '../../api';

/** How far it came. */
export interface Begun {
  /** Of the dataset, from its first name on: another name given later changes its title alone. */
  id: string;
  /** The entry as it was stored. */
  entry: string;
  /** The proposals that were made, by their text. */
  agreements: { id: string; text: string }[];
}

export interface Exchange {
  createDataset: (entry: NewDataset) => Promise<unknown>;
  propose: (document: OdrlDocument) => Promise<Pick<Agreement, 'id'>>;
  end: (id: string, reason: string) => Promise<unknown>;
}

export interface Wanted {
  entry: NewDataset & { id: string };
  agreements: OdrlDocument[];
  /** Why a proposal is taken back whose conditions were changed before all was done. */
  changed: string;
}

/** Goes on behind `begun`, and tells `keep` of each step once it is done; throws what a step throws. */
export async function enter(exchange: Exchange, wanted: Wanted, begun: Begun | null, keep: (begun: Begun) => void): Promise<Begun> {
  const id = begun?.id ?? wanted.entry.id;
  let now: Begun = begun ?? { id, entry: '', agreements: [] };
  const done = (next: Partial<Begun>) => {
    now = { ...now, ...next };
    keep(now);
  };
  const entry = { ...wanted.entry, id };
  if (now.entry !== JSON.stringify(entry)) {
    await exchange.createDataset(entry);
    done({ entry: JSON.stringify(entry) });
  }
  const texts = wanted.agreements.map(textOf);
  for (const old of now.agreements.filter((one) => !texts.includes(one.text))) {
    await exchange.end(old.id, wanted.changed);
    done({ agreements: now.agreements.filter((one) => one !== old) });
  }
  for (const document of wanted.agreements) {
    const text = textOf(document);
    if (now.agreements.some((one) => one.text === text)) continue;
    const made = await exchange.propose(document);
    done({ agreements: [...now.agreements, { id: made.id, text }] });
  }
  return now;
}

/** What a document says; its id is new each time that it is drawn up. */
function textOf(document: OdrlDocument): string {
  return JSON.stringify({ ...document, uid: '' });
}
