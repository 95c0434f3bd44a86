/** The map page once its layers are known: list, map or table, time, and what was chosen. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { FeatureCollection } from 'geojson';
import type { Layer, LayerFeature } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useNow } from '../../app/useNow';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { shortId } from '../../i18n/format';
import { openingBox } from '../../map/bounds';
import { shapesOf, storedShapes, storeShapes } from '../../map/shapes';
import { Notice } from '../../ui/State';
import { hindranceOf } from './compare';
import { Comparison } from './Comparison';
import { FeaturePanel } from './FeaturePanel';
import { FilterBar } from './FilterBar';
import { noFilters } from './filters';
import { boxOf, type Found } from './find';
import { LayerHost, type LayerReport, type Look } from './LayerHost';
import { MapPane } from './MapPane';
import { MapSearch } from './MapSearch';
import { earlierThan } from './moment';
import { PanelLack } from './PanelLack';
import { PlacePanel } from './PlacePanel';
import { momentFor, shows, type Side, type Sides } from './sides';
import { TablePane } from './TablePane';
import { TimeSlider } from './TimeSlider';
import { useFirst } from './useFirst';
import { useSought } from './useSought';
import { useView } from './useView';

type Box = [number, number, number, number];

export function MapView({ layers, outside, reload }: { layers: Layer[]; outside: string | null; reload: () => void }) {
  const i18n = useI18n();
  const { t, say, term } = i18n;
  const api = useApi();
  const live = useLive();
  const now = useNow();
  const view = useView(now);
  const background = useResource('background', (signal) => api.visualisation.background(signal));
  const [order, setOrder] = useState(() => inOrder(layers));
  const [looks, setLooks] = useState<Record<string, Look>>({});
  const [turns, setTurns] = useState<Record<string, number>>({});
  const [reports, setReports] = useState<Record<string, LayerReport>>({});
  const [clicked, setClicked] = useState<[number, number] | null>(null);
  const [goal, setGoal] = useState<Box | null>(null);
  const [place, setPlace] = useState<Found | null>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const [noMap, setNoMap] = useState(false);
  const [pdok, setPdok] = useState(localStorage.getItem('dmi.pdok') === 'on');

  const report = useCallback((id: string, next: LayerReport) => setReports((old) => ({ ...old, [id]: next })), []);
  // A layer that was published while the page was open comes on top of its kind.
  const sorted = [...order, ...layers.map((layer) => layer.id).filter((id) => !order.includes(id))]
    .map((id) => layers.find((layer) => layer.id === id)).filter((l): l is Layer => l !== undefined);
  const shapes = useMemo(() => shapesOf(layers, storedShapes()), [layers]);
  useEffect(() => storeShapes(shapes), [shapes]);
  const areas = useMemo(() => namesOf(background.data), [background.data]);
  const ready = Object.entries(reports).filter(([, one]) => one.all !== null).map(([id]) => id).join(' ');
  const reckoned = useMemo(() => {
    if (!background.data && !background.error) return null;
    return openingBox(background.data?.features ?? [], Object.values(reports).flatMap((one) => one.all?.features ?? []));
  }, [background.data, background.error, ready]); // eslint-disable-line react-hooks/exhaustive-deps -- which layers are there, not each of their values
  const whole = useFirst(reckoned);

  const chosenLayer = layers.find((layer) => layer.id === view.layer) ?? null;
  const known = useMemo(() => byId(reports), [reports]);
  const feature = chosenLayer && view.feature ? (known.get(`${chosenLayer.id} ${view.feature}`) ?? null) : null;
  const siblings = feature && chosenLayer ? siblingsOf(feature, reports[chosenLayer.id]) : [];
  const find = useCallback((datastream: string) => [...known.values()].find((one) => one.properties.datastream === datastream), [known]);
  const nameOf = useCallback((datastream: string) => find(datastream)?.properties.name ?? shortId(datastream), [find]);
  const seek = useSought(`${view.layer} ${view.feature}`, (sensor) => pointOf(known.get(sensor)), (point) => setGoal(around(point)));
  const placePoint = place?.bbox && place.bbox[0] === place.bbox[2] ? ([place.bbox[0], place.bbox[1]] as [number, number]) : null;
  const selected = feature ? (pointOf(feature) ?? clicked) : placePoint;
  const pointedPlace = pointed === null ? null : pointOf(find(pointed));
  const pointedPlaces = useMemo(() => (pointedPlace ? [pointedPlace] : []), [pointedPlace?.[0], pointedPlace?.[1]]); // eslint-disable-line react-hooks/exhaustive-deps -- the place, not its array
  const counts = countsOf(reports);
  const link = { at: view.at, from: view.moments.first, go: (at: number) => goTo(at) };

  const goTo = (at: number | null) => {
    view.setAt(at);
    live(at === null ? t.map.momentLive : t.map.momentChosen(i18n.moment(new Date(at))));
  };
  const pick = (layer: string, id: string, point: [number, number] | null) => {
    setClicked(point);
    setPlace(null);
    view.change({ layer, feature: id });
  };
  const show = (layer: string, id: string) => {
    const point = pointOf(known.get(`${layer} ${id}`));
    if (point) setGoal(around(point));
    pick(layer, id, null);
  };
  const goToFound = (found: Found) => {
    const { sensor } = found;
    const key = sensor ? `${sensor.layer} ${sensor.id}` : null;
    const bbox = boxOf(found, key === null ? null : pointOf(known.get(key)));
    if (bbox) setGoal(bbox[0] === bbox[2] ? around([bbox[0], bbox[1]]) : bbox);
    seek(bbox ? null : key);
    if (sensor) {
      view.change({ layer: sensor.layer, feature: sensor.id, table: null, off: view.off.filter((id) => id !== sensor.layer).join(',') || null });
      setPlace(null);
    } else {
      setPlace(found);
      view.change({ layer: null, feature: null, table: null });
    }
  };
  const turn = (id: string, on: boolean) => ({ off: (on ? view.off.filter((one) => one !== id) : [...view.off, id]).join(',') || null });
  const setSide = (which: keyof Sides, side: Side) => {
    // What somebody asks to see is turned on.
    if (side.layer !== null && view.off.includes(side.layer)) view.change(turn(side.layer, true));
    view.setSides({ [which]: side });
  };
  const move = (id: string, by: -1 | 1) => {
    const next = sorted.map((layer) => layer.id);
    const from = next.indexOf(id);
    next.splice(from, 1);
    next.splice(from + by, 0, id);
    setOrder(next);
  };
  const again = (id: string) => {
    setTurns((old) => ({ ...old, [id]: (old[id] ?? 0) + 1 }));
    reload();
  };
  const hindrance = feature ? hindranceOf(feature, view.series, find) : null;
  const hindranceWords = hindrance === 'full' ? t.map.compareFull : hindrance === 'unit' ? t.map.compareUnit(term(find(view.series[0] ?? '')?.properties.observed_property)) : null;
  const authorise = useCallback(() => api.http.headers(), [api]);
  const shared = { background: background.data, outside: pdok ? outside : null, bounds: goal ?? whole, selected, onPick: pick, onFail: () => setNoMap(true), authorise };
  const asked = view.layer !== null && view.feature !== null;
  const panelOpen = asked || place !== null || view.series.length > 0;

  return (
    <>
      <div className="dmi-map__side">
        <h2 className="utrecht-heading-2">{t.map.layers}</h2>
        <ul className="dmi-layers">
          {sorted.map((layer, index) => (
            <LayerHost
              // A layer that was refused and comes back begins anew.
              key={`${layer.id} ${layer.refused ? 'refused' : 'open'} ${turns[layer.id] ?? 0}`}
              layer={layer} on={!view.off.includes(layer.id)} first={index === 0} last={index === sorted.length - 1} shape={shapes.get(layer.id) ?? 'circle'}
              look={looks[layer.id] ?? { opacity: layer.kind === 'areas' ? 0.5 : 1, property: null }} onLook={(look) => setLooks((old) => ({ ...old, [layer.id]: look }))}
              at={momentFor(layer.id, view.at, view.sides)} leftAt={view.sides && shows(view.sides.left, layer.id) ? view.sides.left.at : undefined} filters={view.filters} now={now} report={report}
              onTurn={(on) => view.change(turn(layer.id, on))}
              onMove={(by) => move(layer.id, by)}
              onTable={() => view.change({ table: layer.id, kind: null })}
              onUpdate={(count) => view.at === null && live(t.map.update(say(layer.title), count))}
              onEnded={() => {
                live(t.map.stopped(say(layer.title)));
                reload();
              }}
              onRetry={() => again(layer.id)}
            />
          ))}
        </ul>
        {outside ? <label className="dmi-radio dmi-small">
          <input
            type="checkbox" checked={pdok}
            onChange={(event) => {
              localStorage.setItem('dmi.pdok', event.target.checked ? 'on' : 'off');
              setPdok(event.target.checked);
            }}
          />
          <span>{t.map.pdok}</span>
        </label> : null}
      </div>
      <div className="dmi-map__main">
        <div className="dmi-map__bar">
          <MapSearch layers={sorted} reports={reports} onChoose={goToFound} />
          <FilterBar filters={view.filters} properties={counts.properties} shown={counts.shown} total={counts.total} onChange={view.setFilters} />
        </div>
        {background.error && !background.data ? (
          <div className="dmi-map__note">
            <Notice tone="warn"><p>{t.map.noBackground}</p><SecondaryActionButton className="dmi-small-button" onClick={background.reload}>{t.common.retry}</SecondaryActionButton></Notice>
          </div>
        ) : null}
        {view.tooOld ? <div className="dmi-map__note"><Notice tone="info">{t.map.momentTooOld}</Notice></div> : null}
        {view.table ? (
          <TablePane
            layer={layers.find((layer) => layer.id === view.table)} report={reports[view.table]} on={!view.off.includes(view.table)} at={view.at}
            areas={areas} current={view.feature} kind={view.kind}
            onKind={(kind) => view.change({ kind })} onBack={() => view.change({ table: null, kind: null })}
            onTurnOn={() => view.change(turn(view.table ?? '', true))} onClearFilters={() => view.setFilters(noFilters)} onRetry={() => again(view.table ?? '')}
            onShow={(row) => {
              view.change({ table: null, kind: null });
              show(view.table ?? '', row.properties.id);
            }}
          />
        ) : <MapPane {...shared} layers={sorted} reports={reports} off={view.off} sides={view.sides} noMap={noMap} pointed={pointedPlaces} />}
        <TimeSlider
          layers={sorted} moments={view.moments} at={view.at} sides={view.sides} busy={Object.values(reports).some((one) => one.loading)}
          onAt={goTo} onSide={setSide} onStop={() => view.setSides(null)}
          onBegin={() => view.setSides({ left: { layer: null, at: earlierThan(view.at, view.moments) } })}
        />
      </div>
      <div className={panelOpen ? 'dmi-map__panel dmi-map__panel--open' : 'dmi-map__panel'}>
        {feature && chosenLayer ? (
          <FeaturePanel
            layer={chosenLayer} feature={feature} siblings={siblings} areas={areas} at={clicked} link={link}
            hindrance={hindrance === 'in' ? undefined : hindranceWords}
            onCompare={() => feature.properties.datastream && view.setSeries([...view.series, feature.properties.datastream])}
            onPoint={(pointing) => setPointed(pointing ? (feature.properties.datastream ?? null) : null)}
            onClose={() => view.change({ feature: null, layer: null })}
            onChoose={(id) => view.change({ feature: id })}
          />
        ) : asked && !place ? (
          <PanelLack
            layer={chosenLayer ?? undefined} report={reports[view.layer ?? '']} on={!view.off.includes(view.layer ?? '')}
            onTurnOn={() => view.change(turn(view.layer ?? '', true))} onRetry={() => again(view.layer ?? '')}
            onClose={() => view.change({ feature: null, layer: null })}
          />
        ) : place ? <PlacePanel place={place} onClose={() => setPlace(null)} /> : null}
        {view.series.length > 0 ? (
          <section className="dmi-panel" aria-label={t.map.comparison}>
            <Comparison
              datastreams={view.series} nameOf={nameOf} current={feature?.properties.datastream ?? null} link={link}
              onPoint={setPointed} onChange={view.setSeries}
              onChoose={(datastream) => {
                const owner = ownerOf(reports, datastream);
                const id = find(datastream)?.properties.id;
                if (owner && id !== undefined) show(owner, id);
              }}
            />
          </section>
        ) : null}
      </div>
    </>
  );
}

/** Every feature of every layer, before the filters, by layer and id. */
function byId(reports: Record<string, LayerReport>): Map<string, LayerFeature> {
  return new Map(Object.entries(reports).flatMap(([layer, { all }]) => (all?.features ?? []).map((one) => [`${layer} ${one.properties.id}`, one] as const)));
}

function ownerOf(reports: Record<string, LayerReport>, datastream: string): string | undefined {
  return Object.entries(reports).find(([, { all }]) => all?.features.some((one) => one.properties.datastream === datastream))?.[0];
}

/** Other values of the same thing. */
function siblingsOf(feature: LayerFeature, report: LayerReport | undefined): LayerFeature[] {
  const { name } = feature.properties;
  return name === undefined ? [] : (report?.all?.features ?? []).filter((one) => one.properties.name === name);
}

function countsOf(reports: Record<string, LayerReport>): { properties: string[]; shown: number; total: number } {
  const measured = (features: LayerReport['all']) => features?.features.filter((one) => one.properties.observed_property !== undefined) ?? [];
  const all = Object.values(reports).flatMap((one) => measured(one.all));
  const shown = Object.values(reports).reduce((sum, one) => sum + measured(one.features).length, 0);
  return { properties: [...new Set(all.map((one) => one.properties.observed_property ?? ''))].sort(), shown, total: all.length };
}

function pointOf(feature: LayerFeature | undefined): [number, number] | null {
  return feature?.geometry?.type === 'Point' ? (feature.geometry.coordinates as [number, number]) : null;
}

/** A box of some 250 metres around a point. */
function around([x, y]: [number, number]): Box {
  return [x - 0.002, y - 0.0012, x + 0.002, y + 0.0012];
}

/** Names of neighbourhoods by their code, from the background. */
function namesOf(background: FeatureCollection | null): Map<string, string> {
  const places = (background?.features ?? []).filter((f) => f.properties?.['kind'] === 'neighbourhood');
  return new Map(places.map((f) => [String(f.properties?.['id']), String(f.properties?.['name'])]));
}

/** What moves on top, areas at the bottom. */
function inOrder(layers: Layer[]): string[] {
  const rank = { vehicles: 0, points: 1, areas: 2 };
  return [...layers].sort((a, b) => rank[a.kind] - rank[b.kind]).map((layer) => layer.id);
}
