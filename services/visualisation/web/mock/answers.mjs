// What the mock answers to each path; state changes (stop, withdraw, approve, edit) live in this process.
import { fromGeojsonVt } from '@maplibre/vt-pbf';
import { GeoJSONVT } from '@maplibre/geojson-vt';
import * as city from './city.mjs';

const measured = { 'amsterdam-garages': [{ name: 'occupancy', unit: '{vehicle}' }, { name: 'free_spaces', unit: '{vehicle}' }], snuffelfiets: [{ name: 'pm2_5', unit: 'ug/m3' }], 'sail-crowd': [{ name: 'crowd_count', unit: '{person}' }] };
const now = () => city.iso(Date.now());
const problem = (status, code, detail, extra = {}) => ({ status, problem: { type: `urn:dmi:problem:${code}`, title: 'Refused', status, detail, ...extra } });
const items = (list, next = null) => ({ items: list, next });
const shared = (id) => scenarios.find((one) => one.id === id || one.share === id);
const find = (list, id) => list.find((one) => one.id === id);
const missing = problem(404, 'not-found', 'nothing is known under this id');

const ended = (dataset) => city.agreements.find((a) => a.datasets[0] === dataset && a.assignee === city.stack && a.state === 'ended');
const refusal = (dataset) => {
  const a = ended(dataset);
  return a ? { type: 'urn:dmi:problem:ended', reasons: [{ code: 'ended', detail: 'the agreement was ended', agreement: a.id, moment: a.ended_at }], agreement: a.id, moment: a.ended_at, detail: 'the agreement was ended' } : null;
};
const refusedProblem = (dataset) => problem(403, 'refused', refusal(dataset).detail, refusal(dataset));

const log = Array.from({ length: 240 }, (_, i) => {
  const d = city.datasets[i % 5];
  const allowed = i % 11 !== 3;
  return {
    sequence: 12_000 + i, hash: `sha256:${i}`, id: `r${i}`, at: city.ago((240 - i) * 37), service: ['visualisation', 'platform', 'support-centre'][i % 3], crossing: ['query', 'tile', 'share'][i % 3],
    assignee: [city.stack, city.vendor, city.owner][i % 3], action: ['dmi:display', 'dmi:read', 'dmi:analyse'][i % 3], dataset: d.id, purpose: ['dmi:purpose:mobility', 'dmi:purpose:crowd-safety', 'dmi:purpose:air-quality'][i % 3],
    allowed, reasons: allowed ? [] : ['no_agreement'], agreements: [city.agreements[i % 5].id], persons: d.personal ? 3 : 0, rows: (i * 53) % 4000,
  };
}).reverse();

const offers = [];
const templates = [{ id: 'dmi:template:sensor-data', label: { nl: 'Sensorgegevens voor een publieke taak', en: 'Sensor data for a public task' }, description: { nl: 'Een deelnemer gebruikt sensorgegevens voor één taak.', en: 'A participant uses sensor data for one task.' }, parameters: [['assignee', 'participant', 'Wie krijgt het recht?'], ['actions', 'actions', 'Wat mag ermee gebeuren?'], ['purpose', 'purpose', 'Voor welk doel?']].map(([name, kind, nl]) => ({ name, kind, label: { nl, en: nl }, required: true })) }];
const rounds = (id) => { const one = find(city.agreements, id); return one ? [...(one.replaces ? rounds(one.replaces) : []), one] : []; };
const refined = (before, document, by) => {
  const made = { ...before, id: document.uid ?? `urn:uuid:${crypto.randomUUID()}`, document, signatures: { [by]: 'x' }, waiting_for: [before.assigner, before.assignee].filter((one) => one !== by), replaces: before.id, replaced_by: null };
  Object.assign(before, { state: 'ended', ended_at: now(), ended_by: by, replaced_by: made.id });
  city.agreements.push(made);
  return made;
};

const forecasts = () => city.garages.filter((g) => g[5] !== null).flatMap(([t, name, , , cap, share]) => Array.from({ length: 8 }, (_, k) => {
  const mid = Math.min(cap, cap * (share + 0.02 * k));
  const width = cap * 0.02 * (k + 1);
  const soon = Math.floor(Date.now() / 900_000) * 900_000;
  const gone = ended(city.datasets[0].id);
  return { id: `forecast:${t}:${k}`, result: `forecast:${t}:0`, place: `garages.${t}`, name, issued_at: city.iso(soon), valid_at: city.iso(soon + (k + 1) * 900_000), p10: Math.round(mid - width), p50: Math.round(mid), p90: Math.round(Math.min(cap, mid + width)), unit: '{vehicle}', capacity: cap, withdrawn: gone !== undefined, withdrawal: gone ? { agreement: gone.id, moment: gone.ended_at, detail: 'ended' } : null, grounds: { datasets: [city.datasets[0].id] } };
}));
const scores = city.garages.slice(0, 5).flatMap(([t], i) => [15, 30, 60, 120].map((h) => ({ place: `garages.${t}`, horizon_min: h, mae: 3 + h / 12 + i, mae_persistence: 4 + h / 6 + i, mae_last_week: i === 3 ? 2 : 14 + i * 1.7, coverage: 0.76 + ((h + i) % 8) / 100, count: 2688 })));

const figure = (f, change = {}) => {
  const { inhabitants, jobs, green_m2 } = f;
  const base = { inhabitants, jobs, green_m2, green_per_inhabitant: green_m2 / inhabitants, parking_demand: Math.round(inhabitants * 0.42), trips: Math.round(inhabitants * 2.71) };
  return { ...base, ...change };
};
const version = (number, edits, more = {}) => ({ version: number, parent: number > 1 ? number - 1 : null, created_at: city.ago(86_400 / number), by: 'Mei Lin de Wit', edits, baseline: 'b1', merged: null, ...more });
const scenario = (n, title, parent, edits, more = {}) => ({ id: `5ce00000-0000-4000-8000-00000000000${n}`, title, parent: parent && { id: parent, title: 'Kantoren Nachtwachtlaan naar woningen en groen' }, version: edits.length + 1, versions: [...edits, null].map((_, i) => version(i + 1, i)), edits, owner: city.owner, owner_name: 'Mei Lin de Wit', created_at: city.ago(86_400), baseline: 'b1', baseline_at: city.ago(90_000), withdrawn: false, withdrawal: null, stale: [], share: `share-abcdefghijklmnopqrstuv${n}`, may_edit: true, ...more });
const offices = (mix) => ({ type: 'redevelop', area: { neighbourhood: 'BU09990002' }, from: 'office', mix });
const scenarios = [
  scenario(1, 'Kantoren Nachtwachtlaan naar woningen en groen', null, [offices({ housing: 0.6, green: 0.4 })], { stale: ['baseline'] }),
  scenario(2, 'Alles groen', '5ce00000-0000-4000-8000-000000000001', [offices({ green: 1 })]),
  scenario(3, 'Oud plan', null, [], { withdrawn: true, withdrawal: { agreement: 'urn:uuid:0b5c9a2e-7d1f-4c1e-9a00-000000000009', moment: city.ago(3_600), detail: '' } }),
];
const coefficients = [
  { name: 'dwelling_m2', value: 85, default: 85, low: 50, high: 140, unit: 'm2', source: 'CBS, gemiddelde nieuwbouwwoning, 2023', minimum: 20, maximum: 300, label: { nl: 'Vloer per woning', en: 'Floor per dwelling' } },
  { name: 'household_size', value: 2.1, default: 2.1, low: 1.5, high: 3, unit: '{person}', source: 'CBS Kerncijfers wijken en buurten, 2023', label: { nl: 'Personen per woning', en: 'Persons per dwelling' } },
  { name: 'cars_per_household', value: 0.9, default: 0.9, low: 0.3, high: 1.6, unit: '1', source: 'CROW-publicatie 744, parkeerkencijfers', label: { nl: 'Auto’s per huishouden', en: 'Cars per household' } },
];
const keys = ['inhabitants', 'jobs', 'green_m2', 'green_per_inhabitant', 'parking_demand', 'trips'];
const beside = (baseline, scenario) => {
  const change = Object.fromEntries(keys.map((k) => [k, scenario[k] - baseline[k]]));
  const each = (make) => Object.fromEntries(keys.map((k) => [k, make(change[k], baseline[k])]));
  return { baseline, scenario, change, change_percent: each((d, v) => (v ? (d / v) * 100 : null)), change_range: each((d) => ({ low: d * 0.8, mid: d, high: d * 1.3 })) };
};
const result = (s) => {
  const [edit] = s.edits.filter((one) => one.type === 'redevelop');
  const about = {
    id: `scenario:${s.version}f0e9`, scenario: s.id, title: s.title, version: s.version, edits: s.edits, baseline_version: s.baseline, baseline_at: s.baseline_at, computed_at: now(), stale: s.stale, withdrawn: s.withdrawn, withdrawal: s.withdrawal, smallest_group: 50, grounds: {}, notes: [],
    credits: [{ dataset: city.datasets[4].id, title: city.datasets[4].title, source: 'Gemeente Waterstad', licence: 'CC BY 4.0' }],
    record: { run: 'run-1', inputs: [{ dataset: city.datasets[4].id, version: '0f8a638a05e9aa' }], left_out: [], model: 'redevelopment-1', parameters: '9c197dd6e12a59b6', seed: null, duration_ms: 7.1, by: city.owner, by_name: 'Mei Lin de Wit', at: now() },
    coefficients: coefficients.map((c) => ({ ...c, value: s.edits.findLast((e) => e.type === 'coefficient' && e.name === c.name)?.value ?? c.value })),
  };
  if (s.withdrawn) return { ...about, areas: [], totals: null, touched: [], sensitivity: [], split: [] };
  const areas = city.areas.features.map((f) => {
    const { inhabitants, jobs, green_m2 } = f.properties;
    const hit = edit && f.id === 'BU09990002';
    const after = hit ? figure({ inhabitants: inhabitants + Math.round(2000 * (edit.mix.housing ?? 0)), jobs: jobs - 1610, green_m2: green_m2 + 46_000 * (edit.mix.green ?? 0) }) : figure(f.properties);
    return { id: f.id, name: f.properties.name, edits: hit ? [0] : [], suppressed: false, ...beside(figure(f.properties), after) };
  });
  const sum = (which) => {
    const t = Object.fromEntries(keys.map((k) => [k, areas.reduce((n, a) => n + a[which][k], 0)]));
    return { ...t, green_per_inhabitant: t.green_m2 / t.inhabitants };
  };
  const side = (list) => ({ areas: list.length, inhabitants: list.reduce((n, a) => n + a.baseline.inhabitants, 0) });
  const split = keys.map((k) => ({ indicator: k, up: side(areas.filter((a) => a.change[k] > 0)), down: side(areas.filter((a) => a.change[k] < 0)), same: side(areas.filter((a) => a.change[k] === 0)), unknown: 0, gap_before: 2000, gap_after: 2400 }));
  const sensitivity = edit ? [{ coefficient: 'dwelling_m2', indicator: 'inhabitants', at_low: 1800, at_high: 900 }] : [];
  return { ...about, areas, totals: { ...beside(sum('baseline'), sum('scenario')), missing: {} }, touched: [], sensitivity, split };
};
const plan = (into, other) => ({
  into: { id: into.id, title: into.title, version: into.version }, with: { id: other.id, title: other.title, version: other.version }, shared: [],
  ours: into.edits.map((edit) => ({ edit, both: false })), theirs: other.edits.map((edit) => ({ edit, both: false })),
  clashes: into.edits.length > 0 && other.edits.length > 0 ? [{ id: 'area-1', kind: 'area', ours: into.edits, theirs: other.edits, contested: [{ building: 'b', name: 'Nachtwachtlaan 11', neighbourhood: 'BU09990002', neighbourhood_name: 'Nachtwachtkwartier' }], choices: ['ours', 'theirs', 'both'] }] : [],
});
const quarter = (n) => city.iso(Date.now() - 90_000_000 + n * 900_000);
const lookBack = {
  measure: '3', verdict: 'beyond', hub: null, hub_change: 41, caveat: { nl: 'Een verschil is geen bewijs dat het advies werkte.', en: 'A difference is no proof that the advice worked.' },
  destination: { place: 'garages.centrum', mean_difference: -34, low: -48, high: -12, count: 4, outside_interval: 3, moments: Array.from({ length: 9 }, (_, n) => ({ at: quarter(n), actual: 380 + n * 3, p10: n < 5 ? null : 402 + n * 2, p50: n < 5 ? null : 420 + n * 2, p90: n < 5 ? null : 440 + n * 2 })) },
};

const minute = (n) => city.iso(Date.now() - 46_800_000 + n * 60_000);
const crowdPart = (start, level, crowded, flow, counted = 30) => ({ start: minute(start), end: minute(start + 30), counted, expected: 30, flow, level, worst: level && 'E', crowded, enough: counted > 14 });
const crowdBack = (more = {}) => ({
  kind: 'crowd', threshold: 'D', threshold_flow: 60, effective_width: 2.5, verdict: 'below', lacking: [], caveat: { nl: 'Dat het rustiger werd, is geen bewijs dat het advies werkte.', en: 'That it became calmer is no proof that the advice worked.' },
  before: crowdPart(-30, 'E', 28, 88.4), during: crowdPart(0, 'D', 19, 66.1), after: crowdPart(30, 'B', 2, 33.7),
  moments: Array.from({ length: 90 }, (_, n) => ({ at: minute(n - 30), flow: Math.round(95 - n * 0.75 + 8 * Math.sin(n)), level: n < 40 ? 'E' : n < 60 ? 'D' : 'B' })), ...more,
});
const measure = (id, state, minutes, more = {}) => ({
  id: `measure:${id}`, rule: 'park-and-ride', state, place: 'garages.centrum', title: { nl: 'Parkeer bij P+R Noord', en: 'Park at P+R Noord' },
  advice: { nl: 'Garage Centrum is vol als u aankomt. Parkeer bij P+R Noord en neem bus 5.', en: 'Garage Centrum will be full when you arrive. Park at P+R Noord and take bus 5.' },
  proposed_at: city.ago(minutes * 60), valid_from: city.ago(minutes * 60), valid_to: city.iso(Date.now() + (60 - minutes) * 60_000), decided_by: null, decided_at: null, geometry: null, grounds: {}, place_name: 'Garage Centrum', properties: {}, look_back: null, withdrawn: false, ...more,
});
const measures = [
  measure('1', 'proposed', 2),
  measure('2', 'published', 20, { decided_by: city.owner, decided_at: city.ago(1100), title: { nl: 'Drukte op het Stationsplein: loop om', en: 'Crowding at Stationsplein: walk around' }, advice: { nl: 'Het is druk op het Stationsplein. Neem de Lange Brug.', en: 'Stationsplein is crowded. Take the Lange Brug.' }, place_name: 'Stationsplein' }),
  measure('3', 'expired', 900, { decided_by: city.owner, decided_at: city.ago(53_000), properties: { reason: 'time' }, look_back: lookBack }),
  measure('4', 'rejected', 2000),
  measure('5', 'expired', 800, { decided_by: city.owner, decided_at: city.ago(48_000), properties: { reason: 'time', threshold: 'D', level: 'E' }, title: { nl: 'Mijd de Markt', en: 'Avoid Markt' }, place_name: 'Markt', look_back: crowdBack() }),
  measure('6', 'expired', 790, { decided_by: city.owner, decided_at: city.ago(47_400), properties: { reason: 'condition-over', threshold: 'D', level: 'E' }, title: { nl: 'Mijd de Havenkade', en: 'Avoid Havenkade' }, place_name: 'Havenkade', look_back: crowdBack({ verdict: 'unknown', lacking: ['after'], after: crowdPart(30, null, null, null, 0) }) }),
];
const rejects = [
  { id: 'rj1', at: city.ago(900), topic: 'dmi.observations.raw.v1', dataset: city.datasets[0].id, reason: 'result is larger than the capacity', rows: 3, detail: null },
  { id: 'rj2', at: city.ago(5400), topic: 'dmi.observations.raw.v1', dataset: city.datasets[2].id, reason: 'phenomenon time lies in the future', rows: 41, detail: null },
];
const report = { import_id: 'imp-1', kind: 'amsterdam-garages', dataset: city.datasets[0].id, read: 5704, accepted: 5602, duplicate: 61, rejected: 41, reasons: [{ reason: 'temperature is not a number', count: 30, rows: [{ line: 17, value: 'err' }, { line: 804, value: '' }] }, { reason: 'outside the Netherlands', count: 11, rows: [{ line: 99, value: '0.0, 0.0' }] }], pending: false };
const index = new GeoJSONVT(city.areas, { maxZoom: 16 });

function dependents(id) {
  const a = find(city.agreements, id);
  if (!a && !id.startsWith('urn:dmi:dataset') && !id.startsWith('forecast')) return [];
  const withdrawn = a?.state === 'ended';
  return [
    { result: 'forecast:centrum:0', kind: 'forecast', title: 'Verwachting Garage Centrum', made_at: now(), withdrawn },
    { result: scenarios[0].id, kind: 'scenario', title: scenarios[0].title, made_at: now(), withdrawn },
    ...Array.from({ length: 14 }, (_, i) => ({ result: `measure:${i + 2}`, kind: 'measure', title: `Garage ${i % 2 ? 'Centrum' : 'Markt'}: Parkeer bij P+R Noord`, made_at: city.ago(900 * i), withdrawn })),
  ].filter((d) => d.result !== id);
}
const lineage = (id) => ({
  result: id, kind: id.startsWith('measure') ? 'measure' : id.startsWith('forecast') ? 'forecast' : 'scenario', title: id.startsWith('forecast') ? 'Verwachting Garage Centrum, 30 minuten vooruit' : id.startsWith('measure') ? 'Parkeer bij P+R Noord' : scenarios[0].title, made_at: city.ago(600), code: 'dmi_support_centre 0.1.0',
  transformations: ['drop repeats', 'fill gaps up to 30 minutes', 'gradient boosting on lags and time of the week', 'conformal interval of 80 %'],
  grounds: { datasets: [city.datasets[0], city.datasets[2]].map((d) => ({ id: d.id, title: d.title, owner: d.owner, withdrawn: false })), agreements: [city.agreements[0], city.agreements[8]].map((a) => ({ id: a.id, state: a.state, ended_at: a.ended_at, assigner: a.assigner, assignee: a.assignee })), consents: { active: 4, withdrawn: 1 }, results: [] }, withdrawn: true,
});

const end = (list, id, reason) => {
  const a = find(list, id);
  if (!a) return missing;
  Object.assign(a, { state: 'ended', ended_at: now(), end_reason: reason ?? null });
  return a;
};
const scenarioAction = (id, change) => {
  const s = find(scenarios, id);
  if (!s) return missing;
  change(s);
  s.version += 1;
  s.versions.push(version(s.version, s.edits.length));
  return s;
};
const made = (id, title, parent, edits) => {
  const s = { ...scenario(9, title, parent, edits), id, share: `share-${id}` };
  scenarios.push(s);
  return s;
};
const subscriptions = [{ id: 'sub-1', url: 'https://borden.example/maatregelen', created_at: city.ago(86_400), waiting: 2, attempts: 3, next_at: city.iso(Date.now() + 60_000) }];

const about = (bbox) => ({ spatial: { bbox, name: { nl: 'Waterstad', en: 'Waterstad' }, codes: ['GM9999'] }, themes: ['TRAN'], keywords: {}, contact: 'mailto:gegevens@waterstad.example', page: '', languages: ['nl', 'en'], modified_at: city.ago(86_400) });
const entries = () => [
  ...city.datasets.map((d, i) => ({ ...d, kind: 'data', direction: 'supply', access: i % 2 ? 'by-agreement' : 'open', personal: d.personal ?? false, address: '', about: d.about ?? about([5.05 + i / 100, 52.07, 5.15, 52.13 - i / 100]), quality: null })),
  { id: 'urn:dmi:listing:gemeente:fietstellingen', kind: 'data', direction: 'demand', owner: city.owner, title: { nl: 'Gezocht: fietstellingen', en: 'Wanted: bicycle counts' }, description: {}, licence: '', access: 'by-agreement', personal: false, address: '', layer: '', withdrawn: false, about: about([5.08, 52.09, 5.12, 52.11]) },
];
function found(query) {
  const fits = (one, [name, value]) => ({ kind: one.kind, direction: one.direction, access: one.access, owner: one.owner })[name] === value;
  const wanted = query.getAll('facet').map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1)]);
  const text = (query.get('q') ?? '').toLowerCase();
  const list = entries().filter((one) => JSON.stringify([one.title, one.description]).toLowerCase().includes(text) && wanted.every((each) => fits(one, each)));
  const count = (name) => Object.entries(Object.groupBy(list, (one) => one[name])).map(([value, all]) => ({ value, count: all.length }));
  return { items: list, total: list.length, next: null, facets: ['kind', 'direction', 'access', 'owner'].map((name) => ({ name, values: count(name) })) };
}

export const routes = [
  ['GET', '/exchange/v1/demo/identities', () => city.identities],
  ['POST', '/exchange/v1/demo/token', ({ body }) => ({ access_token: `mock-${body.identity}`, token_type: 'Bearer', expires_in: 600 })],
  ['GET', '/exchange/v1/rulebook', () => ({ version: '1.0.0', purposes: city.purposes, templates })],
  ['GET', '/exchange/v1/participants', () => items(city.participants)],
  ['GET', '/exchange/v1/datasets', () => items(city.datasets)],
  ['POST', '/exchange/v1/datasets', ({ body, who }) => (city.datasets.push({ ...body, owner: who.participant, withdrawn: false }), body)],
  ['GET', '/exchange/v1/datasets/:id', ({ id }) => find(city.datasets, id) ?? missing],
  ['GET', '/exchange/v1/catalogue/search', ({ query }) => found(query)],
  ['GET', '/exchange/v1/catalogue/entries/:id', ({ id }) => entries().find((one) => one.id === id) ?? missing],
  ['GET', '/platform/v1/datasets/:id/sample', ({ id }) => (ended(id) ? refusedProblem(id) : items(city.features(id).features.slice(0, 10).map(({ properties: p }) => ({ datastream: p.datastream ?? p.id, phenomenon_time: p.phenomenon_time, result: p.result, unit: p.unit, flag: p.flag }))))],
  ['GET', '/exchange/v1/agreements', ({ query, who }) => items(city.agreements.filter((a) => (who.id === 'operator' || [a.assigner, a.assignee].includes(who.participant)) && (!query.get('dataset') || a.datasets.includes(query.get('dataset')))))],
  ['POST', '/exchange/v1/agreements', ({ body }) => { const a = { id: body.document.uid, assigner: body.document.assigner, assignee: body.document.assignee, datasets: [body.document.permission[0].target], consent: false, state: 'proposed', document: body.document, signatures: {}, waiting_for: [body.document.assigner], concluded_at: null, ended_at: null, ended_by: null, end_reason: null }; city.agreements.push(a); return a; }],
  ['GET', '/exchange/v1/agreements/:id', ({ id }) => find(city.agreements, id) ?? missing],
  ['POST', '/exchange/v1/agreements/:id/signature', ({ id }) => Object.assign(find(city.agreements, id), { state: 'active', waiting_for: [], concluded_at: now() })],
  ['POST', '/exchange/v1/agreements/:id/end', ({ id, body }) => end(city.agreements, id, body.reason)],
  ['GET', '/exchange/v1/agreements/:id/rounds', ({ id }) => items(rounds(id))],
  ['POST', '/exchange/v1/agreements/:id/refinement', ({ id, body, who }) => refined(find(city.agreements, id), body.document, who.participant)],
  ['GET', '/exchange/v1/duties', () => items(city.agreements.slice(0, 1).map((a) => ({ agreement: a.id, duty: '/permission/0/duty/0', action: 'urn:dmi:coarsen', carried_out: 'node', performed: null })))],
  ['GET', '/exchange/v1/log/usage/agreements', () => ({ since: city.ago(604_800), complete: true, items: [{ agreement: city.agreements[0].id, times: 120, rows: 4000, last: city.ago(50) }] })],
  ['POST', '/exchange/v1/agreements/draft', ({ body: { parameters: p } }) => city.doc(crypto.randomUUID(), p.assigner, p.assignee ?? 'urn:dmi:party:everyone', p.datasets[0], p.actions ?? ['dmi:read'], p.purpose ?? 'dmi:purpose:any')],
  ['GET', '/exchange/v1/offers', ({ query }) => items(offers.filter((one) => one.dataset === query.get('dataset')))],
  ['POST', '/exchange/v1/offers', ({ body, who }) => { const made = { ...body, id: `urn:uuid:${crypto.randomUUID()}`, owner: who.participant, rules: { permission: [{ action: 'urn:dmi:read' }] } }; offers.push(made); return made; }],
  ['GET', '/exchange/v1/nodes', () => items([])],
  ['GET', '/exchange/v1/negotiations', () => items([])],
  ['GET', '/exchange/v1/consents', ({ who }) => items(who.id === 'resident' ? city.consents : [])],
  ['POST', '/exchange/v1/consents', ({ body }) => items(body.recipients.map((r) => { const c = { ...city.consents[0], id: `urn:uuid:${crypto.randomUUID()}`, assignee: r, state: 'active', concluded_at: now(), document: city.doc('u', city.noor, r, body.dataset, ['dmi:read'], body.purpose) }; city.consents.push(c); return c; }))],
  ['POST', '/exchange/v1/review', () => ({ passes: true, rulebook: '1.0.0', reasons: [], change: null })],
  ['GET', '/exchange/v1/consents/:id/receipt', ({ id }) => ({ receipt: { 'dct:identifier': id }, jws: 'a.b.c', text: { nl: ['U gaf deze toestemming.'], en: ['You gave this consent.'] } })],
  ['POST', '/exchange/v1/consents/:id/withdraw', ({ id }) => end(city.consents, id)],
  ['GET', '/exchange/v1/my-data/uses', () => ({ days: 90, complete: true, items: [{ dataset: city.datasets[2].id, participant: city.stack, name: 'Beheerder', purpose: 'dmi:purpose:air-quality', purpose_label: {}, action: 'dmi:process', times: 12, first: city.ago(86_400), last: city.ago(60), agreements: [] }] })],
  ['GET', '/exchange/v1/my-data/datasets', () => items([{ id: city.datasets[2].id, title: city.datasets[2].title, owner_name: 'Gemeente', purpose: 'dmi:purpose:air-quality', needs_consent: true, consented: true, held: true }])],
  ['GET', '/exchange/v1/my-data/requests', () => items([])],
  ['GET', '/exchange/v1/my-data/told', () => items([])],
  ['GET', '/exchange/v1/consents/represented', () => items([])],
  ['GET', '/exchange/v1/notices', () => items([])],
  ['GET', '/exchange/v1/log', ({ query }) => items(log.filter((e) => !query.get('dataset') || e.dataset === query.get('dataset')).slice(0, Number(query.get('limit') ?? 100)))],
  ['GET', '/exchange/v1/log/evidence', () => ({ head: { tree_size: 12_240, root_hash: 'x', timestamp: now() }, keys: [], consistency: [], entries: log.slice(0, 3).map((e) => ({ sequence: e.sequence, leaf: '{}', path: [], openings: [] })), next: null })],
  ['GET', '/exchange/v1/log/verify', () => ({ ok: true, count: 12_240, root_hash: 'x', broken_at: null, reason: null })],
  ['GET', '/exchange/v1/lineage/:id', ({ id }) => lineage(id)],
  ['GET', '/exchange/v1/lineage/:id/dependents', ({ id }) => items(dependents(id))],
  ['GET', '/ingest/v1/kinds', () => [['amsterdam-garages', 'Garages (Amsterdams formaat)', 'JSON met vrije plaatsen per garage.'], ['snuffelfiets', 'Luchtkwaliteit per fiets', 'CSV met fijnstof en plaats.'], ['sail-crowd', 'Tellingen van drukte', 'CSV met tellingen per richting.']].map(([kind, title, description]) => ({ kind, title: { nl: title, en: title }, description: { nl: description, en: description }, properties: measured[kind], most_bytes: 2 ** 30 }))],
  ['POST', '/ingest/v1/imports', () => report],
  ['GET', '/ingest/v1/imports/:id', () => report],
  ['GET', '/ingest/v1/imports/:id/rejects', () => items([{ id: 1, file: 'f.csv', line: 17, reason: 'temperature is not a number', field: 'temperature', value: 'err', raw: { time: '2024-11-11 08:00', temperature: 'err' } }])],
  ['POST', '/ingest/v1/imports/:id/replay', () => report],
  ['POST', '/ingest/v1.1/Things', ({ body }) => body],
  ['GET', '/platform/v1/datastreams', ({ query }) => items(city.features(query.get('dataset')).features.map(({ properties: p, geometry }) => ({ id: p.datastream ?? p.id, dataset: query.get('dataset'), thing: '', name: p.name, observed_property: p.observed_property, unit: p.unit, geometry, properties: {} })))],
  ['GET', '/platform/v1/datastreams/:id/observations', () => items(Array.from({ length: 240 }, (_, i) => ({ phenomenon_time: city.ago(i * 30), result: 12, unit: 'ug/m3', flag: 1, longitude: 5.1, latitude: 52.1, neighbourhood: null })))],
  ['GET', '/platform/v1/latest', ({ query, who }) => (ended(query.get('dataset')) ? refusedProblem(query.get('dataset')) : items(city.features(query.get('dataset')).features.slice(0, who.id === 'resident' && query.get('dataset').endsWith('bicycle-air') ? 2 : undefined).map(({ properties: p }) => ({ datastream: p.datastream ?? p.id, phenomenon_time: p.phenomenon_time, result: p.result, unit: p.unit, flag: p.flag, longitude: 5.1, latitude: 52.1, neighbourhood: p.neighbourhood }))))],
  ['GET', '/platform/v1/rejects', () => items(rejects)],
  ['POST', '/platform/v1/rejects/:id/replay', ({ id }) => (rejects.splice(rejects.findIndex((r) => r.id === id), 1), {})],
  ['GET', '/platform/v1/export', () => ({})],
  ['GET', '/visualisation/v1/layers', () => items(city.datasets.filter((d) => d.layer).map((d) => ({ id: d.id, title: d.title, description: d.description, kind: d.layer, properties: [], unit: {}, purpose: 'dmi:purpose:mobility', licence: d.licence, source: d.source, owner: d.owner, latest: d.layer === 'areas' ? '2026-01-01T00:00:00Z' : city.ago(d.id.endsWith('crowd') ? 2400 : 40) , refused: refusal(d.id) })))],
  ['GET', '/visualisation/v1/layers/:id/features', ({ id, query }) => (ended(id) ? refusedProblem(id) : city.features(id, query.get('at')))],
  ['GET', '/visualisation/v1/layers/:id/tiles/:z/:x/:y', ({ z, x, y }) => { const tile = index.getTile(Number(z), Number(x), Number(y)); return tile ? { bytes: Buffer.from(fromGeojsonVt({ features: { ...tile, features: tile.features } }, { version: 2 })), type: 'application/vnd.mapbox-vector-tile' } : { status: 204 }; }],
  ['GET', '/visualisation/v1/datastreams/:id/history', ({ id, query }) => { const from = Date.parse(query.get('from')), to = Date.parse(query.get('to')); return { datastream: id, unit: id.endsWith('pm2_5') ? 'ug/m3' : '{vehicle}', items: Array.from({ length: 96 }, (_, i) => { const at = from + ((to - from) * i) / 95; const mean = 180 + 150 * Math.sin(((at / 3_600_000) % 24) / 3.82 - 2.2); const gap = i > 40 && i < 46; return { at: city.iso(at), minimum: gap ? null : mean - 12, mean: gap ? null : mean, maximum: gap ? null : mean + 12, flag: null }; }) }; }],
  ['GET', '/visualisation/v1/background', () => city.background],
  ['GET', '/visualisation/v1/search', ({ query }) => items(city.search(query.get('q') ?? ''))],
  ['GET', '/support-centre/v1/forecasts', () => items(forecasts())],
  ['GET', '/support-centre/v1/forecasts/scores', () => items(scores)],
  ['POST', '/support-centre/v1/forecasts/recompute', () => ({})],
  ['GET', '/support-centre/v1/crowd', () => items([['markt', 'Markt', 'C', 28.1, 4.5], ['plein', 'Stationsplein', 'E', 61.4, 6], ['kade', 'Havenkade', 'A', 3.6, 8]].map(([place, name, level, flow, w]) => ({ place, name, level, flow, effective_width: w, at: city.ago(120), capacity: 80 })))],
  ['GET', '/support-centre/v1/scenarios/areas', () => ({ ...city.areas, features: [...city.areas.features.map((f) => ({ ...f, properties: { ...f.properties, kind: 'neighbourhood' } })), { type: 'Feature', id: 'kantoren', geometry: { type: 'Polygon', coordinates: [[[5.1, 52.085], [5.107, 52.085], [5.107, 52.09], [5.1, 52.09], [5.1, 52.085]]] }, properties: { id: 'kantoren', name: 'Kantoren Nachtwachtlaan', kind: 'area' } }] })],
  ['GET', '/support-centre/v1/scenarios', () => items(scenarios.map((one) => ({ ...one, versions: undefined, edits: one.edits.length, changed_at: one.versions.at(-1).created_at })))],
  ['POST', '/support-centre/v1/scenarios', ({ body }) => made(crypto.randomUUID(), body.title, null, [])],
  ['GET', '/support-centre/v1/scenarios/:id', ({ id }) => shared(id) ?? missing],
  ['DELETE', '/support-centre/v1/scenarios/:id', ({ id }) => (scenarios.splice(scenarios.findIndex((one) => one.id === id), 1), { status: 204 })],
  ['POST', '/support-centre/v1/scenarios/:id/edits', ({ id, body }) => scenarioAction(id, (s) => s.edits.push(body))],
  ['POST', '/support-centre/v1/scenarios/:id/undo', ({ id }) => scenarioAction(id, (s) => s.edits.pop())],
  ['POST', '/support-centre/v1/scenarios/:id/restore', ({ id, body }) => Object.assign(find(scenarios, id), { version: body.version })],
  ['POST', '/support-centre/v1/scenarios/:id/renew', ({ id }) => scenarioAction(id, (s) => Object.assign(s, { stale: [], baseline_at: now() }))],
  ['POST', '/support-centre/v1/scenarios/:id/recompute', ({ id }) => Object.assign(find(scenarios, id), { withdrawn: false, withdrawal: null })],
  ['POST', '/support-centre/v1/scenarios/:id/branch', ({ id, body }) => made(crypto.randomUUID(), body.title, id, [...find(scenarios, id).edits])],
  ['GET', '/support-centre/v1/scenarios/:id/merge', ({ id, query }) => (shared(query.get('with')) ? plan(find(scenarios, id), shared(query.get('with'))) : missing)],
  ['POST', '/support-centre/v1/scenarios/:id/merge', ({ id, body }) => scenarioAction(id, (s) => Object.assign(s, { edits: [...s.edits, ...shared(body.with).edits] }))],
  ['GET', '/support-centre/v1/scenarios/:id/areas', () => city.areas],
  ['GET', '/support-centre/v1/scenarios/:id/result', ({ id }) => (shared(id) ? result(shared(id)) : missing)],
  ['GET', '/support-centre/v1/coefficients', () => items(coefficients)],
  ['POST', '/support-centre/v1/rules/:id/automatic', ({ id, body, who }) => ({ id, automatic: body.until !== null, decided_by: who.participant, until: body.until })],
  ['GET', '/support-centre/v1/subscriptions', () => items(subscriptions)],
  ['POST', '/support-centre/v1/subscriptions', ({ body }) => (subscriptions.push({ id: crypto.randomUUID(), url: body.url, created_at: now(), waiting: 0, attempts: 0, next_at: null }), subscriptions.at(-1))],
  ['DELETE', '/support-centre/v1/subscriptions/:id', ({ id }) => (subscriptions.splice(subscriptions.findIndex((one) => one.id === id), 1), { status: 204 })],
  ['GET', '/support-centre/v1/measures/feed', () => items(measures.filter((m) => m.state === 'published'))],
  ['GET', '/exchange/v1/log/usage', () => ({ since: city.ago(86_400), complete: true, items: [city.stack, city.vendor].map((assignee) => ({ dataset: city.datasets[0].id, assignee, crossing: 'query', action: 'dmi:read', purposes: [], agreements: [city.agreements[0].id], allowed: 120, refused: 2, rows: 4000, last_allowed: city.ago(50), last_refused: city.ago(4_000), last_reasons: ['no_agreement'] })) })],
  ['GET', '/support-centre/v1/rules', () => items([{ id: 'park-and-ride', title: { nl: 'Vol over een half uur: wijs naar de P+R', en: 'Full in half an hour: point to the P+R' }, description: { nl: 'Als een garage bij aankomst vol is, adviseer het P+R-terrein.', en: 'If a car park is full on arrival, advise the park-and-ride hub.' }, automatic: false, version: 1, kind: 'garage', full_share: 0.95, duration_min: 60 }, { id: 'crowd', version: 2, kind: 'crowd', threshold: 'E', duration_min: 30, title: { nl: 'Te druk: adviseer een andere route', en: 'Too crowded: advise another route' }, automatic: true, decided_by: city.owner, until: '2026-12-31T00:00:00Z' }])],
  ['GET', '/support-centre/v1/measures', () => items(measures)],
  ['POST', '/support-centre/v1/measures/:id/approve', ({ id, who }) => Object.assign(find(measures, id), { state: 'published', decided_by: who.participant, decided_at: now() })],
  ['POST', '/support-centre/v1/measures/:id/reject', ({ id }) => Object.assign(find(measures, id), { state: 'rejected' })],
  ...['exchange', 'ingest', 'platform', 'visualisation', 'support-centre'].map((name) => ['GET', `/${name}/health/ready`, () => (name === 'ingest' && process.env.MOCK_SICK ? { status: 503, json: { status: 'not ready', checks: { bus: 'unreachable' } } } : { status: 'ready', checks: { bus: 'ok', store: 'ok', law: 'ok, 0.4 s old' } })]),
];
export { ended, refusedProblem };
