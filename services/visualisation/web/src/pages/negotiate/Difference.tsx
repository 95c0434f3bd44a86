/** What changes, clause by clause: what it was and what it becomes; of a list what goes and what comes. */
import { useI18n } from '../../i18n';
import type { Change } from '../../rights/difference';

export function Difference({ changes, none }: { changes: Change[]; none: string }) {
  const { t } = useI18n();
  if (changes.length === 0) return <p className="dmi-soft">{none}</p>;
  return (
    <dl className="dmi-changes">
      {changes.map((one) => (
        <div key={one.key}>
          <dt>{one.clause}</dt>
          <dd className="dmi-changes__before"><span className="dmi-changes__head">{one.list ? t.negotiate.goes : t.negotiate.before}</span> {one.before ? <del>{one.before}</del> : <span className="dmi-soft">{one.list ? t.negotiate.none : t.negotiate.nothing}</span>}</dd>
          <dd className="dmi-changes__after"><span className="dmi-changes__head">{one.list ? t.negotiate.comes : t.negotiate.after}</span> {one.after ? <ins>{one.after}</ins> : <span className="dmi-soft">{one.list ? t.negotiate.none : t.negotiate.nothing}</span>}</dd>
        </div>
      ))}
    </dl>
  );
}
