import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineIn } from '../src/app/names';
import { createI18n } from '../src/i18n';
import { law } from '../src/pages/log/proof';
import { actingIn, codesOf, isMandate } from '../src/pages/log/who';

const city = 'urn:dmi:participant:gemeente';
const vendor = 'urn:dmi:participant:meetlat';
const mandate = 'urn:uuid:6f3e12a1-0000-4000-8000-000000000000';
const entry = { assignee: city as string | null, crossing: 'export', reasons: ['owner: it owns the data'] };

describe('who an entry of the log names', () => {
  it('is who acted and for whom, where it was done by a mandate', () => {
    expect(actingIn({ ...entry, actor: vendor, mandate })).toEqual({ by: [vendor], behalf: city, mandate });
    expect(actingIn({ ...entry, actor: null, mandate: null })).toEqual({ by: [city], behalf: null, mandate: null });
    expect(actingIn({ ...entry, actor: null, mandate })).toEqual({ by: [null], behalf: city, mandate });
  });

  it('is who signed or stopped an agreement, not whom it was made with', () => {
    const stopped = { ...entry, crossing: law, assignee: vendor, reasons: [`stopped: ${city}`] };
    expect(actingIn(stopped).by).toEqual([city]);
    expect(actingIn({ ...stopped, reasons: ['expired'] }).by).toEqual([vendor]);
  });
});

describe('a machine', () => {
  it('is told by its id as what it is called and whose it is', () => {
    expect(machineIn('urn:dmi:machine:gemeente:slagboom-noord')).toEqual({ name: 'slagboom-noord', owner: city });
    expect([machineIn(city), machineIn(null), machineIn(mandate)]).toEqual([null, null, null]);
  });
});

describe('a mandate among the grounds of a decision', () => {
  const ended = { mandate: null, reasons: [`ended: the mandate ${mandate} has been ended`] };

  it('is told and linked as one', () => {
    expect(isMandate(mandate, ended)).toBe(true);
    expect(isMandate(mandate, { mandate, reasons: [] })).toBe(true);
    expect(isMandate(mandate, { mandate: null, reasons: [`no_mandate: ${mandate} does not let its mandatary give it on`] })).toBe(true);
    expect(isMandate('urn:uuid:1', ended)).toBe(false);
    expect(isMandate(mandate, { mandate: null, reasons: [`ended: the agreement ${mandate} has been ended`] })).toBe(false);
  });

  it('is not called an agreement in the reason', () => {
    expect(codesOf(ended)).toEqual(['mandate_ended']);
    expect(codesOf({ reasons: ['ended: the agreement x has ended', 'ended: again', 'owner'] })).toEqual(['ended', 'owner']);
  });
});

describe('the steps of a result', () => {
  const { t } = createI18n('nl', () => undefined);

  it('are told in Dutch, with the models and versions that they name', () => {
    expect(t.lineage.step('forecast model occupancy-1: one linear model a stretch over weekly profiles, deviation and recent change')).toContain('voorspelmodel occupancy-1');
    expect(t.lineage.step('edit 3: {"kind":"x"}')).toBe('wijziging 3: {"kind":"x"}');
  });

  it('cover what the services write of forecasts, crowds and single figures', () => {
    const written = ['support-centre/dmi_support_centre/forecasting.py', 'support-centre/dmi_support_centre/crowding.py', 'platform/dmi_platform/harmonise.py'].flatMap((path) => {
      const source = readFileSync(join(__dirname, '../../../', path), 'utf8');
      const [, tuple = ''] = /^_?TRANSFORMATIONS(?:: Final)? = \(\n([^)]*)^\)/m.exec(source) ?? [];
      return [...tuple.matchAll(/^ +f?"(.*)",$/gm)].map(([, step = '']) => step.replace('{MODEL}', 'model-1'));
    });
    expect(written.length).toBeGreaterThan(10);
    expect(written.filter((step) => t.lineage.step(step) === step)).toEqual([]);
  });
});
