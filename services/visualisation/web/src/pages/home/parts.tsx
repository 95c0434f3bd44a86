/** Parts that several first screens share. */
import type { Agreement } from '../../api';
import { useNames } from '../../app/names';
import { RouteLink } from '../../app/router';
import { useApi } from '../../app/session';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { outline } from '../../rights/words';
import { Badge, stateTone } from '../../ui/Badge';
import { RefusedBadge } from '../../ui/RefusedBadge';
import { Loaded } from '../../ui/State';
import { isLate, useNow } from '../../app/useNow';

export function Freshness({ latest, still }: { latest: string | null; still?: boolean }) {
  const { t, age } = useI18n();
  const now = useNow();
  if (still) return <span className="dmi-small dmi-soft">{t.home.still}</span>;
  if (latest === null) return <Badge>{t.home.never}</Badge>;
  const late = isLate(latest, now);
  return (
    <span className="dmi-badges">
      <Badge tone={late ? 'warn' : 'good'}>{late ? t.home.lateWord : t.home.fresh}</Badge>
      <span className="dmi-small dmi-soft">{t.map.age(age(latest))}</span>
    </span>
  );
}

export function AgreementRows({ agreements }: { agreements: Agreement[] }) {
  const { t, term } = useI18n();
  const names = useNames();
  return (
    <ul className="dmi-rows">
      {agreements.map((a) => (
        <li key={a.id}>
          <div>
            <p><RouteLink to={`/agreements/${a.id}`}>{a.datasets.map((id) => names.dataset(id)).join(', ')}</RouteLink></p>
            <p className="dmi-small dmi-soft">
              {names.participant(a.assigner)} → {names.participant(a.assignee)}. {t.common.purpose}: {outline(a.document).purposes.map((one) => names.purpose(one)).join(', ')}
            </p>
          </div>
          <Badge tone={stateTone(a.state)}>{term(a.state)}</Badge>
        </li>
      ))}
    </ul>
  );
}

export function useLayers() {
  const api = useApi();
  return useResource('home layers', (signal) => api.visualisation.layers(signal), 30_000);
}

export function LayerRows() {
  const { t, say } = useI18n();
  const names = useNames();
  const layers = useLayers();
  return (
    <Loaded resource={layers} height={240} isEmpty={(all) => all.items.length === 0} empty={<p className="dmi-soft">{t.map.noLayers}</p>}>
      {(all) => (
        <ul className="dmi-rows">
          {all.items.map((layer) => (
            <li key={layer.id}>
              <div>
                <p><RouteLink to={`/map?layer=${layer.id}`}>{say(layer.title)}</RouteLink></p>
                <p className="dmi-small dmi-soft">{names.participant(layer.owner)}</p>
              </div>
              {layer.refused ? <RefusedBadge problem={layer.refused} /> : <Freshness latest={layer.latest} still={layer.kind === 'areas'} />}
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
