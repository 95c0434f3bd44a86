"""Duties hold on every way in which the map tells something: values, places, names, charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.law import Dataset
from dmi_infra import clock
from dmi_infra.errors import NotFound
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.retention import Retention
from dmi_infra.room import Room
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.consumer import Shelf
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    delay,
    never_ended,
)
from tests.unit.visualisation.samples import CENTRE, place, row

DAY = 86_400 * SECOND
ACTIONS = ("dmi:process", "dmi:display")


class Scene:
    """A map of one garage and two bicycles, and the door of a vendor."""

    def __init__(self, folder: Path, court: Court) -> None:
        engine = open_engine(f"sqlite:///{folder / 'visualisation.db'}", "visualisation")
        migrate(engine, "dmi_visualisation")
        self.court = court
        self.live = LiveMap()
        self.store = Store(engine)
        self.maps = Maps(self.store, self.live, court.gate, Room(1, 1, "live streams", TooManyStreams))
        self.close = engine.dispose
        rows = [
            row(20.0, at=NOW - 20 * DAY, longitude=None, latitude=None),
            row(5.0, at=NOW - 1000 * SECOND, longitude=None, latitude=None),
        ]
        for name, rider in (("noor", NOOR), ("piet", PIET)):
            rows.append(row(7.0, at=NOW - SECOND, datastream=name, dataset=BICYCLES, subject=rider))
        features = [
            (GARAGES, place(CENTRE, "datastream", "Merel occupancy", 5.1234, 52.0987)),
            (GARAGES, place("merelstraat", "line", "Merelstraat", 5.1234, 52.0987)),
        ]
        self.store.save([], rows, {})
        self.live.update(features, rows)

    def door(self) -> Opening:
        return Opening(
            self.court.gate, Identity(VENDOR, "Joris", frozenset()), "tile", "dmi:display", None, never_ended
        )

    def history(self, datastream: str, dataset: str) -> list[float]:
        permit = self.door().permit(dataset)
        found = self.maps.history(permit, datastream, NOW - 40 * DAY, NOW + DAY, 100)
        return [item["mean"] for item in found["items"]]

    def points(self) -> list[Any]:
        return [f["geometry"] for f in self.maps.features(self.door().permit(GARAGES))["features"]]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    court = Court()
    monkeypatch.setattr(clock, "now", court.clock)
    court.law.apply(Dataset(BICYCLES, OWNER, {"nl": "x"}, personal=True, purpose=MOBILITY, layer="points"))
    made = Scene(tmp_path, court)
    yield made
    made.close()


def duty(action: str, **values: Any) -> dict[str, Any]:
    tests = [
        {"leftOperand": f"dmi:{name}", "operator": operator, "rightOperand": value}
        for name, (operator, value) in values.items()
    ]
    return {"action": f"dmi:{action}", "constraint": tests}


NO_PLACE = duty("leaveOut", property=("isAnyOf", ["longitude", "latitude", "neighbourhood"]))
COARSE = duty("coarsen", gridSize=("eq", 10_000))


@pytest.mark.parametrize("duties", [[], [delay(1)]])
def test_a_delay_does_not_open_the_series_of_who_has_not_consented(
    scene: Scene, duties: list[dict[str, Any]]
) -> None:
    for recipient, more in ((STACK, []), (VENDOR, duties)):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, duties=more)
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    scene.court.agree(STACK, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    assert scene.history("noor", BICYCLES) == [7.0]
    with pytest.raises(NotFound):
        scene.history("piet", BICYCLES)


def test_a_chart_ends_where_the_term_of_the_agreement_ends(scene: Scene) -> None:
    scene.court.agree(STACK, *ACTIONS)
    free = scene.court.agree(VENDOR, *ACTIONS)
    assert scene.history(CENTRE, GARAGES) == [20.0, 5.0]
    scene.court.end(free)
    scene.court.agree(VENDOR, *ACTIONS, duties=[duty("deleteAfter", days=("eq", 7))])
    assert scene.history(CENTRE, GARAGES) == [5.0]


def test_what_the_layer_may_keep_no_longer_is_deleted(scene: Scene) -> None:
    scene.court.agree(STACK, *ACTIONS, duties=[duty("deleteAfter", days=("eq", 7))])
    scene.court.agree(VENDOR, *ACTIONS)
    retention = Retention(
        Shelf(scene.store, scene.live), scene.court.gate, "dmi:process", 600, scene.court.clock
    )
    assert retention.round() == 2, (
        "a quarter, and what was the last value before the day that the map reaches back"
    )
    assert [quarter.mean for quarter in scene.store.quarters(CENTRE, 0, NOW + DAY, 100)] == [5.0]
    assert len(scene.live.rows(GARAGES)) == 1
    scene.court.clock.at += 8 * DAY
    scene.court.beat()
    assert retention.round() > 0
    assert scene.store.quarters(CENTRE, 0, NOW + 20 * DAY, 100) == []
    assert scene.live.rows(GARAGES) == []
    assert len(scene.live.rows(BICYCLES)) == 2, "no agreement sets a term for these"


MEANS = duty("aggregate", window=("eq", 600), gridSize=("eq", 1000))
OTHERWHERE = {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": {"dmi:bbox": [6, 52, 7, 53]}}


@pytest.mark.parametrize(
    ("more", "latest"),
    [
        ({}, NOW - 1000 * SECOND),
        ({"duties": [delay(500)]}, NOW - 1000 * SECOND),
        ({"duties": [delay(2000)]}, None),
        ({"duties": [MEANS]}, None),
        ({"duties": [COARSE]}, NOW - 1000 * SECOND),
        ({"constraints": [OTHERWHERE]}, None),
    ],
)
def test_a_layer_tells_the_newest_time_of_what_the_viewer_may_see(
    scene: Scene, more: dict[str, Any], latest: int | None
) -> None:
    scene.court.law.apply(Dataset(GARAGES, OWNER, {"nl": "x"}, purpose=MOBILITY, layer="points"))
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS, **more)
    told = {layer["id"]: layer["latest"] for layer in scene.maps.layers(scene.door())}
    assert told == {GARAGES: latest if latest is None else clock.to_text(latest), BICYCLES: None}
    assert scene.court.records == [], "a list is no use of the data"


def test_a_layer_of_persons_tells_the_newest_time_of_those_who_consented(scene: Scene) -> None:
    later = row(
        8.0,
        at=NOW,
        datastream="piet",
        dataset=BICYCLES,
        subject=PIET,
        observed_property="heart_rate",
        unit="/min",
    )
    scene.live.update([], [later])
    for recipient in (STACK, VENDOR):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    (layer,) = (one for one in scene.maps.layers(scene.door()) if one["id"] == BICYCLES)
    assert layer["latest"] == clock.to_text(NOW - SECOND)
    assert (layer["properties"], layer["unit"]) == (["occupancy"], {"occupancy": "{vehicle}"})


@pytest.mark.parametrize(
    ("given", "places", "found"),
    [
        ([], [{"type": "Point", "coordinates": [5.1234, 52.0987]}], 2),
        ([NO_PLACE], [None], 0),
        ([COARSE], None, 0),
    ],
)
def test_a_place_that_a_duty_changes_is_told_on_no_way(
    scene: Scene, given: list[dict[str, Any]], places: list[Any] | None, found: int
) -> None:
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS, duties=given)
    shown = scene.points()
    if places is None:
        (point,) = shown
        assert abs(point["coordinates"][0] - 5.1234) > 0.005, "the centre of a cell of ten kilometres"
    else:
        assert shown == places
    before = len(scene.court.records)
    assert len(scene.maps.search(scene.door(), "merel", 10)) == found
    assert len(scene.maps.background(scene.door())["features"]) == min(found, 1)
    told = [record.left for record in scene.court.decisions()[before:]]
    assert told == ([found, 1] if found else []), "what leaves, and where nothing does it is no use"


@pytest.mark.parametrize(
    ("column", "unit", "measured", "flag"),
    [
        ("unit", "", "occupancy", 1),
        ("observed_property", "{vehicle}", "", 1),
        ("flags", "{vehicle}", "occupancy", 2),
        ("longitude", "{vehicle}", "occupancy", 1),
    ],
)
def test_a_column_that_is_left_out_is_told_neither_by_a_chart_nor_by_the_list_of_layers(
    scene: Scene, column: str, unit: str, measured: str, flag: int
) -> None:
    scene.court.law.apply(Dataset(GARAGES, OWNER, {"nl": "x"}, purpose=MOBILITY, layer="points"))
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS, duties=[duty("leaveOut", property=("isAnyOf", [column]))])
    permit = scene.door().permit(GARAGES)
    found = scene.maps.history(permit, CENTRE, NOW - DAY, NOW, 100)
    assert (found["unit"], found["observed_property"]) == (unit, measured)
    assert [item["flag"] for item in found["items"]] == [flag]
    (feature,) = scene.maps.features(permit)["features"]
    told = feature["properties"]
    assert (told["unit"], told["observed_property"], told["flag"]) == (unit, measured, flag), "as on the map"
    (layer,) = (one for one in scene.maps.layers(scene.door()) if one["id"] == GARAGES)
    assert layer["properties"] == ([measured] if measured else [])
    assert layer["unit"] == ({measured: unit} if unit and measured else {})
    asked = scene.maps.features(permit, "occupancy")["features"]
    assert bool(asked) == bool(measured), "who asks for what measures it is not told past the duty"


def test_a_name_tells_no_more_what_a_row_has_lost(scene: Scene) -> None:
    scene.court.law.apply(Dataset(GARAGES, OWNER, {"nl": "x"}, purpose=MOBILITY, layer="points"))
    about = place(CENTRE, "datastream", "Garage Centrum occupancy", observed_property="occupancy")
    scene.live.update([(GARAGES, about)], [])
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(
        VENDOR, *ACTIONS, duties=[duty("leaveOut", property=("isAnyOf", ["observed_property"]))]
    )
    (feature,) = scene.maps.features(scene.door().permit(GARAGES))["features"]
    assert feature["properties"]["name"] == "Garage Centrum"
