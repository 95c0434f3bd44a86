/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createI18n, firstLanguage } from '../src/i18n';
import { en } from '../src/i18n/en';
import { formatAge, formatPlace, say } from '../src/i18n/format';
import { nl } from '../src/i18n/nl';
import { readCoordinates } from '../src/map/coordinates';
import { constraintInWords, dutyInWords, inWords, operand, outline, recipientsOf } from '../src/rights/words';
import { named } from '../src/rights/named';
import { agreementOf, documentsFor, uuid } from '../src/rights/templates';
import { crc32, zipped } from '../src/pages/mydata/zip';
import type { Names } from '../src/app/names';

const dutch = createI18n('nl', () => undefined);
const english = createI18n('en', () => undefined);

function keys(part: object, prefix = ''): string[] {
  return Object.entries(part).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null ? keys(value as object, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

describe('the texts', () => {
  it('have the same keys in both languages', () => {
    expect(keys(en).sort()).toEqual(keys(nl).sort());
  });

  it('are never empty and shout nowhere', () => {
    for (const texts of [nl, en]) {
      const all = JSON.stringify(texts);
      expect(all).not.toMatch(/""/);
      expect(all).not.toContain('!');
    }
  });
});

describe('terms that another node spells in full', () => {
  it('are told in the same words', () => {
    const days = [{ leftOperand: 'urn:dmi:days', operator: 'eq', rightOperand: { '@value': '30' } }];
    expect(dutyInWords('urn:dmi:deleteAfter', days, dutch, true)).toBe(dutyInWords('dmi:deleteAfter', days, dutch, true));
    const names = { purpose: (id: string) => id, keeps: () => false } as unknown as Names;
    expect(constraintInWords({ leftOperand: 'purpose', operator: 'isA', rightOperand: 'urn:dmi:purpose:noise' }, dutch, names)).toBe('Alleen voor: dmi:purpose:noise.');
  });
});

describe('a text of a service', () => {
  it('names participants, data, purposes and actions by what people call them', () => {
    const names = { participant: () => 'Beheerder', dataset: () => 'Drukte', purpose: () => 'mobiliteit' };
    expect(named('urn:dmi:participant:stack heeft geen afspraak voor dit gebruik: dmi:process van urn:dmi:dataset:a:b-c. 3 keer geprobeerd.', dutch, names))
      .toBe('Beheerder heeft geen afspraak voor dit gebruik: verwerken van Drukte. 3 keer geprobeerd.');
    expect(named('niet voor het doel dmi:purpose:public-task.', dutch, names)).toBe('niet voor het doel mobiliteit.');
    expect(named('urn:uuid:7c1f is stopped', dutch, names)).toBe('urn:uuid:7c1f is stopped');
  });
});

describe('a term after which data is deleted', () => {
  it('is told of a layer as deleting, and of any other user as what it gets no more', () => {
    const days = (n: string) => [{ leftOperand: 'dmi:days', operator: 'eq', rightOperand: n }];
    expect(dutyInWords('dmi:deleteAfter', days('7'), dutch, true)).toBe('De gegevens worden na 7 dagen gewist.');
    expect(dutyInWords('dmi:deleteAfter', days('7'), dutch, false)).toBe('Metingen van meer dan 7 dagen oud krijgt de gebruiker niet.');
    expect(dutyInWords('dmi:deleteAfter', days('1'), english, false)).toBe('The user gets no measurements of more than 1 day old.');
    const kept = agreementOf({ assigner: 'A', assignee: 'S', dataset: 'D', actions: ['dmi:process'], purpose: 'p', rulebook: '1' });
    const duty = [{ action: 'dmi:deleteAfter', constraint: days('7') }];
    const [rule] = kept.permission ?? [];
    const document = { ...kept, permission: rule ? [{ ...rule, duty }] : [] };
    const told = (keeps: boolean) => inWords(document, dutch, { participant: String, dataset: String, purpose: String, keeps: (id: string) => keeps && id === 'S' } as unknown as Names).at(-1);
    expect([told(true), told(false)]).toEqual(['De gegevens worden na 7 dagen gewist.', 'Metingen van meer dan 7 dagen oud krijgt de gebruiker niet.']);
  });
});

describe('numbers in texts', () => {
  it('have one row in the singular', () => {
    expect([dutch.t.common.rows(1, 1), dutch.t.common.rows(0, 1), dutch.t.common.rows(1, 5), dutch.t.common.rows(0, 0)]).toEqual(['1 rij', '0 van 1 rij', '1 van 5 rijen', '0 rijen']);
    expect([english.t.common.rows(1, 1), english.t.common.rows(2, 2)]).toEqual(['1 row', '2 rows']);
    expect([dutch.t.home.rowsWeek('1'), english.t.home.rowsWeek('1')]).toEqual(['1 rij in 7 dagen', '1 row in 7 days']);
  });

  it('have the sign of the language in a place, and can be read again', () => {
    expect([formatPlace([5.1, 52.1], 'nl'), formatPlace([5.1, 52.1], 'en')]).toEqual(['52,10000° N.B., 5,10000° O.L.', '52.10000° N, 5.10000° E']);
    for (const language of ['nl', 'en'] as const) expect(readCoordinates(formatPlace([5.12345, 52.1], language))?.point).toEqual([5.12345, 52.1]);
  });
});

describe('the English texts', () => {
  it('send data, as nobody hands it in', () => {
    expect(JSON.stringify(en)).not.toMatch(/\bhand(s|ed|ing)? in\b/i);
    expect(en.signin.vendor).toContain('for sending data');
  });
});

describe('properties', () => {
  const read = (path: string) => readFileSync(`../../../${path}`, 'utf8');
  const demo = 'infra/command/dmi_command/demo';
  const readers = 'services/ingest/dmi_ingest/sources';
  const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((one) => one[1] ?? '');
  /** Keys of places of the demonstration city, as its own source gives them. */
  const places = ['buildings', 'streets'].flatMap((name) => found(read(`${demo}/${name}.py`), /"([a-z][a-z0-9_]*)":/g))
    // Kinds of use and of character that carry a number in a table of chances, no properties.
    .filter((key) => !['shop', 'school', 'centre', 'mixed', 'residential', 'industrial', 'thu', 'day'].includes(key));
  const kept = found(read(`${readers}/amsterdam_buurten.py`), /^ {4}"[A-Za-z]+": "([a-z_]+)",$/gm);
  const parking = found(read(`${readers}/rdw_parking.py`), /"(capacity[a-z_]*)"\)/g);
  const observed = [
    ...found(read(`${readers}/things.py`), /^ {4}"([a-z0-9_]+)": "/gm),
    ...['bus', 'crowd', 'garages'].flatMap((name) => found(read(`${demo}/${name}.py`), /^PROPERTY: Final = "([a-z0-9_]+)"/gm)),
  ];
  const all = [...new Set([...places, ...kept, ...parking, ...observed])];

  it('are found in the demonstration city and in the readers', () => {
    for (const key of ['inhabitants_0_15', 'mean_income', 'floor_m2', 'length_m', 'district_id', 'capacity_charging', 'crowd_count', 'vehicle_position']) {
      expect(all).toContain(key);
    }
  });

  it.each(all)('%s has a name in both languages', (key) => {
    for (const { t } of [dutch, english]) expect({ ...t.figures, ...t.terms }).toHaveProperty([key]);
  });

  it('are written with their unit, and a year without a separator', () => {
    expect(dutch.figure('floor_m2', 6500)).toBe('6.500 m²');
    expect(dutch.figure('mean_income', 31.5)).toBe('31,5 × € 1.000');
    expect(dutch.figure('year', 1986)).toBe('1986');
    expect(dutch.figure('jobs', null)).toBe('geen gegevens');
    expect(dutch.term('inhabitants_65_plus')).toBe('inwoners van 65 jaar en ouder');
  });

  it('stand beside a source that is read in both languages', () => {
    expect(dutch.source('Waterstad, demonstration')).toBe('Waterstad, demonstratie');
    expect(english.source('Waterstad, demonstration')).toBe('Waterstad, demonstration');
  });
});

describe('the language', () => {
  it.each([[null, 'nl', 'nl'], [null, 'nl-BE', 'nl'], [null, 'en-GB', 'en'], [null, 'de', 'en'], ['nl', 'en-US', 'nl'], ['en', 'nl-NL', 'en'], ['fr', 'nl', 'nl']])(
    'chosen before: %s, of the browser: %s, becomes %s', (chosen, browser, language) => {
      expect(firstLanguage(chosen, browser)).toBe(language);
    });
});

describe('formats', () => {
  it('write numbers with unit in the form of the language', () => {
    expect(dutch.quantity(1234.5, 'ug/m3')).toBe('1.235 µg/m³');
    expect(english.quantity(1234.5, 'ug/m3')).toBe('1,235 µg/m³');
    expect(dutch.number(12.34)).toBe('12,3');
  });

  it('never show a missing value as zero', () => {
    expect(dutch.quantity(null, '{vehicle}')).toBe('geen gegevens');
    expect(dutch.number(undefined)).toBe('geen gegevens');
    expect(dutch.quantity(0, '{vehicle}')).toBe('0 auto’s');
  });

  it('sign changes and leave zero unsigned', () => {
    expect(dutch.signed(12)).toBe('+12');
    expect(dutch.percent(0.028, 1, true)).toBe('+2,8%');
    expect(dutch.signed(0)).toBe('0');
  });

  it('write a size in the unit that it fills', () => {
    expect(dutch.bytes(2 ** 30)).toBe('1 GiB');
    expect(dutch.bytes(1.5 * 2 ** 20)).toBe('1,5 MiB');
    expect(english.bytes(300)).toBe('300 bytes');
  });

  it('tell an age in one unit', () => {
    const now = new Date('2026-11-21T12:00:00Z');
    expect(formatAge('2026-11-21T11:58:30Z', now, 'nl')).toBe('1 minuut geleden');
    expect(formatAge('2026-11-21T09:00:00Z', now, 'en')).toBe('3 hours ago');
  });

  it('fall back on the language that there is', () => {
    expect(say({ nl: 'alleen Nederlands' }, 'en')).toBe('alleen Nederlands');
    expect(say(null, 'nl')).toBe('');
  });
});

describe('agreements in words', () => {
  const names = { participant: (id: string) => id, dataset: (id: string) => id, purpose: (id: string) => id, keeps: () => false } as unknown as Names;
  const document = agreementOf({
    assigner: 'A', assignee: 'B', dataset: 'D', actions: ['dmi:read'], purpose: 'dmi:purpose:mobility', until: '2027-01-01T00:00:00Z', grid: 100, rulebook: '1.0.0',
  });

  it('name who, what, for what, until when and the duties', () => {
    const words = inWords(document, dutch, names).join(' ');
    for (const part of ['A geeft B toestemming', 'Mag: opvragen van D', 'Alleen voor: dmi:purpose:mobility', 'Alleen tot', 'afgerond op 100 meter']) {
      expect(words).toContain(part);
    }
  });

  it('name a term that is not known instead of leaving it out', () => {
    const strange = { ...document, permission: [{ target: 'D', action: 'dmi:read', constraint: [{ leftOperand: 'dmi:weather', operator: 'eq', rightOperand: 'sun' }], duty: [{ action: 'dmi:dance' }] }] };
    const words = inWords(strange, dutch, names).join(' ');
    expect(words).toContain('dmi:weather eq sun');
    expect(words).toContain('dmi:dance');
  });

  it('name what is owed for the whole, and all that has no words', () => {
    const strange = { ...document, obligation: [{ action: 'compensate' }], inheritFrom: [{}], conflict: 'perm', permission: [{ target: 'D', action: 'dmi:read', remedy: [{}] }] };
    const words = inWords(strange, dutch, names).join(' ');
    for (const part of ['compensate', 'inheritFrom', 'conflict', 'remedy']) expect(words).toContain(`Met een voorwaarde: ${part}.`);
  });

  it('tell the only recipients, of a consent that names everyone as well', () => {
    expect(recipientsOf(document)).toEqual([]);
    const bounded = { ...document, permission: [{ target: 'D', action: 'dmi:read', constraint: [{ leftOperand: 'recipient', operator: 'isAnyOf', rightOperand: ['X', 'Y'] }] }] };
    expect(recipientsOf(bounded)).toEqual(['X', 'Y']);
  });

  it('outline purposes, actions and end', () => {
    expect(outline(document)).toEqual({ purposes: ['dmi:purpose:mobility'], actions: ['dmi:read'], until: '2027-01-01T00:00:00Z' });
    expect(operand({ '@value': '5' })).toBe('5');
  });

  it('open data is an agreement with the stack and one with everyone', () => {
    expect(documentsFor('open', 'A', 'D', 'p', '1', 'S').map((one) => one.assignee)).toEqual(['S', 'urn:dmi:party:everyone']);
    expect(documentsFor('narrow', 'A', 'D', 'p', '1', 'S')[0]?.permission?.[0]?.duty?.[0]?.action).toBe('dmi:coarsen');
    expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('the zip of all own data', () => {
  it('holds each file as it is, with its checksum and a directory that points to it', async () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    const text = (value: string) => new TextEncoder().encode(value).buffer;
    const bytes = new Uint8Array(await zipped([{ name: 'é.json', content: text('{}') }, { name: 'b.zip', content: text('abc') }]).arrayBuffer());
    const view = new DataView(bytes.buffer);
    const end = bytes.length - 22;
    expect([view.getUint32(end, true), view.getUint16(end + 10, true)]).toEqual([0x06054b50, 2]);
    const start = view.getUint32(end + 16, true);
    expect(view.getUint32(start, true)).toBe(0x02014b50);
    const second = start + 46 + view.getUint16(start + 28, true);
    const local = view.getUint32(second + 42, true);
    expect(view.getUint32(local, true)).toBe(0x04034b50);
    expect(new TextDecoder().decode(bytes.slice(local + 30 + 5, local + 30 + 5 + 3))).toBe('abc');
  });
});
