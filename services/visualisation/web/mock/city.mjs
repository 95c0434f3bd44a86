// A believable Waterstad for development and page tests. It is never part of the build.
export const owner = 'urn:dmi:participant:gemeente';
export const stack = 'urn:dmi:participant:stack';
export const vendor = 'urn:dmi:participant:sensorbedrijf';
export const carrier = 'urn:dmi:participant:vervoerder';
export const noor = 'urn:dmi:person:noor';

export const identities = [
  { id: 'officer', name: 'Fatima el Idrissi', role: 'municipality', participant: owner, description: { nl: 'Medewerker van de gemeente', en: 'Municipal officer' } },
  { id: 'vendor', name: 'Joris Bakker', role: 'vendor', participant: vendor, description: { nl: 'Leverancier', en: 'Vendor' } },
  { id: 'analyst', name: 'Mei Lin de Wit', role: 'analyst', participant: owner, description: { nl: 'Analist van de stad', en: 'City analyst' } },
  { id: 'resident', name: 'Noor Jansen', role: 'resident', participant: noor, description: { nl: 'Bewoner', en: 'Resident' } },
  { id: 'operator', name: 'Sam Okafor', role: 'operator', participant: stack, description: { nl: 'Beheerder', en: 'Operator' } },
];

export const participants = [
  { id: owner, name: 'Gemeente Waterstad', roles: ['dmi:role:municipality'], rulebook: '1.0.0', active: true },
  { id: vendor, name: 'Sensorbedrijf BV', roles: ['dmi:role:vendor'], rulebook: '1.0.0', active: true },
  { id: carrier, name: 'Vervoerder Waterstad', roles: ['dmi:role:provider'], rulebook: '1.0.0', active: true },
  { id: stack, name: 'Beheer van de voorziening', roles: ['dmi:role:operator'], rulebook: '1.0.0', active: true },
];

export const purposes = [
  ['any', null, 'Elk doel', 'Any purpose'], ['public-task', 'any', 'Publieke taak', 'Public task'],
  ['mobility', 'public-task', 'Mobiliteit', 'Mobility'], ['crowd-safety', 'mobility', 'Veiligheid bij drukte', 'Crowd safety'],
  ['environment', 'public-task', 'Leefomgeving', 'Environment'], ['air-quality', 'environment', 'Luchtkwaliteit', 'Air quality'],
  ['spatial-planning', 'public-task', 'Ruimtelijke ordening', 'Spatial planning'],
].map(([id, parent, nl, en]) => ({ id: `dmi:purpose:${id}`, parent: parent && `dmi:purpose:${parent}`, label: { nl, en } }));

const set = (id, own, nl, en, dnl, den, more = {}) => ({
  id: `urn:dmi:dataset:${id}`, owner: own, title: { nl, en }, description: { nl: dnl, en: den }, personal: false, category: '',
  licence: 'CC BY 4.0', source: 'Gemeente Waterstad', layer: 'points', withdrawn: false, ...more,
});
export const datasets = [
  set('gemeente:garages', owner, 'Parkeergarages', 'Car parks', 'Hoeveel auto’s er staan in zes garages en op het P+R-terrein, elke minuut.', 'How many cars stand in six car parks and the park-and-ride hub, every minute.'),
  set('gemeente:crowd', owner, 'Drukte op straat', 'Crowding in the street', 'Getelde personen per vijf minuten. De teller herkent niemand.', 'People counted per five minutes. The counter recognises nobody.'),
  set('gemeente:bicycle-air', owner, 'Luchtkwaliteit per fiets', 'Air quality by bicycle', 'Bewoners meten fijnstof met een sensor op de fiets.', 'Residents measure fine dust with a sensor on their bicycle.', { personal: true, licence: 'Alleen met toestemming' }),
  set('vervoerder:bus-5', carrier, 'Buslijn 5', 'Bus line 5', 'Waar de bussen van lijn 5 zijn en hoeveel ze te laat zijn.', 'Where the buses of line 5 are and how late they are.', { layer: 'vehicles', source: 'Vervoerder Waterstad', licence: 'CC0 1.0' }),
  set('gemeente:neighbourhoods', owner, 'Buurten', 'Neighbourhoods', 'Inwoners, banen en groen per buurt.', 'Inhabitants, jobs and green per neighbourhood.', { layer: 'areas' }),
];

const names = ['Binnenstad', 'Nachtwachtkwartier', 'Havenbuurt', 'Noorderdijk', 'Molenwijk', 'Westpolder', 'Stationsbuurt', 'Zuidrand', 'Oosterweide'];
const west = 5.07, south = 52.08, dx = 0.02, dy = 0.0135;
const wobble = (n) => Math.sin(n * 12.9898) * 0.0016;
const node = (c, r) => [Number((west + c * dx + wobble(c * 7 + r)).toFixed(5)), Number((south + r * dy + wobble(c + r * 5) * 0.6).toFixed(5))];
export const areas = {
  type: 'FeatureCollection',
  features: names.map((name, i) => {
    const c = i % 3, r = Math.floor(i / 3);
    return {
      type: 'Feature', id: `BU0999000${i + 1}`,
      geometry: { type: 'Polygon', coordinates: [[node(c, r), node(c + 1, r), node(c + 1, r + 1), node(c, r + 1), node(c, r)]] },
      properties: { id: `BU0999000${i + 1}`, name, inhabitants: 2400 + i * 613, jobs: 900 + ((i * 977) % 5200), green_m2: 40_000 + ((i * 31_337) % 160_000) },
    };
  }),
};
export const stops = [['Nachtwachtlaan', 5.1043, 52.0893], ['Station', 5.0812, 52.1112], ['Markt', 5.0885, 52.0851], ['P+R Noord', 5.1188, 52.1166]];
export const background = {
  type: 'FeatureCollection',
  features: [
    ...areas.features.map((f) => ({ ...f, properties: { id: f.id, name: f.properties.name, kind: 'neighbourhood' } })),
    { type: 'Feature', geometry: { type: 'LineString', coordinates: stops.map(([, x, y]) => [x, y]) }, properties: { kind: 'line', name: 'Lijn 5' } },
    ...stops.map(([name, x, y]) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [x, y] }, properties: { kind: 'stop', name } })),
  ],
};

const iso = (date) => new Date(date).toISOString().replace(/\.\d+Z$/, 'Z');
export const ago = (seconds) => iso(Date.now() - seconds * 1000);
export { iso };

const garages = [['centrum', 'Garage Centrum', 5.0871, 52.0865, 420, 0.97], ['markt', 'Garage Markt', 5.0902, 52.0841, 260, 0.88], ['station', 'Garage Station', 5.0806, 52.1105, 610, 0.71], ['haven', 'Garage Haven', 5.1216, 52.0872, 180, 0.52], ['nachtwacht', 'Garage Nachtwacht', 5.1047, 52.0905, 300, 0.34], ['ziekenhuis', 'Garage Ziekenhuis', 5.1009, 52.1013, 540, null], ['pr-noord', 'P+R Noord', 5.1185, 52.1162, 900, 0.22]];
const counters = [['markt', 'Markt', 5.0889, 52.0855, 140], ['brug', 'Lange Brug', 5.0934, 52.0872, 62], ['plein', 'Stationsplein', 5.0815, 52.1109, 231], ['kade', 'Havenkade', 5.1203, 52.0889, 18]];
const point = (x, y) => ({ type: 'Point', coordinates: [x, y] });

// Ten thousand sensors in one layer, to measure how smoothly the map moves: MOCK_POINTS=10000.
const many = Number(process.env.MOCK_POINTS ?? 0);

const streets = ['Merelstraat', 'Lijsterlaan', 'Nachtwachtlaan'];
const addresses = streets.flatMap((street, s) => Array.from({ length: 20 }, (_, i) => ({ name: `${street} ${i + 1}`, x: 5.08 + s * 0.01 + i * 0.0004, y: 52.09 + s * 0.006 })));
const box = ([x, y]) => [x, y, x, y];
export function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const named = (name) => words.every((word) => name.toLowerCase().split(' ').some((one) => one.startsWith(word)));
  const found = (dataset, kind, id, name, bbox, more = {}) => ({ id, dataset, kind, name, bbox, observed_property: null, neighbourhood: null, ...more });
  return [
    ...areas.features.filter((f) => named(f.properties.name)).map((f) => found('urn:dmi:dataset:gemeente:neighbourhoods', 'neighbourhood', f.id, f.properties.name, [f.geometry.coordinates[0][0][0], f.geometry.coordinates[0][0][1], f.geometry.coordinates[0][2][0], f.geometry.coordinates[0][2][1]])),
    ...addresses.filter((a) => named(a.name)).map((a) => found('urn:dmi:dataset:gemeente:addresses', 'address', a.name, a.name, box([a.x, a.y]), { neighbourhood: 'Binnenstad' })),
    ...garages.filter((g) => named(g[1])).map((g) => found('urn:dmi:dataset:gemeente:garages', 'datastream', `garages.${g[0]}.occupancy`, g[1], box([g[2], g[3]]), { observed_property: 'occupancy' })),
  ].slice(0, 8);
}

/** With a moment, the same city with other values: a wave over the day. */
export function features(dataset, at = null) {
  const now = newest(dataset);
  if (at === null) return now;
  const wave = 0.6 + 0.4 * Math.sin(Date.parse(at) / 3_600_000);
  return { ...now, at, features: now.features.map((f) => (f.properties.phenomenon_time ? { ...f, properties: { ...f.properties, result: typeof f.properties.result === 'number' ? Math.round(f.properties.result * wave) : null, phenomenon_time: iso(Date.parse(at) - 60_000) } } : f)) };
}

function newest(dataset) {
  const id = dataset.split(':').at(-1);
  const agreement = agreements.find((a) => a.datasets.includes(dataset) && a.state === 'active')?.id ?? null;
  const base = (thing, property, name, result, unit, x, y, more = {}) => ({
    type: 'Feature', geometry: point(x, y),
    properties: { id: `${id}.${thing}.${property}`, datastream: `${id}.${thing}.${property}`, name, observed_property: property, result, unit, flag: 1, phenomenon_time: ago(40), capacity: null, neighbourhood: 'Binnenstad', label: null, agreement, ...more },
  });
  let list = [];
  if (id === 'garages') list = garages.map(([t, n, x, y, cap, share]) => base(t, 'occupancy', n, share === null ? null : Math.round(cap * share), '{vehicle}', x, y, { capacity: cap, ...(share === null ? { flag: 9, phenomenon_time: ago(5400) } : {}) }));
  if (id === 'crowd') list = counters.map(([t, n, x, y, v]) => base(t, 'crowd_count', n, v, '{person}', x, y));
  if (id === 'bicycle-air') list = Array.from({ length: 14 }, (_, i) => ['pm2_5', 'temperature'].map((p) => base(`fiets-${i}`, p, `Fiets ${i + 1}`, p === 'pm2_5' ? 4 + ((i * 3.7) % 24) : 8.4 + i * 0.2, p === 'pm2_5' ? 'ug/m3' : 'Cel', 5.08 + ((i * 0.0037) % 0.045), 52.084 + ((i * 0.0059) % 0.032)))).flat();
  if (id === 'crowd' && many) list = Array.from({ length: many }, (_, i) => base(`c${i}`, 'crowd_count', `Teller ${i + 1}`, (i * 37) % 240, '{person}', 5.072 + ((i * 0.61803) % 1) * 0.056, 52.082 + ((i * 0.32471) % 1) * 0.038));
  if (id === 'bus-5') list = [['b1', 5.0931, 52.0869, 45, 'Station'], ['b2', 5.1101, 52.1011, 190, 'P+R Noord']].map(([t, x, y, d, to]) => base(t, 'vehicle_position', 'Bus 5', d, 's', x, y, { label: { nl: `Lijn 5 naar ${to}, stopt om 15.00 uur aan de Nachtwachtlaan`, en: `Line 5 to ${to}, stops at 15:00 at Nachtwachtlaan` } }));
  if (id === 'neighbourhoods') list = areas.features.map((f) => ({ ...f, properties: { ...f.properties, kind: 'neighbourhood', agreement } }));
  return { type: 'FeatureCollection', features: list };
}

const doc = (uid, assigner, assignee, dataset, actions, purpose, more = {}, duty) => ({
  '@context': ['http://www.w3.org/ns/odrl.jsonld', { dmi: 'urn:dmi:' }], '@type': 'Agreement', uid, profile: 'urn:dmi:profile:1', 'dmi:rulebook': '1.0.0',
  'dmi:legalBasis': more.basis ?? 'dmi:basis:public-task', assigner, assignee,
  permission: [{ target: dataset, action: actions, constraint: [
    { leftOperand: 'purpose', operator: 'isA', rightOperand: purpose },
    ...(more.until ? [{ leftOperand: 'dateTime', operator: 'lteq', rightOperand: { '@value': more.until, '@type': 'xsd:dateTime' } }] : []),
  ], ...(duty ? { duty } : {}) }],
});
let serial = 0;
const agreed = (assigner, assignee, dataset, actions, purpose, more = {}, duty) => {
  serial += 1;
  const id = `urn:uuid:0b5c9a2e-7d1f-4c1e-9a00-00000000000${serial}`;
  const state = more.state ?? 'active';
  return {
    id, assigner, assignee, datasets: [dataset], consent: more.basis === 'dmi:basis:consent', state,
    document: doc(id, assigner, assignee, dataset, actions, purpose, more, duty),
    signatures: state === 'proposed' ? { [assignee]: 'eyJ' } : { [assigner]: 'eyJ', [assignee]: 'eyJ' }, waiting_for: state === 'proposed' ? [assigner] : [],
    concluded_at: state === 'proposed' ? null : '2026-10-01T08:00:00Z', ended_at: more.ended_at ?? null, ended_by: more.ended_at ? assigner : null, end_reason: more.ended_at ? 'De proef is voorbij' : null,
  };
};
const all = ['dmi:process', 'dmi:read', 'dmi:display', 'dmi:analyse', 'dmi:publish', 'dmi:export'];
const D = (i) => datasets[i].id;
export const agreements = [
  agreed(owner, stack, D(0), all, 'dmi:purpose:mobility', { until: '2027-01-01T00:00:00Z' }),
  agreed(owner, 'urn:dmi:party:everyone', D(0), ['dmi:read', 'dmi:display'], 'dmi:purpose:any'),
  agreed(owner, stack, D(1), all, 'dmi:purpose:crowd-safety', {}, [{ action: 'dmi:suppress', constraint: [{ leftOperand: 'dmi:minimumGroup', operator: 'eq', rightOperand: { '@value': '5', '@type': 'xsd:integer' } }] }]),
  agreed(owner, stack, D(2), all, 'dmi:purpose:air-quality', {}, [{ action: 'dmi:coarsen', constraint: [{ leftOperand: 'dmi:gridSize', operator: 'eq', rightOperand: { '@value': '100', '@type': 'xsd:integer' }, unit: 'm' }] }]),
  agreed(carrier, stack, D(3), all, 'dmi:purpose:mobility'),
  agreed(owner, stack, D(4), all, 'dmi:purpose:public-task'),
  agreed(owner, vendor, D(0), ['dmi:read', 'dmi:analyse'], 'dmi:purpose:mobility', { state: 'proposed' }),
  agreed(owner, vendor, D(1), ['dmi:contribute'], 'dmi:purpose:crowd-safety'),
  agreed(owner, vendor, D(3), ['dmi:read'], 'dmi:purpose:mobility', { state: 'ended', ended_at: '2026-11-20T13:04:11Z' }),
];
export const consents = [
  agreed(noor, stack, D(2), all.slice(0, 4), 'dmi:purpose:air-quality', { basis: 'dmi:basis:consent' }),
].map((one) => ({ ...one, id: one.id.replace('9a00', 'c000') }));
consents.push({ ...agreed(noor, owner, D(2), ['dmi:read'], 'dmi:purpose:environment', { basis: 'dmi:basis:consent', state: 'ended', ended_at: '2026-11-02T10:00:00Z' }), id: 'urn:uuid:0b5c9a2e-7d1f-4c1e-c000-000000000099' });
export { garages, doc };
