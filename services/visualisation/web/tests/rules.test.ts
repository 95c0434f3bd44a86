import { describe, expect, it } from 'vitest';
import type { Rule } from '../src/api';
import { ApiError } from '../src/api/problem';
import { supportApi } from '../src/api/support';
import { HttpClient } from '../src/api/http';
import { givenOf, settingsOf, wrongSettings } from '../src/pages/measures/settings';
import { movedOn } from '../src/pages/measures/useRuleChange';

const garage: Rule = { id: 'g', version: 3, kind: 'garage', full_share: 0.95, duration_min: 60 };
const crowd: Rule = { id: 'c', version: 1, kind: 'crowd', threshold: 'E', duration_min: 30 };

describe('the settings of a rule', () => {
  it('lets a garage speak again only well under its threshold', () => {
    expect(settingsOf(garage, { share: '40', level: '', minutes: '45' })).toEqual({ full_share: 0.4, release_share: 0.3, duration_min: 45 });
    expect(settingsOf(garage, { share: '5', level: '', minutes: '45' })).toEqual({ full_share: 0.05, release_share: 0, duration_min: 45 });
  });
  it('begins with what holds', () => {
    expect(givenOf(garage)).toEqual({ share: '95', level: '', minutes: '60' });
    expect(givenOf(crowd)).toEqual({ share: '', level: 'E', minutes: '30' });
  });
  it('keeps a level as it is', () => {
    expect(settingsOf(crowd, { share: '', level: 'C', minutes: '30' })).toEqual({ threshold: 'C', duration_min: 30 });
  });
  it.each([
    ['0', '60', true, false], ['101', '60', true, false], ['', '60', true, false], ['4e1', '60', true, false], ['40,5', '60', true, false],
    ['40', '4', false, true], ['40', '1441', false, true], ['40', '', false, true], ['1', '5', false, false], ['100', '1440', false, false],
  ])('says which of %s percent and %s minutes is wrong', (share, minutes, threshold, lasting) => {
    expect(wrongSettings('garage', { share, level: '', minutes })).toEqual({ threshold, minutes: lasting });
  });
});

describe('a change of a rule', () => {
  const refused = (status: number) => () => Promise.reject(new ApiError('invalid', status, {}));

  it('looks up what holds now when somebody else was quicker, and only then', async () => {
    expect(await movedOn(refused(412), () => Promise.resolve(garage))).toBe(garage);
    expect(await movedOn(() => Promise.resolve('written'), () => Promise.resolve(garage))).toBeNull();
    await expect(movedOn(refused(400), () => Promise.resolve(garage))).rejects.toMatchObject({ status: 400 });
  });

  it('names the version that it is about, but for a stop', async () => {
    const sent: [string, string | null][] = [];
    const send: typeof fetch = (input, init) => {
      sent.push([input as string, new Headers(init?.headers).get('if-match')]);
      return Promise.resolve(new Response('{}', { headers: { 'content-type': 'application/json' } }));
    };
    const api = supportApi(new HttpClient({ token: () => Promise.resolve(null), renew: () => Promise.resolve(null), purpose: () => '' }, send));
    await api.changeRule('g', 3, { full_share: 0.9 });
    await api.letPublish('g', 4, '2027-01-01T00:00:00Z');
    await api.stopPublishing('g');
    const rule = '/support-centre/v1/rules/g';
    expect(sent).toEqual([[rule, '"3"'], [`${rule}/automatic`, '"4"'], [`${rule}/automatic`, null]]);
  });
});
