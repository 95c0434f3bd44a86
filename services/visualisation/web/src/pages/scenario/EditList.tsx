import type { FeatureCollection } from 'geojson';
import type { Coefficient, ScenarioEdit } from '../../api';
import { useI18n } from '../../i18n';
import { editWords } from './editWords';

export function EditList({ edits, areas, coefficients }: { edits: ScenarioEdit[]; areas: FeatureCollection; coefficients: Coefficient[] }) {
  const i18n = useI18n();
  if (edits.length === 0) return <p className="dmi-soft">{i18n.t.scenarios.listEmpty}</p>;
  return (
    <ol className="dmi-edits">
      {edits.map((edit, index) => <li key={index} className="dmi-cap">{editWords(edit, areas, coefficients, i18n)}</li>)}
    </ol>
  );
}
