import type { FeatureCollection } from 'geojson';
import type { ScenarioEdit } from '../../api';
import { useI18n, type I18n } from '../../i18n';
import { placeName } from './areas';

function editWords(edit: ScenarioEdit, areas: FeatureCollection, { t, term, percent, number }: I18n): string {
  if (edit.type === 'coefficient') return t.scenarios.editCoefficient(edit.name.replaceAll('_', ' '), number(edit.value));
  const name = placeName(areas, edit.area);
  const mix = Object.entries(edit.mix).map(([part, share]) => `${percent(share)} ${term(part)}`).join(', ');
  return t.scenarios.editRedevelop(term(edit.from), name ?? t.scenarios.drawnArea, mix);
}

export function EditList({ edits, areas }: { edits: ScenarioEdit[]; areas: FeatureCollection }) {
  const i18n = useI18n();
  if (edits.length === 0) return <p className="dmi-soft">{i18n.t.scenarios.listEmpty}</p>;
  return (
    <ol className="dmi-edits">
      {edits.map((edit, index) => <li key={index} className="dmi-cap">{editWords(edit, areas, i18n)}</li>)}
    </ol>
  );
}
