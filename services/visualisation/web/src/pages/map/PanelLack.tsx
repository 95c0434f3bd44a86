/** In the place of the panel of a point that cannot be shown: why, and what to do. */
import { useRef } from 'react';
import { Heading2, SecondaryActionButton } from '@utrecht/component-library-react';
import type { Layer } from '../../api';
import { ApiError } from '../../api/problem';
import { useI18n } from '../../i18n';
import { Icon } from '../../ui/Icon';
import { Failure, Skeleton } from '../../ui/State';
import type { LayerReport } from './LayerHost';
import { useReplaced } from './useOpened';

interface Props {
  /** Undefined when there is no such layer, or not any more. */
  layer: Layer | undefined;
  report: LayerReport | undefined;
  on: boolean;
  onTurnOn: () => void;
  onRetry: () => void;
  onClose: () => void;
}

export function PanelLack({ onClose, ...rest }: Props) {
  const { t, say } = useI18n();
  const panel = useRef<HTMLElement>(null);
  useReplaced(panel);
  return (
    <section ref={panel} className="dmi-panel" aria-label={t.map.panel}>
      <div className="dmi-panel__head">
        <Heading2>{rest.layer ? say(rest.layer.title) : t.map.panel}</Heading2>
        <button type="button" className="dmi-icon-button" aria-label={t.common.close} onClick={onClose}><Icon name="close" /></button>
      </div>
      <Body {...rest} />
    </section>
  );
}

function Body({ layer, report, on, onTurnOn, onRetry }: Omit<Props, 'onClose'>) {
  const { t, say } = useI18n();
  if (!layer) return <Failure error={new ApiError('missing', 404, {})} />;
  if (layer.refused) return <Failure error={new ApiError('refused', 403, { ...layer.refused })} owner={layer.owner} />;
  if (!on) {
    return (
      <>
        <p>{t.map.tableOff(say(layer.title))}.</p>
        <SecondaryActionButton onClick={onTurnOn}>{t.map.turnOn}</SecondaryActionButton>
      </>
    );
  }
  if (report?.error) return <Failure error={report.error} owner={layer.owner} retry={onRetry} />;
  return report?.all ? <p>{t.map.lackGone}</p> : <Skeleton lines={6} height={320} />;
}
