/** A place in both systems, each to be copied. */
import { Heading3 } from '@utrecht/component-library-react';
import { useI18n } from '../../i18n';
import { toRdNew } from '../../map/rd';
import { CopyButton } from '../../ui/CopyButton';

export function Coordinates({ point: [longitude, latitude] }: { point: [number, number] }) {
  const { t } = useI18n();
  const rd = toRdNew(longitude, latitude);
  const wgs = `${longitude.toFixed(6)}, ${latitude.toFixed(6)}`;
  const rdText = rd ? `${Math.round(rd[0])}, ${Math.round(rd[1])}` : null;
  return (
    <div className="dmi-stack">
      <Heading3>{t.map.coordinates}</Heading3>
      <dl className="dmi-facts">
        <dt>{t.map.wgs}</dt>
        <dd>{wgs}</dd>
        {rdText ? (<><dt>{t.map.rd}</dt><dd>{rdText}</dd></>) : null}
      </dl>
      <div className="dmi-actions">
        <CopyButton text={wgs} label={t.map.copyWgs} />
        {rdText ? <CopyButton text={rdText} label={t.map.copyRd} /> : null}
      </div>
    </div>
  );
}
