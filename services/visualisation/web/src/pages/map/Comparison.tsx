/** Up to four sensors of one kind in one chart, over the last day. */
import { useMemo } from 'react';
import { Heading3 } from '@utrecht/component-library-react';
import type { History } from '../../api';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { withGaps } from '../../chart/scales';
import type { MomentLink } from '../../chart/Scrub';
import { SeriesChart } from '../../chart/SeriesChart';
import { useI18n } from '../../i18n';
import { Loaded } from '../../ui/State';
import { reach } from './moment';

interface Props {
  datastreams: string[];
  /** The name of a sensor by its datastream. */
  nameOf: (datastream: string) => string;
  current: string | null;
  link: MomentLink;
  onPoint: (datastream: string | null) => void;
  onChoose: (datastream: string) => void;
  onChange: (datastreams: string[]) => void;
}

export function Comparison({ datastreams, nameOf, current, link, onPoint, onChoose, onChange }: Props) {
  const { t, term } = useI18n();
  const api = useApi();
  const histories = useResource(
    `compare ${datastreams.join(' ')}`,
    (signal) => {
      const to = new Date();
      const from = new Date(to.getTime() - reach);
      return Promise.all(datastreams.map((id) => api.visualisation.history(id, from, to, 96, signal)));
    },
    60_000,
  );
  return (
    <div className="dmi-stack dmi-comparison">
      <div className="dmi-section__head">
        <Heading3>{t.map.comparison}</Heading3>
        <button type="button" className="dmi-link-button" onClick={() => onChange([])}>{t.map.comparisonClear}</button>
      </div>
      {datastreams.length === 1 ? <p className="dmi-small dmi-soft">{t.map.comparisonOne}</p> : null}
      <Loaded resource={histories} height={320}>
        {(list) => (
          <Drawn
            list={list} title={`${t.map.comparison}, ${term(list[0]?.observed_property)}`} nameOf={nameOf} current={current} link={link}
            onPoint={onPoint} onChoose={onChoose} onRemove={(id) => onChange(datastreams.filter((one) => one !== id))}
          />
        )}
      </Loaded>
    </div>
  );
}

interface DrawnProps extends Pick<Props, 'nameOf' | 'current' | 'link' | 'onPoint' | 'onChoose'> {
  list: History[];
  title: string;
  onRemove: (id: string) => void;
}

function Drawn({ list, title, nameOf, ...rest }: DrawnProps) {
  const series = useMemo(
    () => list.map((one) => ({
      id: one.datastream,
      name: nameOf(one.datastream),
      points: withGaps(one.items.map((item) => ({ at: new Date(item.at).getTime(), value: item.mean })), (at) => ({ at, value: null as number | null })),
    })),
    [list, nameOf],
  );
  return <SeriesChart title={title} unit={list[0]?.unit ?? ''} series={series} {...rest} />;
}
