/** A layer as a table in the place of the map, in whatever state the layer is. */
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Layer, LayerFeature } from '../../api';
import { ApiError } from '../../api/problem';
import { useI18n } from '../../i18n';
import { Empty, Failure, Skeleton } from '../../ui/State';
import type { LayerReport } from './LayerHost';
import { LayerTable } from './LayerTable';

interface Props {
  /** Undefined when there is no such layer, or not any more. */
  layer: Layer | undefined;
  report: LayerReport | undefined;
  on: boolean;
  /** The moment that is shown; null is live. */
  at: number | null;
  areas: Map<string, string>;
  current: string | null;
  kind: string | null;
  onKind: (kind: string) => void;
  onShow: (feature: LayerFeature) => void;
  onBack: () => void;
  onTurnOn: () => void;
  onClearFilters: () => void;
  onRetry: () => void;
}

export function TablePane({ onBack, ...rest }: Props) {
  const { t } = useI18n();
  return (
    <div className="dmi-map__table">
      <p><button type="button" className="dmi-link-button" onClick={onBack}>← {t.map.asMap}</button></p>
      <Body {...rest} />
    </div>
  );
}

function Body({ layer, report, on, at, areas, current, kind, onKind, onShow, onTurnOn, onClearFilters, onRetry }: Omit<Props, 'onBack'>) {
  const { t, say } = useI18n();
  if (!layer) return <Failure error={new ApiError('missing', 404, {})} />;
  const title = say(layer.title);
  const refused = layer.refused ? new ApiError('refused', 403, { ...layer.refused }) : null;
  if (refused) return <Failure error={refused} owner={layer.owner} />;
  if (!on) return <Empty title={t.map.tableOff(title)} action={<SecondaryActionButton onClick={onTurnOn}>{t.map.turnOn}</SecondaryActionButton>} />;
  if (report?.error) return <Failure error={report.error} owner={layer.owner} retry={onRetry} />;
  if (!report?.features || !report.all) return <Skeleton lines={10} height={480} />;
  if (report.all.features.length === 0) return <Empty title={t.map.tableEmpty(title)}>{at === null ? t.map.tableEmptyText : t.map.tableEmptyThen}</Empty>;
  if (report.features.features.length === 0) return <Empty title={t.map.filterNone} action={<SecondaryActionButton onClick={onClearFilters}>{t.map.filterClear}</SecondaryActionButton>} />;
  return <LayerTable layer={layer} features={report.features} areas={areas} current={current} kind={kind} onKind={onKind} onShow={onShow} />;
}
