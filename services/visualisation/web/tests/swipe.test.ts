import { describe, expect, it } from 'vitest';
import { linkCameras, type Linked } from '../src/map/camera';
import { dividerAfterKey, dividerAt } from '../src/map/swipe';

/** A map that only knows where it is and who listens. */
function fake(zoom: number) {
  const listeners = new Set<() => void>();
  const map = {
    zoom,
    jumps: 0,
    getCenter: () => ({ lng: 5, lat: 52 }),
    getZoom: () => map.zoom,
    getBearing: () => 0,
    getPitch: () => 0,
    jumpTo: (place: { zoom: number }) => {
      map.zoom = place.zoom;
      map.jumps += 1;
      for (const listen of listeners) listen();
    },
    on: (_: string, listen: () => void) => listeners.add(listen),
    off: (_: string, listen: () => void) => listeners.delete(listen),
  };
  return { map, linked: map as unknown as Linked };
}

describe('linked cameras', () => {
  it('move together, without an echo', () => {
    const link = linkCameras();
    const [one, two] = [fake(10), fake(12)];
    link.join(one.linked);
    link.join(two.linked);
    expect(two.map.zoom).toBe(10);
    two.map.jumpTo({ zoom: 14 });
    expect(one.map.zoom).toBe(14);
    expect(one.map.jumps).toBe(1);
    expect(two.map.jumps).toBe(2);
  });

  it('leave a map alone that has left', () => {
    const link = linkCameras();
    const [one, two] = [fake(10), fake(10)];
    link.join(one.linked);
    const leave = link.join(two.linked);
    leave();
    one.map.jumpTo({ zoom: 9 });
    expect(two.map.zoom).toBe(10);
  });
});

describe('the divider of a swipe map', () => {
  it('follows the pointer and stays on the map', () => {
    expect(dividerAt(250, 200, 400)).toBe(13);
    expect(dividerAt(0, 200, 400)).toBe(0);
    expect(dividerAt(900, 200, 400)).toBe(100);
    expect(dividerAt(10, 0, 0)).toBe(50);
  });

  it('obeys the keys of a slider', () => {
    expect(dividerAfterKey(50, 'ArrowLeft', false)).toBe(48);
    expect(dividerAfterKey(50, 'ArrowRight', true)).toBe(60);
    expect(dividerAfterKey(95, 'PageUp', false)).toBe(100);
    expect(dividerAfterKey(50, 'Home', false)).toBe(0);
    expect(dividerAfterKey(50, 'End', false)).toBe(100);
    expect(dividerAfterKey(50, 'a', false)).toBeNull();
  });
});
