import { describe, expect, it } from 'vitest';
import type { Rule } from '../src/api';
import { settingsOf, wrongSettings } from '../src/pages/measures/settings';

const garage: Rule = { id: 'g', kind: 'garage', full_share: 0.95, duration_min: 60 };
const crowd: Rule = { id: 'c', kind: 'crowd', threshold: 'E', duration_min: 30 };

describe('the settings of a rule', () => {
  it('lets a garage speak again only well under its threshold', () => {
    expect(settingsOf(garage, { share: '40', level: '', minutes: '45' })).toEqual({ full_share: 0.4, release_share: 0.3, duration_min: 45 });
    expect(settingsOf(garage, { share: '5', level: '', minutes: '45' })).toEqual({ full_share: 0.05, release_share: 0, duration_min: 45 });
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
