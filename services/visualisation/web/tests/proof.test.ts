import { describe, expect, it } from 'vitest';
import { createI18n } from '../src/i18n';
import { amountOf, isOpen, standingOf } from '../src/pages/agreement/transfers';
import { courseOf, sizeIn, whoIn } from '../src/pages/log/proof';
import { cityOf } from '../src/pages/nodes/standing';

const entry = (sequence: number, leaf: object) => ({ sequence, leaf: JSON.stringify(leaf) });

describe('kept evidence', () => {
  it('tells when an agreement was closed and stopped, and what was done in between', () => {
    const entries = [
      entry(3, { crossing: 'law', action: 'dmi:conclude', allowed: true }),
      entry(5, { crossing: 'query', action: 'dmi:read', allowed: true, rows: 4 }),
      entry(6, { crossing: 'map', action: 'dmi:display', allowed: true }),
      entry(7, { crossing: 'map', action: 'dmi:display', allowed: true, reasons: ['given: 8 rows'], rows: 8 }),
      entry(8, { crossing: 'map', action: 'dmi:display', allowed: true, reasons: ['delivered: 5 rows of 2 persons under their consent'], rows: 5 }),
      entry(10, { crossing: 'delivery', action: 'dmi:read', allowed: true, reasons: ['delivered: 6 rows given to urn:dmi:participant:b'], rows: 6 }),
      entry(12, { crossing: 'map', action: 'dmi:display', allowed: true, reasons: ['goes_on: a use that was counted before goes on', 'allowed: permitted'] }),
      entry(9, { crossing: 'law', action: 'dmi:end', allowed: true }),
      entry(11, { crossing: 'query', action: 'dmi:read', allowed: false, rows: 4 }),
    ];
    expect(courseOf({ entries })).toEqual({ concluded: 3, stopped: 9, uses: 2, rows: 18, refused: 1 });
    expect(courseOf({ entries: [] })).toEqual({ concluded: null, stopped: null, uses: 0, rows: 0, refused: 0 });
  });

  it('is known again by the size of the log, and nothing else is taken for it', () => {
    expect(sizeIn('{"head":{"tree_size":12}}')).toBe(12);
    for (const text of ['', 'null', '[]', '{"head":{}}', '{"head":{"tree_size":"12"}}', '{"head":{"tree_size":0}}']) expect(sizeIn(text)).toBeNull();
  });

  it('names who signed and who stopped', () => {
    expect(whoIn(['signed: urn:dmi:participant:a 0f', 'signed: urn:dmi:participant:b 1e', 'agreement: x'])).toEqual(['urn:dmi:participant:a', 'urn:dmi:participant:b']);
    expect(whoIn(['stopped: urn:dmi:participant:a'])).toEqual(['urn:dmi:participant:a']);
  });
});

describe('a delivery between cities', () => {
  it('tells its amount and its state on either side', () => {
    const { t } = createI18n('nl', () => undefined);
    expect(amountOf({ data: { received: 5, not_taken: 1 } })).toBe(5);
    expect(amountOf({ data: { sent: 7, pieces: 2, sent_again: 0, log: null } })).toBe(7);
    expect(standingOf({ state: 'SUSPENDED', reason: 'paused' }, t)).toEqual(['warn', 'staat stil']);
    expect(standingOf({ state: 'OTHER', reason: null }, t)).toEqual(['neutral', 'OTHER']);
    expect(standingOf({ state: 'STARTED', reason: null }, t)).toEqual(['good', 'loopt']);
    expect(standingOf({ state: 'STARTED', reason: 'refused; tried 3 times, goes on trying' }, t)).toEqual(['warn', 'lukt nu niet']);
    expect(['REQUESTED', 'STARTED', 'SUSPENDED', 'COMPLETED', 'TERMINATED'].filter((state) => isOpen({ state }))).toEqual(['REQUESTED', 'STARTED', 'SUSPENDED']);
  });

  it('is with a city that has a name once its municipality is known', () => {
    const node = { url: 'http://b.example', address: 'http://b.example/exchange/dsp' };
    const member = { id: 'urn:dmi:participant:b', name: 'Gemeente Buurstad', home: 'http://b.example/exchange', roles: ['dmi:role:municipality'] };
    expect(cityOf(node, [{ ...member, home: null }, { ...member, roles: [] }])).toBe('b.example');
    expect(cityOf(node, [member])).toBe('Gemeente Buurstad (b.example)');
  });
});
