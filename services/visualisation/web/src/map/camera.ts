/** Keeps maps at the same place: what moves one moves the others. */
import type { Map as MapLibre } from 'maplibre-gl';

/** What a link needs of a map; MapLibre's own has more. */
export type Linked = Pick<MapLibre, 'getCenter' | 'getZoom' | 'getBearing' | 'getPitch' | 'jumpTo' | 'on' | 'off'>;

export interface CameraLink {
  /** Adds a map, which takes over the place that the others show; gives the way out. */
  join: (map: Linked) => () => void;
}

export function linkCameras(): CameraLink {
  const maps = new Set<Linked>();
  let following = false;
  const follow = (leader: Linked, followers: Iterable<Linked>) => {
    if (following) return;
    // A map that follows tells of its own move as well; without this mark the two would chase each other.
    following = true;
    const place = { center: leader.getCenter(), zoom: leader.getZoom(), bearing: leader.getBearing(), pitch: leader.getPitch() };
    for (const map of followers) if (map !== leader) map.jumpTo(place);
    following = false;
  };
  return {
    join(map) {
      const [leader] = maps;
      if (leader) follow(leader, [map]);
      maps.add(map);
      const lead = () => follow(map, maps);
      map.on('move', lead);
      return () => {
        map.off('move', lead);
        maps.delete(map);
      };
    },
  };
}
