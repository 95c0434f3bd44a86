/** An edit of a scenario in plain words. */
import type { FeatureCollection } from 'geojson';
import type { Coefficient, ScenarioEdit } from '../../api';
import type { I18n } from '../../i18n';
import { placeName } from './areas';

export function editWords(edit: ScenarioEdit, areas: FeatureCollection, known: Coefficient[], { t, term, percent, number, say, unit }: I18n): string {
  if (edit.type === 'coefficient') {
    const found = known.find((one) => one.name === edit.name);
    const value = `${number(edit.value, 4)} ${found ? unit(say(found.unit)) : ''}`.trim();
    return t.scenarios.editCoefficient(coefficientName(edit.name, known, say), value);
  }
  const mix = Object.entries(edit.mix).map(([part, share]) => `${percent(share)} ${term(part)}`).join(', ');
  return t.scenarios.editRedevelop(term(edit.from), placeName(areas, edit.area, t) ?? t.scenarios.drawnArea, mix);
}

/** The name of a coefficient as people know it. */
export function coefficientName(name: string, known: Coefficient[], say: I18n['say']): string {
  return say(known.find((one) => one.name === name)?.label) || name.replaceAll('_', ' ');
}
