"""The main streets: eight radials from the market square and three rings, and the way between places."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from shapely.geometry import LineString

from dmi_agreements.contracts.features import Feature
from dmi_command.demo.noise import Floats
from dmi_command.demo.plane import geojson

RADIALS: Final = (
    (20, "Nachtwachtlaan"),
    (65, "Molenweg"),
    (110, "Noorderdijk"),
    (155, "Kastanjelaan"),
    (200, "Westersingel"),
    (245, "Stationsweg"),
    (290, "Havenstraat"),
    (335, "Oosterbaan"),
)
"""Bearing in degrees counter-clockwise from east, and name."""
RINGS: Final = ((430.0, "Kernring"), (930.0, "Binnenring"), (2000.0, "Buitenring"))
"""Radius in metres, and name."""
LEVELS: Final = (0.0, 430.0, 930.0, 1350.0, 2000.0, 2450.0)
"""Radii at which a radial has a crossing; 1350 is the stop Nachtwachtlaan."""
NACHTWACHTLAAN: Final = 0
"""The radial along which the offices stand."""
_ARC: Final = 6

Node = tuple[int, int]
"""(radial, level); the market square is (0, 0)."""


def polar(radius: float, bearing: float) -> tuple[float, float]:
    """Metres east and north of the market square, for a bearing in degrees."""
    turn = np.deg2rad(bearing)
    return float(radius * np.cos(turn)), float(radius * np.sin(turn))


def _bearing(radial: int, radius: float) -> float:
    """Radials bend gently outside the inner ring, all but the Nachtwachtlaan."""
    bend = 0.0 if radial == NACHTWACHTLAAN else 5.0 * np.sin(radial * 2.1) * max(0.0, radius - 930.0) / 1000.0
    return float(RADIALS[radial][0] + bend)


def position(node: Node) -> tuple[float, float]:
    """Where a crossing lies, in metres."""
    return polar(LEVELS[node[1]], _bearing(node[0], LEVELS[node[1]]))


def _arc(radial: int, level: int) -> Floats:
    """The ring from one radial to the next; its radius swells between them, so that it is no true circle."""
    start = _bearing(radial, LEVELS[level])
    after = (radial + 1) % len(RADIALS)
    end = _bearing(after, LEVELS[level]) + (360.0 if after == 0 else 0.0)
    shares = np.linspace(0.0, 1.0, _ARC + 1)
    swell = 1.0 + 0.05 * np.sin(np.pi * shares) * np.cos(radial * 1.7 + level)
    points = [
        polar(LEVELS[level] * grow, start + (end - start) * share)
        for share, grow in zip(shares, swell, strict=True)
    ]
    return np.array(points)


@dataclass(frozen=True)
class Network:
    """The main streets as a graph: ``edges[a][b]`` is the line from crossing a to crossing b, in metres."""

    edges: dict[Node, dict[Node, Floats]]

    def nearest(self, place: tuple[float, float]) -> Node:
        """The crossing closest to a place."""
        return min(self.edges, key=lambda node: float(np.hypot(*np.subtract(position(node), place))))

    def way(self, start: Node, end: Node) -> list[Node]:
        """The crossings of the shortest way (Dijkstra)."""
        best: dict[Node, tuple[float, Node]] = {start: (0.0, start)}
        queue = [(0.0, start)]
        while queue:
            length, node = heapq.heappop(queue)
            if node == end:
                break
            for following, line in self.edges[node].items():
                total = length + length_of(line)
                if following not in best or total < best[following][0]:
                    best[following] = (total, node)
                    heapq.heappush(queue, (total, following))
        found = [end]
        while found[-1] != start:
            found.append(best[found[-1]][1])
        return found[::-1]

    def line(self, way: list[Node]) -> Floats:
        """The line along successive crossings."""
        parts = [self.edges[start][end] for start, end in pairwise(way)]
        return (
            np.vstack([parts[0][:1], *[part[1:] for part in parts]])
            if parts
            else np.array([position(way[0])])
        )


def network() -> Network:
    """The graph of all radials and rings."""
    edges: dict[Node, dict[Node, Floats]] = {}

    def join(start: Node, end: Node, line: Floats) -> None:
        edges.setdefault(start, {})[end] = line
        edges.setdefault(end, {})[start] = line[::-1]

    for radial in range(len(RADIALS)):
        for level in range(1, len(LEVELS)):
            inner = (radial, level - 1) if level > 1 else (0, 0)
            join(inner, (radial, level), np.array([position(inner), position((radial, level))]))
    for radius, _ in RINGS:
        level = LEVELS.index(radius)
        for radial in range(len(RADIALS)):
            join((radial, level), ((radial + 1) % len(RADIALS), level), _arc(radial, level))
    return Network(edges)


def length_of(line: Floats) -> float:
    """Length in metres."""
    return float(np.sum(np.hypot(*np.diff(line, axis=0).T)))


def along(line: Floats) -> Floats:
    """Distance in metres from the start of the line to each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def lines() -> dict[str, LineString]:
    """Every main street by name."""
    found = {}
    for radial, (_, name) in enumerate(RADIALS):
        nodes = [(0, 0), *[(radial, level) for level in range(1, len(LEVELS))]]
        found[name] = LineString([position(node) for node in nodes])
    for radius, name in RINGS:
        arcs = [_arc(radial, LEVELS.index(radius)) for radial in range(len(RADIALS))]
        found[name] = LineString(np.vstack([arcs[0][:1], *[arc[1:] for arc in arcs]]))
    return found


def features() -> list[Feature]:
    """A ``line`` feature for each main street."""
    return [
        Feature(
            f"neighbourhoods.street-{name.lower()}",
            "line",
            name,
            geojson(line),
            {"use": "street", "class": "main", "length_m": round(line.length)},
        )
        for name, line in lines().items()
    ]
