/** Every version of a scenario, what made it, and the way to look at it. */
import type { Scenario, ScenarioVersion } from '../../api';
import { useI18n } from '../../i18n';
import { Badge } from '../../ui/Badge';

interface Props {
  scenario: Scenario;
  shown: number;
  onShow: (version: number) => void;
}

export function Versions({ scenario, shown, onShow }: Props) {
  const { t, say, number, moment } = useI18n();
  const before = new Map(scenario.versions.map((one) => [one.version, one]));
  const what = (one: ScenarioVersion): string => {
    const parent = one.parent === null ? null : (before.get(one.parent) ?? null);
    if (one.merged) return one.merged.version === null ? t.scenarios.versionMergedPrivate(say(one.merged.title)) : t.scenarios.versionMerged(say(one.merged.title), number(one.merged.version));
    if (parent && parent.baseline !== one.baseline) return t.scenarios.versionRenewed;
    return parent === null && one.edits === 0 ? t.scenarios.versionStart : t.scenarios.versionEdit(one.edits);
  };
  return (
    <details className="dmi-details">
      <summary>{t.scenarios.versionsAll} ({number(scenario.versions.length)})</summary>
      <ol className="dmi-rows">
        {[...scenario.versions].reverse().map((one) => (
          <li key={one.version}>
            <div>
              <p>
                {one.version === shown ? <strong>{t.scenarios.showVersion(one.version)}</strong> : (
                  <button type="button" className="dmi-link-button" onClick={() => onShow(one.version)}>{t.scenarios.showVersion(one.version)}</button>
                )}: {what(one)}
              </p>
              <p className="dmi-small dmi-soft">{[one.by, moment(one.created_at)].filter(Boolean).join(', ')}</p>
            </div>
            {one.version === scenario.version ? <Badge tone="good">{t.scenarios.current}</Badge> : null}
          </li>
        ))}
      </ol>
    </details>
  );
}
