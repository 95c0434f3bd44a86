/** Reads a chart off point by point with the keyboard, and leads from the point to what else shows that moment. */
import { useI18n } from '../i18n';

export interface MomentLink {
  /** The moment that the other view shows now; null is live. */
  at: number | null;
  /** Only moments from here on can be shown there. */
  from: number;
  go: (at: number) => void;
}

interface Props {
  moments: number[];
  index: number | null;
  reading: string;
  onIndex: (index: number) => void;
  link?: MomentLink;
  /** Tells whether the keyboard is here. */
  onFocus?: (here: boolean) => void;
}

export function Scrub({ moments, index, reading, onIndex, link, onFocus }: Props) {
  const { t, moment } = useI18n();
  const at = index === null ? null : (moments[index] ?? null);
  return (
    <>
      <input
        type="range" className="dmi-chart__scrub" min={0} max={Math.max(0, moments.length - 1)} value={index ?? moments.length - 1}
        aria-label={t.map.chartRead} aria-valuetext={reading} onChange={(event) => onIndex(Number(event.target.value))}
        onFocus={() => onFocus?.(true)} onBlur={() => onFocus?.(false)}
      />
      <p className="dmi-chart__read" aria-hidden="true">{reading}</p>
      {link ? (
        <p className="dmi-chart__go">
          <button type="button" className="dmi-link-button" disabled={at === null || at < link.from} onClick={() => at !== null && link.go(at)}>
            {t.map.chartMoment(at === null ? '…' : moment(new Date(at)))}
          </button>
        </p>
      ) : null}
    </>
  );
}
