import { describe, expect, it } from 'vitest';
import type { Agreement, Forecast } from '../src/api';
import { fallenDatasets, mayForecast } from '../src/pages/ForecastsPage';

const forecast = (dataset: string, withdrawn: boolean) => ({ withdrawn, grounds: { datasets: [dataset] } }) as Forecast;
const agreement = (state: string, action: string) => ({ state, document: { permission: [{ action }] } }) as unknown as Agreement;

describe('computing forecasts again', () => {
  it('is asked of new agreements only when no forecast stands any more', () => {
    expect(fallenDatasets([forecast('b', true), forecast('a', true), forecast('b', true)])).toEqual(['a', 'b']);
    expect(fallenDatasets([forecast('a', true), forecast('b', false)])).toEqual([]);
    expect(fallenDatasets([])).toEqual([]);
  });

  it('takes an agreement that runs and allows to analyse', () => {
    expect(mayForecast([agreement('ended', 'dmi:analyse'), agreement('active', 'dmi:read')])).toBe(false);
    expect(mayForecast([agreement('active', 'dmi:analyse')])).toBe(true);
  });
});
