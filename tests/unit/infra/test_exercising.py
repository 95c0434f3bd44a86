"""What persons ask is carried out once in each layer, recorded for them, and looked for once more a little later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import Correction, Dataset, SubjectRequest
from dmi_agreements.rights import ALL_ROWS, KIND
from dmi_infra import clock, exercising
from dmi_infra.errors import Unavailable
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.sql import open_engine, positions_table
from tests.unit.infra.fakes import BICYCLES, MOBILITY, NOOR, OWNER, PIET, Court, eventually

CAMERAS = "urn:dmi:dataset:gemeente:cameras"


class Shelf:
    """A layer that notes what it was asked to erase."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.rows = 3
        """How many it finds the first time."""
        self.faults: dict[str, list[Exception | None]] = {}
        """What the next erasures of a person's rows raise, the last first; ``None`` is one that goes well."""

    def erase(self, dataset: str, person: str, until: int) -> int:
        fault = self.faults[person].pop() if self.faults.get(person) else None
        if fault is not None:
            raise fault
        self.asked.append((dataset, person, until))
        return self.rows if len(self.asked) == 1 else 0


class Conclusions:
    """What a layer made of rows; tries to take it back raise these ``faults`` one by one, where one is not ``None``."""

    def __init__(self, *faults: Exception | None) -> None:
        self.faults = list(faults)
        self.taken: list[tuple[str, int]] = []

    def taking_back(self, request: SubjectRequest) -> int:
        return 7

    def take_back(self, request: SubjectRequest, until: int) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.taken.append((request.id, until))


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


def test_what_follows_an_erasure_follows_rows_that_came_in_after_it_too(court: Court, marks: Marks) -> None:
    class Late(Shelf):
        def erase(self, dataset: str, person: str, until: int) -> int:
            super().erase(dataset, person, until)
            return 3

    made, followed = Conclusions(), list[int]()
    shelf, request = Late(), asked("erasure")
    with working(court, marks, shelf, results=made, afterwards=lambda: followed.append(1)) as part:
        part.listen(court.law.apply(request))
        eventually(lambda: len(followed) == 2)
    assert made.taken == [(request.id, 7)] * 2
    assert [one.taken_back for one in court.decisions()] == [7, 7], "and it is told up to when"


def test_a_start_repeats_the_newest_request_and_what_follows_it_only_when_it_finds_rows_again(
    court: Court, marks: Marks
) -> None:
    """A layer takes back what was made of the data: what was made since then is of nobody who asked."""
    made = Conclusions()
    request = asked("erasure")
    change = court.law.apply(request)

    def start(rows: int) -> int:
        shelf = Shelf()
        shelf.rows = rows
        with working(court, marks, shelf, results=made) as part:
            part.listen(change)
            eventually(lambda: len(shelf.asked) == 2)
        return len(made.taken)

    assert [start(3), start(0), start(2)] == [1, 1, 2]
    assert [one.rows for one in court.decisions()] == [3, 2]


def test_what_follows_a_request_is_made_up_for_by_the_next_start_when_it_failed(
    court: Court, marks: Marks
) -> None:
    made, request = Conclusions(Unavailable("the store is away")), asked("erasure")
    with pytest.raises(Unavailable):
        Exercising(Shelf(), marks, court.gate, results=made).carry_out(request)
    shelf = Shelf()
    shelf.rows = 0
    Exercising(shelf, marks, court.gate, results=made).carry_out(request)
    assert made.taken == [(request.id, 7)]


def test_a_start_follows_rows_that_came_in_late_where_a_stop_kept_that_from_being_done(
    court: Court, marks: Marks
) -> None:
    made, request = Conclusions(None, Unavailable("the store is away")), asked("erasure")
    court.law.apply(request)
    shelf = Shelf()
    before = Exercising(shelf, marks, court.gate, results=made)
    before.carry_out(request)
    (later,) = before._again
    shelf.asked.clear()
    before._swept(later)
    assert (len(shelf.asked), len(made.taken)) == (1, 1)
    Exercising(shelf, marks, court.gate, results=made).carry_out(request)
    assert made.taken == [(request.id, 7)] * 2


def test_that_requests_were_followed_is_kept_as_long_as_a_start_repeats_them(
    court: Court, marks: Marks
) -> None:
    first = asked("erasure")
    later = msgspec.structs.replace(asked("erasure", PIET), made_at=first.made_at + exercising.LEEWAY)
    part = Exercising(Shelf(), marks, court.gate)
    for request in (first, later):
        part.carry_out(request)
    assert [marks.followed(one.id) for one in (first, later)] == [False, True]


@pytest.mark.parametrize("fault", [Unavailable("it is away"), ValueError("it cannot be marked")])
@pytest.mark.parametrize("step", ["recorded", "followed"])
def test_what_follows_rows_that_came_in_late_is_not_lost_when_it_fails(
    court: Court, marks: Marks, monkeypatch: pytest.MonkeyPatch, fault: Exception, step: str
) -> None:
    """The rows are gone at the first try: the next one finds none."""

    class Late(Shelf):
        def erase(self, dataset: str, person: str, until: int) -> int:
            super().erase(dataset, person, until)
            return {1: 3, 2: 2}.get(len(self.asked), 0)

    monkeypatch.setattr(exercising, "RETRY_SECONDS", 0.05)
    tried: dict[str, int] = {"recorded": 0, "followed": 0}
    record = court.gate.exercised

    def fails(name: str) -> None:
        tried[name] += 1
        if name == step and tried[name] == 2:
            raise fault

    def exercised(request: SubjectRequest, rows: int, taken_back: int | None) -> str:
        fails("recorded")
        return record(request, rows, taken_back)

    monkeypatch.setattr(court.gate, "exercised", exercised)
    shelf, request = Late(), asked("erasure")
    with working(court, marks, shelf, afterwards=lambda: fails("followed")) as part:
        part.listen(court.law.apply(request))
        eventually(lambda: tried["followed"] == (3 if step == "followed" else 2))
    rows = [one.rows for one in court.decisions()]
    assert [number for number in rows if number] == [3, 2]


def test_who_objects_is_kept_by_the_platform_alone_and_only_for_another_purpose_by_the_others(
    court: Court, marks: Marks
) -> None:
    shelf = Shelf()
    part = Exercising(shelf, marks, court.gate)
    request = asked("objection", dataset=CAMERAS)
    assert part.carry_out(request) == 3
    assert shelf.asked == [(CAMERAS, NOOR, ALL_ROWS)]
    assert part.carry_out(asked("objection", dataset=CAMERAS, purpose="dmi:purpose:commercial")) is None
    assert Exercising(shelf, marks, court.gate, keeps_objected=True).carry_out(request) is None
    assert len(shelf.asked) == 1


def test_rows_are_looked_for_until_the_consumer_is_done_with_what_it_had_in_hand(
    court: Court, marks: Marks
) -> None:
    """Its gate passed them before the request came, and its store takes longer than it is waited for at first."""
    shelf, begun, asked_at = Shelf(), [time.monotonic()], list[float]()

    def in_hand() -> float | None:
        asked_at.append(time.monotonic())
        return begun[0] if begun else None

    with working(court, marks, shelf, in_hand=in_hand) as part:
        part.listen(court.law.apply(asked("erasure")))
        eventually(lambda: len(asked_at) >= 3)
        assert len(shelf.asked) == 1
        begun[0] = time.monotonic()
        eventually(lambda: len(shelf.asked) == 2)
        looked = len(asked_at)
        part._thread.join(0.15)
    assert (len(shelf.asked), len(asked_at)) == (2, looked), (
        "what it took in hand since was judged by the request"
    )


@pytest.mark.parametrize(
    ("purpose", "ours"),
    [
        ("dmi:purpose:public-task", True),
        ("dmi:purpose:parking-guidance", True),
        ("dmi:purpose:environment", False),
    ],
)
def test_who_objects_to_a_purpose_above_or_below_that_of_the_layers_is_kept_there_no_longer(
    court: Court, marks: Marks, purpose: str, ours: bool
) -> None:
    shelf = Shelf()
    Exercising(shelf, marks, court.gate).carry_out(asked("objection", dataset=CAMERAS, purpose=purpose))
    assert shelf.asked == ([(CAMERAS, NOOR, ALL_ROWS)] if ours else [])


def test_an_objection_that_has_ended_erases_nothing_more(court: Court, marks: Marks) -> None:
    shelf, objecting = Shelf(), asked("objection", dataset=CAMERAS)
    part = Exercising(shelf, marks, court.gate)
    court.law.apply(objecting)
    assert part.carry_out(objecting) == 3
    court.law.apply(msgspec.structs.replace(objecting, state="ended", ended_at=clock.now()))
    (later,) = part._again
    part._swept(later)
    assert len(shelf.asked) == 1


def test_a_correction_that_is_forgotten_is_not_carried_out_again(court: Court, marks: Marks) -> None:
    corrected: list[str] = []
    part = Exercising(Shelf(), marks, court.gate, correct=lambda one: corrected.append(one.id) or 1)  # type: ignore[func-returns-value]
    right = asked("rectification", corrections=[Correction("a", 1, 2.0)])
    assert part.carry_out(right) == 1
    assert part.carry_out(msgspec.structs.replace(right, corrections=[])) is None
    assert corrected == [right.id]
    assert len([one for one in court.decisions() if one.crossing == "store"]) == 1


def test_a_request_that_fails_is_tried_again_until_it_is_carried_out(
    court: Court, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercising, "RETRY_SECONDS", 0.05)
    shelf, first, second = Shelf(), asked("erasure"), asked("erasure", PIET)
    shelf.faults[NOOR] = [
        ValueError("again"),
        Unavailable("the store is away"),
        ValueError("a row that cannot be read"),
    ]
    with working(court, marks, shelf) as part:
        for request in (first, second):
            part.listen(court.law.apply(request))
        eventually(lambda: len(shelf.asked) == 4)
    assert sorted(person for _, person, _ in shelf.asked) == [NOOR, NOOR, PIET, PIET], (
        "each is swept once more"
    )
    assert sorted(str(one.subjects[0]) for one in court.decisions()) == [NOOR, PIET]
    assert marks.reached() == second.made_at


def test_rows_that_fail_to_be_looked_for_once_more_are_tried_again_too(
    court: Court, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercising, "RETRY_SECONDS", 0.05)
    shelf = Shelf()
    shelf.faults[NOOR] = [ValueError("a row that cannot be read"), None]
    with working(court, marks, shelf) as part:
        part.listen(court.law.apply(asked("erasure")))
        eventually(lambda: len(shelf.asked) == 3)
    assert shelf.faults == {NOOR: []}


def test_a_start_finds_what_failed_however_many_came_after_it(court: Court, marks: Marks) -> None:
    shelf, first = Shelf(), asked("erasure")
    shelf.faults[NOOR] = [ValueError("a row that cannot be read")]
    later = msgspec.structs.replace(asked("erasure", PIET), made_at=first.made_at + 2 * exercising.LEEWAY)
    with working(court, marks, shelf) as part:
        for request in (first, later):
            part.listen(court.law.apply(request))
        eventually(lambda: bool(shelf.asked))
        eventually(lambda: marks.reached() > 0)
    assert {person for _, person, _ in shelf.asked} == {PIET}
    with working(court, marks, shelf) as part:
        for request in (first, later):
            part.listen(Change(KIND, request.id, True))
        eventually(lambda: any(person == NOOR for _, person, _ in shelf.asked))
        eventually(lambda: marks.reached() == later.made_at)
