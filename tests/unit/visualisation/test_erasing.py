"""Of whom rows were erased, or who objects, the map tells nothing more, also after a start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.rights import ALL_ROWS, ERASURE, OBJECTION
from dmi_infra import clock
from dmi_infra.errors import NotFound
from dmi_infra.gate import Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.room import Room
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.consumer import Shelf
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import Shown
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import (
    BICYCLES,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    never_ended,
)
from tests.unit.visualisation.samples import place, row

ACTIONS = ("dmi:process", "dmi:display")
HERS, HIS = "bicycle-air.noor.pm2_5", "bicycle-air.piet.pm2_5"


class Town:
    """A map of two bicycles that stand at home, of data on another basis than consent."""

    def __init__(self, engine: sa.Engine, court: Court) -> None:
        self.court = court
        self.store = Store(engine)
        self.start()
        rows = [self.ride(HERS, NOOR), self.ride(HIS, PIET)]
        homes = [(BICYCLES, place(name, "datastream", "thuis", 5.1234, 52.0987)) for name in (HERS, HIS)]
        self.store.save(homes, rows, {})
        self.live.update(homes, rows)

    def ride(self, name: str, rider: str) -> Shown:
        return row(7.0, at=NOW - SECOND, datastream=name, dataset=BICYCLES, subject=rider, longitude=None)

    def start(self) -> None:
        """As a process that begins with what the store holds."""
        self.live = LiveMap()
        self.live.load(self.store.features(), self.store.newest())
        self.maps = Maps(self.store, self.live, self.court.gate, Room(1, 1, "live streams", TooManyStreams))

    def permit(self) -> Permit:
        return self.court.gate.permit("tile", "dmi:display", BICYCLES, recipient=VENDOR)

    def seen(self) -> list[str]:
        return [feature["id"] for feature in self.maps.features(self.permit())["features"]]

    def history(self, name: str) -> None:
        door = Opening(
            self.court.gate, Identity(VENDOR, "Joris", frozenset()), "tile", "dmi:display", None, never_ended
        )
        assert self.maps.dataset_of(door, name) == BICYCLES
        self.maps.history(self.permit(), name, NOW - 3600 * SECOND, NOW, 10)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    court = Court()
    monkeypatch.setattr(clock, "now", court.clock)
    court.law.apply(
        Dataset(
            BICYCLES, OWNER, {"nl": "x"}, personal=True, purpose=MOBILITY, layer="points",
            basis="dmi:basis:public-task",
        )
    )  # fmt: skip
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
    engine = open_engine(f"sqlite:///{tmp_path / 'visualisation.db'}", "visualisation")
    migrate(engine, "dmi_visualisation")
    yield Town(engine, court)
    engine.dispose()


@pytest.mark.parametrize(("right", "until"), [(ERASURE, NOW), (OBJECTION, ALL_ROWS)])
@pytest.mark.parametrize("started", [False, True], ids=["running", "started again"])
def test_the_sensor_of_who_had_its_rows_erased_is_not_on_the_map(
    town: Town, right: str, until: int, started: bool
) -> None:
    assert sorted(town.seen()) == [HERS, HIS]
    asked = SubjectRequest(f"urn:uuid:{right}", NOOR, right, BICYCLES, NOW)
    town.court.law.apply(asked)
    assert Shelf(town.store, town.live).erase(BICYCLES, NOOR, until) > 0
    if started:
        town.start()
    assert town.seen() == [HIS], "neither its name nor its place"
    assert town.maps.tile(town.permit(), 0, 0, 0)
    with pytest.raises(NotFound):
        town.history(HERS)
    town.history(HIS)


def test_what_a_sensor_measures_after_an_erasure_is_shown_again(town: Town) -> None:
    town.court.law.apply(SubjectRequest("urn:uuid:1", NOOR, ERASURE, BICYCLES, NOW - SECOND))
    Shelf(town.store, town.live).erase(BICYCLES, NOOR, NOW - SECOND)
    later = row(8.0, at=NOW, datastream=HERS, dataset=BICYCLES, subject=NOOR)
    town.store.save([], [later], {})
    town.start()
    assert sorted(town.seen()) == [HERS, HIS]
