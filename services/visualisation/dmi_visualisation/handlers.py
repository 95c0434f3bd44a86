"""Use cases of visualisation: layers, features, tiles, streams, history. Dependencies are passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.decision import Delay, DeleteAfter
from dmi_agreements.duties import together, window
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import NotFound, Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_infra.room import Room
from dmi_visualisation import charts, tiles
from dmi_visualisation.following import Sight
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import (
    BUCKET,
    Shown,
    area_feature,
    batch_of,
    bounds,
    placed,
    point_feature,
    rows_of,
)
from dmi_visualisation.moments import boundary
from dmi_visualisation.search import name_of, rank
from dmi_visualisation.store import Store
from dmi_visualisation.streams import Opened, Streams

GeoFeature = dict[str, Any]
UNHEARD: Final = "no datastream with observations has this id"


class Maps:
    """What people see of the data that they may see."""

    def __init__(self, store: Store, live: LiveMap, gate: Gate, room: Room) -> None:
        self._store = store
        self._live = live
        self._gate = gate
        self._cache = tiles.TileCache()
        self._sight = Sight(self._points, self._passing)
        self._streams = Streams(live, gate, room, self._sight)

    def layers(self, opening: Opening) -> list[dict[str, Any]]:
        """Every dataset that can be drawn; a refused one says why instead of what."""
        found = []
        for dataset in self._gate.law.datasets.values():
            if not dataset.layer or dataset.withdrawn:
                continue
            reasons = opening.preview(dataset.id)
            refused = refusal(Refused(reasons, dataset.id)).body() if reasons else None
            found.append(self._layer(dataset, refused, opening.foreseen(dataset.id)))
        return sorted(found, key=lambda layer: str(layer["id"]))

    def _layer(
        self, dataset: Dataset, refused: dict[str, Any] | None, permit: Permit | None
    ) -> dict[str, Any]:
        rows = [] if refused else self._live.rows(dataset.id)
        passing = self._seen(permit, rows)
        newest = max((row.phenomenon_time for row in passing), default=None)
        # Of persons not even what a sensor measures is told without a row.
        known = passing if permit is None or self._gate.about_persons(permit) else rows
        emptied = permit.emptied if permit else frozenset()
        measured = {row.observed_property: row.unit for row in known}
        if "observed_property" in emptied:
            measured = {}
        return {
            "id": dataset.id,
            "title": dataset.title,
            "description": dataset.description,
            "kind": dataset.layer,
            "owner": dataset.owner,
            "licence": dataset.licence,
            "source": dataset.source,
            "personal": dataset.personal,
            "purpose": self._gate.law.purpose_of(dataset.id),
            "properties": sorted(measured),
            "unit": {} if "unit" in emptied else measured,
            "latest": None if newest is None else to_text(newest),
            "refused": refused,
        }

    def _seen(self, permit: Permit | None, rows: Sequence[Shown]) -> Sequence[Shown]:
        """Those rows that a permit lets its holder see; where it gives means of many, none."""
        if permit is None or together(permit.duties):
            return []
        passing = self._passing(permit, rows)
        return [row for row in rows if row.datastream in passing]

    def _whole(self, permit: Permit) -> bool:
        """Whether all rows pass under a permit, as they are."""
        return not (permit.duties or permit.personal or self._gate.left_out(permit))

    def _passing(self, permit: Permit, rows: Sequence[Shown]) -> Set[str]:
        """The datastreams of these rows that ``_points`` would tell something of."""
        asked = {row.datastream for row in rows}
        if self._whole(permit):
            return asked
        found = set(self._gate.judge(permit, self._batch(permit, rows)).batch.datastream)
        # Means have names of their own, and tell of all rows together.
        return found if found <= asked else asked

    def features(
        self, permit: Permit, observed_property: str | None = None, at: Micros | None = None
    ) -> dict[str, Any]:
        """A GeoJSON FeatureCollection of the newest values, or of places for a layer of areas.

        With ``at``, of the last values before the quarter of an hour that it lies in; ``at`` of the answer
        says when that quarter begins.
        """
        found = self._features(permit, observed_property, at)
        if found:
            self._gate.given(permit, len(found))
        collection: dict[str, Any] = {"type": "FeatureCollection", "features": found}
        if at is not None:
            collection["at"] = to_text(boundary(at))
        box = bounds(found)
        if box:
            collection["bbox"] = box
        return collection

    def _features(
        self, permit: Permit, observed_property: str | None, at: Micros | None = None
    ) -> list[GeoFeature]:
        dataset = self._dataset(permit.dataset)
        if dataset.layer == "areas":
            if not self._gate.tells_places(permit):
                # Duties change rows of observations; an area cannot be coarsened or left out in part.
                return []
            return [area_feature(p, permit.agreements) for p in self._live.places(dataset.id) if p.geometry]
        rows = self._live.rows(dataset.id) if at is None else self._rows_at(dataset.id, at)
        return self._points(
            permit,
            [row for row in rows if observed_property in (None, row.observed_property)],
            observed_property,
        )

    def _rows_at(self, dataset: str, at: Micros) -> list[Shown]:
        """What was the newest value of each datastream at a moment; what had said nothing yet is left out."""
        silent_since = [row for row in self._live.rows(dataset) if row.phenomenon_time < boundary(at)]
        known = {row.datastream for row in silent_since}
        # A value may arrive between the two looks: then the live map's older one is right for the moment as well.
        spoken = [row for row in self._store.said_before(dataset, at) if row.datastream not in known]
        return silent_since + spoken

    def _points(
        self, permit: Permit, rows: Sequence[Shown], observed_property: str | None = None
    ) -> list[GeoFeature]:
        points, used = self._judged(permit, rows)
        if observed_property is not None:
            # By what is told of a row: one that has lost its property is not found by it.
            points = [one for one in points if one["properties"]["observed_property"] == observed_property]
            used = _rows_in(used, {one["id"] for one in points})
        for batch in used:
            self._gate.deliver(permit, batch)
        return points

    def _judged(
        self, permit: Permit, rows: Sequence[Shown]
    ) -> tuple[list[GeoFeature], tuple[ObservationBatch, ...]]:
        """Rows as they may be seen, and those of persons that this is made of."""
        judged = self._gate.judge(permit, self._batch(permit, rows))
        passed = rows_of(judged.batch)
        labels = self._live.timetables
        points = [
            point_feature(row, place, permit.agreements, labels.label(row))
            for row, place in zip(passed, self._live.places_of(passed), strict=True)
        ]
        return points, judged.used

    def _batch(self, permit: Permit, rows: Sequence[Shown]) -> ObservationBatch:
        """Rows for the gate, each with its position: what the gate leaves out must not come back behind it."""
        places = self._live.places_of(rows)
        return batch_of(permit.dataset, [placed(row, place) for row, place in zip(rows, places, strict=True)])

    def tile(self, permit: Permit, z: int, x: int, y: int) -> bytes:
        """A vector tile; the same for viewers with the same rights, until the data changes."""
        key = self._tile_key(permit, z, x, y)
        found = self._cache.get(key)
        if found is None:
            found = self._made(permit, z, x, y)
            # Rows are judged after the key was taken: where a consent came in between, this one is of the law before.
            if self._tile_key(permit, z, x, y) == key:
                self._cache.put(key, found)
        return self._told(permit, found)

    def kept_tile(self, permit: Permit, z: int, x: int, y: int) -> bytes | None:
        """The tile when it was made before, still holds and shows no person's rows: from memory alone."""
        found = self._cache.get(self._tile_key(permit, z, x, y))
        return None if found is None or found.used else found.data

    def _told(self, permit: Permit, tile: tiles.Tile) -> bytes:
        """A tile as it leaves: each time the persons whose rows it shows are told who got them."""
        for batch in tile.used:
            self._gate.deliver(permit, batch)
        return tile.data

    def _made(self, permit: Permit, z: int, x: int, y: int) -> tiles.Tile:
        if self._dataset(permit.dataset).layer == "areas":
            return tiles.Tile(tiles.encode(tiles.drawn(self._features(permit, None), z, x, y)))
        points, used = self._judged(permit, self._live.rows(permit.dataset))
        shown = tiles.drawn(points, z, x, y)
        names = {each["properties"]["datastream"] for each in shown}
        return tiles.Tile(tiles.encode(shown), _rows_in(used, names))

    def _tile_key(self, permit: Permit, z: int, x: int, y: int) -> tuple[object, ...]:
        """All that a tile depends on. It is asked in the event loop, so it goes through no rows and no persons."""
        who = self._gate.turn(permit), self._gate.tells_places(permit)
        duties = (*permit.duties, *self._gate.asked(permit))
        timed = any(isinstance(duty, Delay | DeleteAfter) for duty in duties)
        moment = clock.now() // 1_000_000 if timed else self._live.next_end(permit.dataset)
        dataset = permit.dataset
        return dataset, self._live.version(dataset), permit.duties, permit.agreements, who, moment, z, x, y

    def events(self, opening: Opening, layer: str, last: str = "") -> Opened:
        """Server-sent events: ``observation`` with new features, ``ended`` with the reason, then the end.

        ``last`` is the id of an event, behind which it goes on as the same use. For more, see ``Streams.open``.
        """
        return self._streams.open(opening, [layer], last, several=False)

    def events_of(self, opening: Opening, layers: Sequence[str], last: str = "") -> Opened:
        """As ``events`` for several layers in one stream: each event names its layer, and one may end alone.

        A browser opens six connections to one address at most; with a stream for each layer that is soon full.
        """
        return self._streams.open(opening, list(dict.fromkeys(layers)), last, several=True)

    def dataset_of(self, opening: Opening, datastream: str) -> str:
        """The dataset of a datastream; raises ``NotFound``, also where a caller may see nothing of its persons."""
        row = self._live.row(datastream)
        if row is None or opening.hides(row.dataset):
            raise NotFound(UNHEARD)
        return row.dataset

    def history(
        self, permit: Permit, datastream: str, start: Micros, end: Micros, points: int
    ) -> dict[str, Any]:
        """Quarters of an hour of one datastream, each as it may be seen, merged to at most ``points``."""
        row = self._live.row(datastream)
        if row is None:
            raise NotFound(UNHEARD)
        length = window(permit.duties) or BUCKET
        # Whole windows, where a duty judges rows together; of them what was asked for.
        first, last = start // length * length, -(-end // length) * length
        quarters = self._store.quarters(datastream, first, last, 20_000)
        judged = self._gate.judge(permit, charts.witnesses(permit.dataset, quarters)).batch
        shown = [q for q in charts.passing(quarters, judged) if start <= q.start < end]
        if not shown and self._gate.about_persons(permit) and not self._seen(permit, [row]):
            # What it measures would tell that somebody has it.
            raise NotFound(UNHEARD)
        self._gate.deliver(permit, charts.given(permit.dataset, datastream, shown))
        if shown:
            self._gate.given(permit, len(shown))
        return {
            "datastream": datastream,
            "unit": "" if "unit" in permit.emptied else row.unit,
            "observed_property": "" if "observed_property" in permit.emptied else row.observed_property,
            "items": charts.points(shown, points, "flags" not in permit.emptied),
            "agreements": list(permit.agreements),
        }

    def background(self, opening: Opening) -> dict[str, Any]:
        """Outlines, lines and stops for a map without internet: of each dataset that the viewer may see."""
        found: list[GeoFeature] = []
        for dataset in sorted(self._live.datasets()):
            places = self._live.places(dataset, "neighbourhood", "line", "area", "stop", "building")
            drawn = [place for place in places if place.geometry]
            if not drawn or not self._tells(opening, dataset):
                continue
            if self._gate.tells_places(opening.permit(dataset, rows=len(drawn))):
                found += [
                    {
                        "type": "Feature",
                        "id": p.id,
                        "geometry": p.geometry,
                        "properties": {
                            "id": p.id,
                            "name": p.name,
                            "kind": p.kind,
                            "use": p.properties.get("use"),
                        },
                    }
                    for p in drawn
                ]
        return {"type": "FeatureCollection", "features": found}

    def search(self, opening: Opening, text: str, limit: int) -> list[dict[str, Any]]:
        """Places with such a name, best first, of each dataset that the viewer may see.

        Sensors of persons are not found by name: who rides where is told by the layer alone, under its duties.
        """
        allowed = {dataset for dataset in self._live.datasets() if self._tells(opening, dataset)}
        found = [
            (dataset, feature)
            for dataset, feature in self._live.named(text, allowed)
            if feature.kind != "datastream" or not self._gate.law.datasets[dataset].personal
        ]
        best = sorted(found, key=lambda one: (rank(text, one[1]), one[1].id))[:limit]
        permits = {
            dataset: opening.permit(dataset, rows=sum(1 for other, _ in best if other == dataset))
            for dataset in sorted({dataset for dataset, _ in best})
        }
        areas = {p.id: p.name for d in allowed for p in self._live.places(d, "neighbourhood")}
        told = {dataset for dataset, permit in permits.items() if self._gate.tells_places(permit)}
        return [self._found(dataset, feature, areas) for dataset, feature in best if dataset in told]

    def _tells(self, opening: Opening, dataset: str) -> bool:
        """Whether places may be told. Asked before a use counts: else one would count that gives nothing.

        Where a duty changes rows, a place that is told by its name, or drawn, would be told past that duty.
        """
        permit = opening.foreseen(dataset)
        return permit is not None and self._gate.tells_places(permit)

    def _found(self, dataset: str, feature: Feature, areas: Mapping[str, str]) -> dict[str, Any]:
        place = self._live.place(dataset, feature.id) or feature
        box = bounds([{"geometry": place.geometry}])
        return {
            "id": feature.id,
            "dataset": dataset,
            "kind": feature.kind,
            "name": name_of(feature),
            "observed_property": feature.properties.get("observed_property"),
            "neighbourhood": areas.get(str(feature.properties.get("neighbourhood"))),
            "bbox": box,
        }

    def _dataset(self, identifier: str) -> Dataset:
        found = self._gate.law.datasets.get(identifier)
        if found is None:
            raise NotFound("no dataset has this id")
        return found


def _rows_in(used: Sequence[ObservationBatch], datastreams: Set[str]) -> tuple[ObservationBatch, ...]:
    """The rows of these datastreams, batch by batch."""
    theirs = (
        batch.take([row for row, one in enumerate(batch.datastream) if one in datastreams]) for batch in used
    )
    return tuple(batch for batch in theirs if len(batch))
