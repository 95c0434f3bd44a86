/** What a layer did about the request of a person, in words. */
import type { SubjectRequest } from '../../api';
import type { I18n } from '../../i18n';

/** That it stopped using the rows of who objects a layer tells also where it had none to erase. */
export function doneBy(one: SubjectRequest['carried_out'][number], right: SubjectRequest['right'], { t, number }: Pick<I18n, 't' | 'number'>): string {
  const layers: Record<string, string> = t.rights.layers;
  const tell = right === 'objection' ? t.rights.layerObjected : t.rights.layer;
  return tell(layers[one.service] ?? one.service, number(one.rows), one.rows);
}
