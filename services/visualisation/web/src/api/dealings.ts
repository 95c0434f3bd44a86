/** What participants do with each other beside agreements: act in each other's name, and pay. Amounts are whole cents. */
import type { HttpClient } from './http';
import { segment } from './http';
import type { Page } from './types';

export interface Mandate {
  id: string;
  mandator: string;
  mandatary: string;
  actions: string[];
  datasets: string[];
  purposes: string[];
  from: string;
  until: string;
  onward: number;
  parent?: string | null;
  state: 'active' | 'ended';
  ended_at: string | null;
  end_reason: string | null;
}

export interface NewMandate {
  mandatary: string;
  actions: string[];
  datasets: string[];
  purposes: string[];
  from: string;
  until: string;
  onward: number;
}

export interface Machine {
  id: string;
  title: string;
  participant: string;
  active: boolean;
  /** Ids of those in force. */
  mandates: string[];
}

export interface NewMachine {
  name: string;
  title: string;
  /** The public key as JWK. */
  key: Record<string, string>;
}

/** So many cents, without VAT, for so many of a unit. */
export interface Price {
  cents: number;
  per: number;
  unit: 'use' | 'month' | 'once';
}

/** What the next invoice would bill. */
export interface Unbilled {
  customer: string;
  agreement: string;
  rule: string;
  month: string;
  uses: number;
  price: Price;
  net: number;
}

export interface InvoiceLine {
  agreement: string;
  price: Price;
  count: number;
  net: number;
  rule?: string;
  month?: string;
}

export interface Invoice {
  id: string;
  number: string;
  kind?: 'invoice' | 'credit';
  /** The invoice that a credit note takes back. */
  credits?: string;
  credits_number?: string;
  supplier: string;
  customer: string;
  issued_at: string;
  due_at: string;
  net: number;
  vat: number;
  gross: number;
  open: number;
  lines: InvoiceLine[];
}

export type Account = 'debtors' | 'creditors' | 'revenue' | 'costs' | 'vat-due' | 'vat-paid' | 'bank';

/** What stands on an account about another party; debit is above zero. */
export interface Balance {
  account: Account;
  other: string;
  cents: number;
}

export interface Entry extends Balance {
  id: number;
  at: string;
  kind: 'invoice' | 'credit' | 'payment';
  /** Of the document that the entry is about. */
  number: string;
}

export interface Share {
  participant: string;
  name: string;
  offered: number;
  asked: number;
  short: number;
  /** Too early to say that it offers too little: it is in its first weeks. */
  early: boolean;
  rides_free: boolean;
  taken: { from: string; cents: number }[];
}

/** What an invoice says of a participant. */
export interface BillingDetails {
  name: string;
  scheme: '0106' | '0190';
  registration: string;
  street: string;
  postcode: string;
  city: string;
  vat_id?: string;
  vat_percent?: 0 | 9 | 21;
  exemption?: string;
  iban?: string;
}

export function dealingsApi(http: HttpClient) {
  const mandates = '/exchange/v1/mandates';
  const machines = '/exchange/v1/machines';
  const money = '/exchange/v1/transactions';
  return {
    mandates: (signal?: AbortSignal) => http.list<Mandate>(mandates, { signal }),
    mandate: (id: string, signal?: AbortSignal) => http.json<Mandate>(`${mandates}/${segment(id)}`, { signal }),
    give: async (body: NewMandate) => {
      const document = await http.json<object>(`${mandates}/draft`, { method: 'POST', body });
      return http.json<Mandate>(mandates, { method: 'POST', body: { document, hosted: true } });
    },
    endMandate: (id: string, reason: string) => http.json<Mandate>(`${mandates}/${segment(id)}/end`, { method: 'POST', body: { reason } }),
    machines: (signal?: AbortSignal) => http.list<Machine>(machines, { signal }),
    addMachine: (body: NewMachine) => http.json<Machine>(machines, { method: 'POST', body }),
    stopMachine: (id: string) => http.json<Machine>(`${machines}/${segment(id)}/end`, { method: 'POST' }),
    use: (signal?: AbortSignal) => http.list<Unbilled>(`${money}/use`, { signal }),
    invoices: (signal?: AbortSignal) => http.every<Invoice>(`${money}/invoices`, { signal }),
    issue: (customer: string) => http.json<Invoice>(`${money}/invoices`, { method: 'POST', body: { customer } }),
    paid: (id: string, cents: number) => http.json<Invoice>(`${money}/invoices/${segment(id)}/payments`, { method: 'POST', body: { cents } }),
    credit: (id: string, again: boolean) => http.json<Invoice>(`${money}/invoices/${segment(id)}/credit`, { method: 'POST', body: { bill_again: again } }),
    balances: (signal?: AbortSignal) => http.list<Balance>(`${money}/accounts`, { signal }),
    entries: async (of: Balance, signal?: AbortSignal) => {
      const found: Entry[] = [];
      let after: string | null = '0';
      while (after !== null) {
        const query: string = new URLSearchParams({ account: of.account, other: of.other, after, limit: '1000' }).toString();
        const page: Page<Entry> = await http.page<Entry>(`${money}/entries?${query}`, { signal });
        found.push(...page.items);
        after = page.next;
      }
      return found;
    },
    ubl: async (id: string) => (await http.raw(`${money}/invoices/${segment(id)}/ubl`)).blob(),
    commons: (signal?: AbortSignal) => http.list<Share>(`${money}/commons`, { signal }),
    details: (signal?: AbortSignal) => http.json<BillingDetails | null>(`${money}/details`, { signal }),
    keepDetails: (body: BillingDetails) => http.json<BillingDetails>(`${money}/details`, { method: 'PUT', body }),
  };
}
