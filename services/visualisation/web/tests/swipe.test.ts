import { describe, expect, it } from 'vitest';
import { linkCameras, type Linked } from '../src/map/camera';
import { dividerAfterKey, dividerAt } from '../src/map/swipe';
import type { Layer } from '../src/api';
import { createI18n } from '../src/i18n';
import { areSame, lackOfSide, momentFor, nameOfSide, shows, type Side, type Sides } from '../src/pages/map/sides';

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

describe('the sides of a comparison', () => {
  const layer = (id: string, more: Partial<Layer> = {}): Layer => ({ id, kind: 'points', title: `Laag ${id}`, properties: [], owner: 'x', latest: null, refused: null, ...more });
  const noon = Date.parse('2026-11-21T12:00:00Z');
  const i18n = createI18n('nl', () => undefined, 'Europe/Amsterdam');
  const sides = (left: Partial<Side>, right: Partial<Side>): Sides => ({ left: { layer: null, at: noon, ...left }, right: { layer: null, at: null, ...right } });

  it('show all layers, or the one that was chosen', () => {
    expect([shows({ layer: null, at: null }, 'a'), shows({ layer: 'a', at: null }, 'a'), shows({ layer: 'b', at: null }, 'a')]).toEqual([true, true, false]);
  });

  it('give a layer the moment of the right one, unless only the left one shows it', () => {
    expect(momentFor('a', null, null)).toBeNull();
    expect(momentFor('a', null, sides({ layer: 'a' }, {}))).toBeNull();
    expect(momentFor('a', null, sides({ layer: 'a' }, { layer: 'b' }))).toBe(noon);
    expect(momentFor('c', null, sides({ layer: 'a' }, { layer: 'b' }))).toBeNull();
  });

  it('are the same with one layer at one moment', () => {
    expect(areSame(sides({ at: null }, {}))).toBe(true);
    expect(areSame(sides({ at: null, layer: 'a' }, {}))).toBe(false);
    expect(areSame(sides({}, {}))).toBe(false);
  });

  it('are named by layer and moment; what holds always has no moment', () => {
    expect(nameOfSide({ layer: null, at: noon }, undefined, i18n)).toBe('21 nov 2026, 13:00');
    expect(nameOfSide({ layer: 'a', at: noon }, layer('a'), i18n)).toBe('Laag a: 21 nov 2026, 13:00');
    expect(nameOfSide({ layer: 'a', at: null }, layer('a'), i18n)).toBe('Laag a: nu, live');
    expect(nameOfSide({ layer: 'a', at: noon }, layer('a', { kind: 'areas' }), i18n)).toBe('Laag a');
  });

  it('say why they are empty, but not while they are loading', () => {
    const refused = layer('a', { refused: { type: 'x' } });
    expect(lackOfSide(refused, true, false, 0, i18n)).toBe('gestopt');
    expect(lackOfSide(layer('a'), false, false, 0, i18n)).toBe('deze laag staat uit');
    expect(lackOfSide(layer('a'), true, false, 0, i18n)).toBe('geen metingen op dit moment');
    expect(lackOfSide(layer('a'), true, true, 0, i18n)).toBeNull();
    expect(lackOfSide(layer('a'), true, false, 3, i18n)).toBeNull();
  });
});
