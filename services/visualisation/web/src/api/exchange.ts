/** The shared facilities: identities, catalogue, agreements, consents, log, lineage. */
import { segment, type HttpClient } from './http';
import type * as M from './myTypes';
import type * as T from './types';

const base = '/exchange/v1';

/** Names a person that one represents; nothing for oneself. */
const of = (person: string) => (person === '' ? {} : { for: person });

export function exchangeApi(http: HttpClient) {
  return {
    identities: (signal?: AbortSignal) => http.list<T.Identity>(`${base}/demo/identities`, { public: true, signal }),
    demoToken: (identity: string) =>
      http.json<T.Token>(`${base}/demo/token`, { method: 'POST', body: { identity }, public: true }),
    paperToken: (code: string) => http.json<T.Token>(`${base}/paper/token`, { method: 'POST', body: { code }, public: true }),
    keyToken: (assertion: string) => {
      const form = new FormData();
      form.set('grant_type', 'client_credentials');
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      form.set('client_assertion', assertion);
      return http.json<T.Token>('/exchange/token', { method: 'POST', body: form, public: true });
    },
    myLetter: (language: string, person: string) => http.raw(`${base}/my-data/letter`, { method: 'POST', body: { language, ...of(person) } }).then((answer) => answer.blob()),
    representation: (person: string, signal?: AbortSignal) => http.json<T.Representation>(`${base}/participants/${segment(person)}/representatives`, { signal }),
    represent: (person: string, body: { representatives: string[]; of_age_on: string | null }) =>
      http.json<T.Participant>(`${base}/participants/${segment(person)}/representatives`, { method: 'PUT', body }),
    me: (signal?: AbortSignal) => http.json<T.Me>(`${base}/me`, { signal }),
    rulebook: (signal?: AbortSignal) => http.json<T.Rulebook>(`${base}/rulebook`, { signal }),
    participants: (signal?: AbortSignal) => http.every<T.Participant>(`${base}/participants`, { signal }),
    datasets: (signal?: AbortSignal) => http.list<T.Dataset>(`${base}/datasets`, { signal }),
    dataset: (id: string, signal?: AbortSignal) => http.json<T.Dataset>(`${base}/datasets/${segment(id)}`, { signal }),
    search: (query: { q?: string; bbox?: string | null; facet?: string[]; cursor?: string; limit?: number; facets?: boolean }, signal?: AbortSignal) =>
      http.json<T.CataloguePage>(`${base}/catalogue/search`, { query, signal }),
    entry: (id: string, signal?: AbortSignal) => http.json<T.CatalogueItem>(`${base}/catalogue/entries/${segment(id)}`, { signal }),
    createDataset: (body: T.NewDataset) => http.json<T.Dataset>(`${base}/datasets`, { method: 'POST', body }),
    agreements: (query: { state?: string; dataset?: string } = {}, signal?: AbortSignal) =>
      http.list<T.Agreement>(`${base}/agreements`, { query, signal }),
    agreement: (id: string, signal?: AbortSignal) =>
      http.json<T.Agreement>(`${base}/agreements/${segment(id)}`, { signal }),
    propose: (document: T.OdrlDocument) =>
      http.json<T.Agreement>(`${base}/agreements`, { method: 'POST', body: { document, hosted: true } }),
    refine: (id: string, document: T.OdrlDocument) =>
      http.json<T.Agreement>(`${base}/agreements/${segment(id)}/refinement`, { method: 'POST', body: { document, hosted: true } }),
    rounds: (id: string, signal?: AbortSignal) => http.list<T.Agreement>(`${base}/agreements/${segment(id)}/rounds`, { signal }),
    duties: (agreement: string | null, signal?: AbortSignal) => http.list<T.Duty>(`${base}/duties`, { query: { agreement }, signal }),
    performed: (id: string, duty: string) =>
      http.json<T.Agreement>(`${base}/agreements/${segment(id)}/performed`, { method: 'POST', body: { duty } }),
    agreementUse: (hours: number, signal?: AbortSignal) => http.json<T.AgreementUse>(`${base}/log/usage/agreements`, { query: { hours }, signal }),
    draft: (template: string, parameters: T.Parameters, signal?: AbortSignal) =>
      http.json<T.OdrlDocument>(`${base}/agreements/draft`, { method: 'POST', body: { template, parameters }, signal }),
    offers: (dataset: string, signal?: AbortSignal) => http.list<T.Offer>(`${base}/offers`, { query: { dataset }, signal }),
    offer: (body: { dataset: string; template: string; parameters: T.Parameters }) => http.json<T.Offer>(`${base}/offers`, { method: 'POST', body }),
    endOffer: (id: string) => http.json<undefined>(`${base}/offers/${segment(id)}/end`, { method: 'POST' }),
    nodes: (signal?: AbortSignal) => http.list<T.CityNode>(`${base}/nodes`, { signal }),
    nodeCatalogue: (query: { node: string; text?: string; dataset?: string; cursor?: string }, signal?: AbortSignal) => http.json<T.NodeCatalogue>(`${base}/nodes/catalogue`, { query, signal }),
    /** All that go on, and the newest of those that are over: there are ever more of these, and a page asks often. */
    negotiations: async (signal?: AbortSignal) => {
      const [newest, open] = await Promise.all([
        http.list<T.Negotiation>(`${base}/negotiations`, { query: { limit: 100 }, signal }),
        http.every<T.Negotiation>(`${base}/negotiations`, { query: { open: true }, signal }),
      ]);
      return [...new Map([...newest, ...open].map((one) => [one.id, one])).values()];
    },
    negotiation: (id: string, signal?: AbortSignal) => http.json<T.Negotiation>(`${base}/negotiations/${segment(id)}`, { signal }),
    negotiate: (body: { provider: string; address: string; dataset: string; offer: T.SpelledPolicy }) =>
      http.json<T.Negotiation>(`${base}/negotiations`, { method: 'POST', body }),
    answer: (id: string, step: 'accept' | 'offer' | 'signature' | 'end', body?: unknown) =>
      http.json<T.Negotiation>(`${base}/negotiations/${segment(id)}/${step}`, { method: 'POST', body }),
    transfers: (agreement: string, signal?: AbortSignal) => http.every<T.Transfer>(`${base}/transfers`, { query: { agreement }, signal }),
    transfer: (body: { provider: string; agreement: string; format: string }) => http.json<T.Transfer>(`${base}/transfers`, { method: 'POST', body }),
    turnTransfer: (id: string, step: 'start' | 'suspend' | 'end', reason?: string) =>
      http.json<T.Transfer>(`${base}/transfers/${segment(id)}/${step}`, { method: 'POST', body: reason === undefined ? undefined : { reason } }),
    toSign: (id: string, signal?: AbortSignal) => http.json<T.OdrlDocument>(`${base}/negotiations/${segment(id)}/document`, { signal }),
    /** `entry`: a dataset that is about to be entered, to judge the document as if it were. */
    review: (document: T.OdrlDocument, signal?: AbortSignal, entry?: T.NewDataset) =>
      http.json<T.Verdict>(`${base}/review`, { method: 'POST', body: { document, entry }, signal }),
    sign: (id: string) =>
      http.json<T.Agreement>(`${base}/agreements/${segment(id)}/signature`, { method: 'POST', body: { hosted: true } }),
    end: (id: string, reason: string) =>
      http.json<T.Agreement>(`${base}/agreements/${segment(id)}/end`, { method: 'POST', body: { reason } }),
    represented: (signal?: AbortSignal) => http.list<M.Represented>(`${base}/consents/represented`, { signal }),
    consents: (person: string, signal?: AbortSignal) => http.list<T.Agreement>(`${base}/consents`, { query: { for: person }, signal }),
    consent: (body: { dataset: string; purpose: string; recipients: string[]; cut_ends_m?: number; coarsen_m?: number; minimum_group?: number }, person: string) =>
      http.list<T.Agreement>(`${base}/consents`, { method: 'POST', body: { ...body, ...of(person) } }),
    withdraw: (id: string) =>
      http.json<T.Agreement>(`${base}/consents/${segment(id)}/withdraw`, { method: 'POST', body: {} }),
    receipt: (id: string, language: string) =>
      http.raw(`${base}/consents/${segment(id)}/receipt`, { query: { format: 'pdf', language } }).then((answer) => answer.blob()),
    renew: (id: string) => http.json<T.Agreement>(`${base}/consents/${segment(id)}/renewal`, { method: 'POST' }),
    myUses: (days: number, person: string, signal?: AbortSignal) => http.json<M.OwnUses>(`${base}/my-data/uses`, { query: { days, for: person }, signal }),
    myDatasets: (person: string, signal?: AbortSignal) => http.list<M.OwnDataset>(`${base}/my-data/datasets`, { query: { for: person }, signal }),
    myRequests: (person: string, signal?: AbortSignal) => http.list<M.SubjectRequest>(`${base}/my-data/requests`, { query: { for: person }, signal }),
    myTold: (person: string, signal?: AbortSignal) => http.list<M.Told>(`${base}/my-data/told`, { query: { for: person }, signal }),
    notices: (signal?: AbortSignal) => http.list<M.SubjectNotice>(`${base}/notices`, { query: { open: true }, signal }),
    answerNotice: (id: string, outcome: string, text: string) =>
      http.json<M.SubjectNotice>(`${base}/notices/${segment(id)}/answer`, { method: 'POST', body: { outcome, text } }),
    myCopy: (person: string) => http.raw(`${base}/my-data/copy`, { query: { for: person } }).then((answer) => answer.arrayBuffer()),
    stopAll: (purpose: string, person: string) =>
      http.list<T.Agreement>(`${base}/my-data/stop`, { method: 'POST', body: { ...(purpose === '' ? {} : { purpose }), ...of(person) } }),
    erase: (dataset: string, person: string) =>
      http.list<M.SubjectRequest>(`${base}/my-data/erasure`, { method: 'POST', body: { ...(dataset === '' ? {} : { datasets: [dataset] }), ...of(person) } }),
    objectTo: (body: { dataset: string; reason: string }, person: string) =>
      http.json<M.SubjectRequest>(`${base}/my-data/objection`, { method: 'POST', body: { ...body, ...of(person) } }),
    correct: (body: { dataset: string; corrections: { datastream: string; time: string; result: number | null }[] }, person: string) =>
      http.json<M.SubjectRequest>(`${base}/my-data/rectification`, { method: 'POST', body: { ...body, ...of(person) } }),
    endRequest: (id: string) => http.json<M.SubjectRequest>(`${base}/my-data/requests/${segment(id)}/end`, { method: 'POST', body: {} }),
    log: (query: { after?: string | number; before?: string | number; limit?: number; dataset?: string; newest?: boolean; outcome?: string; agreement?: string; participant?: string }, signal?: AbortSignal) =>
      http.page<T.LogEntry>(`${base}/log`, { query, signal }),
    explanation: (sequence: number, signal?: AbortSignal) => http.json<T.Explanation>(`${base}/log/${sequence}/explanation`, { signal }),
    usage: (query: { hours?: number; dataset?: string } = {}, signal?: AbortSignal) =>
      http.json<T.Usage>(`${base}/log/usage`, { query, signal }),
    verifyLog: (signal?: AbortSignal) => http.json<T.LogVerification>(`${base}/log/verify`, { signal }),
    /** All of one's entries under the newest head, page after page; those of one agreement; linked to what was kept before. */
    evidence: async (about: { agreement?: string; since?: number } = {}): Promise<T.Evidence> => {
      const ask = (query: Record<string, string | number | undefined>) => http.json<T.Evidence>(`${base}/log/evidence`, { query: { limit: 500, agreement: about.agreement, ...query } });
      const whole = await ask({ since: about.since });
      for (let next = whole.next; next !== null;) {
        const page = await ask({ after: next, tree_size: whole.head.tree_size });
        whole.entries.push(...page.entries);
        next = page.next;
      }
      return { ...whole, next: null };
    },
    lineage: (id: string, signal?: AbortSignal) => http.json<T.Lineage>(`${base}/lineage/${segment(id)}`, { signal }),
    dependents: (id: string, signal?: AbortSignal) =>
      http.list<T.Dependent>(`${base}/lineage/${segment(id)}/dependents`, { signal }),
  };
}
