"""What persons ask is carried out once in each layer, recorded for them, and looked for once more a little later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.rights import ALL_ROWS
from dmi_infra import clock, exercising
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.sql import open_engine, positions_table
from tests.unit.infra.fakes import BICYCLES, MOBILITY, NOOR, OWNER, PIET, Court, eventually

CAMERAS = "urn:dmi:dataset:gemeente:cameras"


class Shelf:
    """A layer that notes what it was asked to erase."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def erase(self, dataset: str, person: str, until: int) -> int:
        self.asked.append((dataset, person, until))
        return 3 if len(self.asked) == 1 else 0


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    metadata = sa.MetaData()
    table = positions_table(metadata)
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}", "x")
    metadata.create_all(engine)
    return Marks(engine, table)


@pytest.fixture
def court(monkeypatch: pytest.MonkeyPatch) -> Court:
    monkeypatch.setattr(exercising, "SETTLE_SECONDS", 0.05)
    made = Court()
    made.clock.at = clock.now()
    made.beat()
    basis = "dmi:basis:public-task"
    made.law.apply(Dataset(CAMERAS, OWNER, {"nl": "x"}, personal=True, purpose=MOBILITY, basis=basis))
    return made


@contextmanager
def working(court: Court, marks: Marks, shelf: Shelf, **more: Any) -> Iterator[Exercising]:
    part = Exercising(shelf, marks, court.gate, **more)
    part.start()
    yield part
    part.stop()


def asked(right: str, person: str = NOOR, dataset: str = BICYCLES, **more: Any) -> SubjectRequest:
    return SubjectRequest(f"urn:uuid:{right}-{person}", person, right, dataset, clock.now(), **more)


def test_an_erasure_is_carried_out_recorded_and_swept_once_more_and_not_again_after_a_start(
    court: Court, marks: Marks
) -> None:
    shelf, request = Shelf(), asked("erasure")
    with working(court, marks, shelf) as part:
        part.listen(court.law.apply(request))
        eventually(lambda: len(shelf.asked) == 2)
    assert set(shelf.asked) == {(BICYCLES, NOOR, request.made_at)}
    (told,) = court.decisions()
    assert (told.subjects, told.rows, told.crossing) == ([NOOR], 3, "store")
    assert told.reasons == [f"exercised: {request.id}: 3 rows in platform"]
    marks.reach(request.made_at + 2 * exercising.LEEWAY)
    second = asked("erasure", PIET)
    with working(court, marks, shelf) as part:
        change = court.law.apply(second)
        part.listen(change)
        part.stop()
    assert len(shelf.asked) == 2, "what was carried out before this start stays as it is"


def test_who_objects_is_kept_by_the_platform_alone_and_only_for_another_purpose_by_the_others(
    court: Court, marks: Marks
) -> None:
    shelf = Shelf()
    part = Exercising(shelf, marks, court.gate)
    request = asked("objection", dataset=CAMERAS)
    assert part.carry_out(request) == 3
    assert shelf.asked == [(CAMERAS, NOOR, ALL_ROWS)]
    assert part.carry_out(asked("objection", dataset=CAMERAS, purpose="dmi:purpose:commerce")) is None
    assert Exercising(shelf, marks, court.gate, keeps_objected=True).carry_out(request) is None
    assert len(shelf.asked) == 1
