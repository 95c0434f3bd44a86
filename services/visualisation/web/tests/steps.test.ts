/// <reference types="node" />
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createI18n } from '../src/i18n';
import { stepInDutch, steps } from '../src/i18n/nl/steps';

const root = join(__dirname, '../../../../');
const services = ['agreements/exchange', 'services/ingest', 'services/platform', 'services/visualisation/dmi_visualisation', 'services/support-centre'];

function pythonIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return ['node_modules', 'static', 'web'].includes(name) ? [] : pythonIn(path);
    return name.endsWith('.py') ? [path] : [];
  });
}

/** Where a module makes the steps of a result: what it gives with one, to the record or to the book that tells it. */
const given = /(?:\bLineage\(|\._book\.tell\()((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)/g;

/** The last of the arguments that names steps: a constant, a function's answer, or a variable. */
function namesIn(call: string): string[] {
  return [...call.matchAll(/\b(_?TRANSFORMATIONS|_?transformations|steps)\b/g)].map(([name]) => name);
}

/** The texts in a definition; what is filled in stands for some word. */
function textsOf(source: string, name: string): string[] {
  const body = new RegExp(`^( *)(?:def ${name}\\(|${name}(?:: Final)? = [([]).*\\n(?:(?:\\1 .*)?\\n|\\1[)\\]].*\\n)*`, 'm').exec(source)?.[0] ?? '';
  return [...body.matchAll(/"([^"\\\n]+)"/g)].map(([, text = '']) => text.replace(/\{[^{}]*\}/g, '1'));
}

/** The steps that each module writes, by its path. */
const written = new Map(services.flatMap((service) => pythonIn(join(root, service))).flatMap((path): [string, string[]][] => {
  const source = readFileSync(path, 'utf8');
  const names = [...source.matchAll(given)].flatMap(([, call = '']) => namesIn(call));
  // The platform copies its constant for each record.
  if (/^TRANSFORMATIONS: Final = \(/m.test(source)) names.push('TRANSFORMATIONS');
  return names.length === 0 ? [] : [[path.slice(root.length), [...new Set(names)].flatMap((name) => textsOf(source, name))]];
}));
const all = [...new Set([...written.values()].flat())];

describe('the steps of a result', () => {
  const { t } = createI18n('nl', () => undefined);

  it('are found in every module that tells of results', () => {
    const tells = services.flatMap((service) => pythonIn(join(root, service))).filter((path) => /\bLineage\((?!msgspec)|\._book\.tell\(/.test(readFileSync(path, 'utf8')));
    expect(tells.length).toBeGreaterThan(4);
    for (const path of tells.map((one) => one.slice(root.length))) {
      // These hand on what another module wrote.
      if (/(?:grounds|lineage)\.py$/.test(path)) continue;
      expect(written.get(path), path).not.toHaveLength(0);
    }
    expect(all).toEqual(expect.arrayContaining(['times to UTC, positions to WGS84', 'edit 1: 1', 'rule 1 at 1: 1', 'decided by 1', 'proposed; a person decides']));
  });

  it.each(all)('%s: is told in Dutch', (step) => {
    expect(steps.filter(([pattern]) => pattern.test(step))).toHaveLength(1);
    expect(t.lineage.step(step)).not.toBe(step);
  });

  it.each(steps.map(([pattern]) => pattern.source))('%s: is written by a service', (source) => {
    expect(all.filter((step) => new RegExp(source).test(step))).not.toHaveLength(0);
  });

  it('keep the models, versions and numbers that they name', () => {
    expect(t.lineage.step('forecast model occupancy-1: one linear model a stretch over weekly profiles, deviation and recent change')).toContain('voorspelmodel occupancy-1');
    expect(t.lineage.step('edit 3: {"kind":"x"}')).toBe('wijziging 3: {"kind":"x"}');
    expect(stepInDutch('something newer')).toBe('something newer');
  });
});
