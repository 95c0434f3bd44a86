/** The history of one sensor, linked with the moment of the map. */
import { useState } from 'react';
import { Heading3 } from '@utrecht/component-library-react';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { withGaps } from '../../chart/scales';
import type { MomentLink } from '../../chart/Scrub';
import { TimeChart } from '../../chart/TimeChart';
import { useI18n } from '../../i18n';
import { RadioGroup } from '../../ui/fields';
import { Loaded } from '../../ui/State';

interface Props {
  datastream: string;
  title: string;
  capacity: number | null;
  link: MomentLink;
  onPoint: (pointing: boolean) => void;
}

export function HistoryChart({ datastream, title, capacity, link, onPoint }: Props) {
  const { t } = useI18n();
  const api = useApi();
  const [days, setDays] = useState('1');
  const history = useResource(
    `history ${datastream} ${days}`,
    (signal) => {
      const to = new Date();
      const from = new Date(to.getTime() - Number(days) * 86_400_000);
      return api.visualisation.history(datastream, from, to, 96, signal);
    },
    60_000,
  );
  return (
    <div className="dmi-stack">
      <Heading3>{t.map.history}</Heading3>
      <RadioGroup
        inline label={t.common.time} name="history" value={days} onChange={setDays}
        choices={[{ value: '1', label: t.map.lastDay }, { value: '7', label: t.map.lastWeek }]}
      />
      <Loaded
        resource={history} height={280}
        isEmpty={(data) => data.items.every((item) => item.mean === null)}
        empty={<p className="dmi-soft">{t.map.historyEmpty}</p>}
      >
        {(data) => (
          <TimeChart
            title={title} unit={data.unit} reference={capacity} link={link} onPoint={onPoint}
            names={{ value: t.forecasts.measured, low: '↓', high: '↑', band: t.map.measured, reference: t.map.capacity }}
            rows={withGaps(
              data.items.map((item) => ({ at: new Date(item.at).getTime(), value: item.mean, low: item.minimum, high: item.maximum })),
              (moment) => ({ at: moment, value: null, low: null, high: null }),
            )}
          />
        )}
      </Loaded>
    </div>
  );
}
