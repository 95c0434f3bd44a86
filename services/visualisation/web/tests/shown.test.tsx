import { describe, expect, it } from 'vitest';
import { Difference } from '../src/pages/negotiate/Difference';
import { shown, somebody } from './page';

const city = 'urn:dmi:participant:gemeente';
const officer = somebody(city);

describe('the difference of two proposals', () => {
  it('strikes through only what goes from a list', async () => {
    const changes = [
      { key: 'a', clause: 'Mag', before: 'analyseren', after: null, list: true },
      { key: 'b', clause: 'Doel', before: 'mobiliteit', after: 'geluid', list: false },
    ];
    const page = await shown(<Difference changes={changes} none="" />, officer);
    expect([...page.querySelectorAll('dd')].map((one) => one.textContent)).toEqual(['Vervalt analyseren', 'Komt erbij niets', 'Was mobiliteit', 'Wordt geluid']);
    expect([...page.querySelectorAll('del, ins')].map((one) => one.textContent)).toEqual(['analyseren', 'mobiliteit', 'geluid']);
  });
});
