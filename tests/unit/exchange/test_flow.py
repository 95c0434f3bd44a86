"""The data plane by itself: positions, streams, and how much was given under which decision."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx
import msgspec
import pytest

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.dsp import states
from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import new_id
from dmi_exchange.dsp.store import Processes
from dmi_exchange.dsp.transfer import PULL, PUSH
from dmi_exchange.flow import places, routes
from dmi_exchange.flow import supply as supply_module
from dmi_exchange.flow.bookmarks import Bookmarks
from dmi_exchange.flow.feed import HARMONISED, Feed, read_cursor, write_cursor
from dmi_exchange.flow.followers import Followers, Run
from dmi_exchange.flow.inflow import Inflow, Intake, events_of
from dmi_exchange.flow.places import Local, places_of
from dmi_exchange.flow.pushing import Pushing
from dmi_exchange.flow.store import Flow, Flows, Sum
from dmi_exchange.flow.supply import Given, Supply
from dmi_exchange.notices.aliases import Aliases
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.cursors import Cursors
from dmi_infra.errors import InputRefused, Refused, Unavailable
from dmi_infra.http.language import current_language
from dmi_infra.http.stories import story
from dmi_infra.permit import Permit
from dmi_infra.sql import migrate, open_engine
from dmi_ingest.handlers import read_feature
from tests.unit.infra.fakes import GARAGES as MINE
from tests.unit.infra.fakes import (
    MOBILITY,
    OWNER,
    STACK,
    VENDOR,
    Court,
    FakeBus,
    as_bus,
    document,
    eventually,
)

BOOKMARKS = Bookmarks(Cursors(bytes(range(64))))
GARAGES, OTHER = "urn:dmi:dataset:buurstad:garages", "urn:dmi:dataset:buurstad:other"


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    return Flows(engine)


def said(bus: FakeBus, dataset: str, *values: float, begin: int = 0) -> None:
    """The platform stored these values, one message each, measured from ``begin`` on."""
    for number, value in enumerate(values):
        batch = ObservationBatch(dataset, ["s"], [begin + number], [value])
        envelope = Envelope(id="1", source="x", type="x", time="2026-01-01T00:00:00Z", dataset=dataset)
        bus.publish(HARMONISED, [Message("k", encode(batch), envelope)])


def read(feed: Feed) -> list[float | None]:
    found: list[float | None] = []
    while (piece := feed.next(0.01)) is not None:
        found += piece.batch.result
    return found


def test_a_feed_gives_one_dataset_in_order_and_goes_on_behind_its_cursor() -> None:
    bus = FakeBus()
    said(bus, GARAGES, 1, 2)
    said(bus, OTHER, 9)
    said(bus, GARAGES, 3)
    feed = Feed(as_bus(bus), GARAGES, "")
    first = feed.next(0.01)
    assert first is not None
    assert (first.batch.result, first.cursor) == ([1.0], "0:1")
    again = Feed(as_bus(bus), GARAGES, first.cursor)
    assert read(again) == [2.0, 3.0]
    said(bus, GARAGES, 4)
    assert read(again) == [4.0]
    assert again.cursor == "0:5"


@pytest.mark.parametrize("text", ["x", "1", "1:2,", "1:2;3:4", "-1:2", "1:2 ", "1:" + "9" * 30])
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="after"):
        read_cursor(text)


def test_a_cursor_reads_back() -> None:
    assert write_cursor(read_cursor("3:4,0:12")) == "0:12,3:4"
    assert read_cursor("") == {}


def test_what_is_given_again_counts_once_and_says_so(flows: Flows) -> None:
    flows.given("t", "0:1", "r1", 10)
    flows.given("t", "0:2", "r2", 5)
    assert flows.was_given("t", "0:2")
    flows.given("t", "0:2", "r3", 5)
    assert not flows.was_given("t", "0:3")
    assert not flows.was_given("other", "0:2")
    assert flows.sums(["t"])["t"] == Sum(15, 2, 1, 5, None, None)
    assert [(each.record, each.rows, each.times) for each in flows.deliveries("t", 0, 10)] == [
        ("r1", 10, 1),
        ("r2", 5, 2),
    ]
    assert flows.sums(["other"])["other"] == Sum(0, 0, 0, 0, None, None)


def test_how_far_a_transfer_has_come_adds_up(flows: Flows) -> None:
    assert flows.get("t") == Flow()
    flows.reached("t", "0:1", 10)
    flows.reached("t", "0:2", 5, 2)
    found = flows.get("t")
    assert (found.cursor, found.rows, found.refused) == ("0:2", 15, 2)


def test_events_are_read_whole_with_comments_as_signs_of_life() -> None:
    lines = ["id: 0:1", "event: data", 'data: {"a":1}', "", ": alive", "", "event: end", "data: {}", ""]
    assert list(events_of(iter(lines))) == [("data", b'{"a":1}'), ("alive", b""), ("end", b"{}")]


def test_a_position_is_sealed_for_its_transfer_and_one_in_the_clear_begins_anew() -> None:
    sealed = BOOKMARKS.seal("t", "0:12")
    assert "12" not in sealed
    assert BOOKMARKS.open("t", sealed) == ("0:12", True)
    assert BOOKMARKS.open("t", "0:12") == ("", False), (
        "in the clear it could be tried until it tells something"
    )
    assert BOOKMARKS.open("t", "") == ("", False)
    assert BOOKMARKS.open("t", BOOKMARKS.seal("t", "")) == ("", True)
    assert BOOKMARKS.name("t", "0:12") != sealed
    for transfer, text in (("other", sealed), ("t", sealed[:-1] + "x"), ("t", "x" * 3000)):
        with pytest.raises(InputRefused, match="after"):
            BOOKMARKS.open(transfer, text)


class OneFeed:
    """A supply of one dataset by itself, without a law."""

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus

    @contextmanager
    def open(self, _identifier: str, cursor: str, _permit: Permit) -> Iterator[OneFeed]:
        self.feed = Feed(as_bus(self.bus), GARAGES, cursor)
        self.begun = False
        yield self

    def next(self, timeout: float) -> Given | None:
        if not self.begun:
            self.begun = True
            return Given([], None, self.feed.cursor)
        piece = self.feed.next(0.01)
        if piece is None:
            return None
        return Given(
            [], {"result": piece.batch.result} if 0.0 not in piece.batch.result else None, piece.cursor
        )


def test_a_stream_ends_with_its_token_and_a_fresh_one_goes_on_without_loss_or_repeat() -> None:
    bus = FakeBus()
    supply, process = OneFeed(bus), cast(Process, SimpleNamespace(id="t"))

    async def read(cursor: str) -> tuple[list[float], str]:
        """What comes until the token has expired, and the last id."""
        found: list[float] = []
        until = int(time.time()) + 1
        limiter = anyio.CapacityLimiter(1)
        right = cast(Permit, None)
        async for block in routes._events(cast(Supply, supply), process, right, cursor, until, limiter):
            fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if line)
            cursor = fields.get("id", cursor)
            if fields["event"] == "data":
                found += (msgspec.json.decode(fields["data"])["observations"] or {"result": []})["result"]
        assert (fields["event"], msgspec.json.decode(fields["data"])["status"]) == ("expired", 401)
        return found, cursor

    said(bus, GARAGES, 1, 0, 2, 0)
    first, last = asyncio.run(read(""))
    assert last == "0:3", "of what may not leave not even the position is told"
    said(bus, OTHER, 9)
    said(bus, GARAGES, 3, 4)
    assert (first, asyncio.run(read(last))[0]) == ([1.0, 2.0], [3.0, 4.0])


@pytest.mark.parametrize("limit", [("count", "lteq", 1), ("timeInterval", "gteq", "PT1H")], ids=str)
def test_what_goes_on_is_one_use_and_what_begins_anew_another(
    flows: Flows, limit: tuple[str, str, object]
) -> None:
    court = Court()
    court.agree(STACK, "dmi:read")
    test = dict(zip(("leftOperand", "operator", "rightOperand"), limit, strict=True))
    mine = court.agree(VENDOR, "dmi:read", constraints=[test])
    process = cast(
        Process,
        SimpleNamespace(
            id="t", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR, role="provider"
        ),
    )
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    bus = as_bus(FakeBus())

    def node() -> Supply:
        local = cast(Local, None)
        return Supply(bus, court.gate, processes, flows, local, cast(Aliases, None), BOOKMARKS)

    def counted() -> int:
        return sum(len(record.counted) for record in court.decisions())

    here = node()
    right = here.permit(process, goes_on=False)
    with here.open("t", "", right):
        assert counted() == 1
    # Whatever position it has reached: what this node sends itself may not have been taken yet.
    for cursor in ("", "0:1", "0:2"):
        with here.open("t", cursor):
            assert here.permit(process, goes_on=True).counted == right.counted
            court.gate.still(right)
    assert counted() == 1
    for supply, goes_on in ((here, False), (node(), True)):
        with pytest.raises(Refused, match="condition"):
            supply.permit(process, goes_on)
    with pytest.raises(Refused, match="condition"), node().open("t", "0:2"):
        pass


def test_a_pull_ends_at_what_is_delayed_and_goes_on_as_the_same_use(flows: Flows) -> None:
    wait = {
        "leftOperand": "dmi:seconds",
        "operator": "eq",
        "rightOperand": {"@value": "600", "@type": "xsd:integer"},
    }
    court, bus = Court(), FakeBus()
    court.agree(STACK, "dmi:read")
    limit = {"leftOperand": "count", "operator": "lteq", "rightOperand": 1}
    delay = {"action": "dmi:delay", "constraint": [{**wait, "unit": "s"}]}
    mine = court.agree(VENDOR, "dmi:read", constraints=[limit], duties=[delay])
    given = SimpleNamespace(
        id="t", kind="transfer", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR
    )
    process = cast(Process, given)
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    local, aliases = cast(Local, NoPlaces()), cast(Aliases, None)
    supply = Supply(as_bus(bus), court.gate, processes, flows, local, aliases, BOOKMARKS)
    said(bus, MINE, 1)
    said(bus, MINE, 2, 3, begin=clock.now())
    begun, cursor, found = time.monotonic(), "", []
    for _ in range(2):
        # What was delayed is there still, and more of it comes; the count lets one use through.
        answer = msgspec.json.decode(routes._pulled(supply, process, cursor))
        cursor, more = answer["cursor"], answer["more"]
        assert (bool(cursor), more) == (True, False)
        found += [result for batch in answer["observations"] for result in batch["result"]]
        said(bus, MINE, 4, begin=clock.now())
    assert found == [1.0]
    assert time.monotonic() - begun < 4
    assert sum(len(record.counted) for record in court.decisions()) == 1


class NoPlaces:
    """The platform of a node that knows no places."""

    def ask(self, *_asked: object, **_more: object) -> httpx.Response:
        return httpx.Response(200, json={"items": [], "features": [], "next": None})


def test_the_log_tells_which_rows_were_sent_again(flows: Flows) -> None:
    court, bus = Court(), FakeBus()
    court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    process = cast(
        Process,
        SimpleNamespace(id="t", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR),
    )
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    local, aliases = cast(Local, NoPlaces()), cast(Aliases, None)
    supply = Supply(as_bus(bus), court.gate, processes, flows, local, aliases, BOOKMARKS)
    said(bus, MINE, 1)
    for _ in range(2):
        with supply.open("t", "") as delivery:
            while not delivery.at_end():
                delivery.next(0.01)
        said(bus, MINE, 2)
    told = [(one.reasons[0], one.left, one.left_again) for one in court.decisions() if not one.decides]
    assert [one for one in told if one[1]] == [
        ("given: 1 rows", 1, 0),
        ("given: 1 rows again", 1, 1),
        ("given: 1 rows", 1, 0),
    ]
    assert (flows.sums(["t"])["t"].rows, flows.sums(["t"])["t"].rows_again) == (2, 1)


def test_an_agreement_that_the_law_has_yet_to_hear_of_is_waited_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    court = Court()
    court.agree(STACK, "dmi:read")
    text = document(OWNER, VENDOR, MINE, ["dmi:read"])
    concluded = AgreementState(text["uid"], text, "active", concluded_at=court.clock())
    supply = Supply(as_bus(FakeBus()), court.gate, *[cast(Any, None)] * 4, BOOKMARKS)
    monkeypatch.setattr(supply_module, "LAW_SECONDS", 0.1)
    assert supply.foreseen(MINE, concluded.id, VENDOR) is not None
    monkeypatch.setattr(supply_module, "LAW_SECONDS", 10.0)
    Timer(0.1, court.law.apply, [concluded]).start()
    assert supply.foreseen(MINE, concluded.id, VENDOR) is None


@pytest.mark.parametrize("name", ["urn:dmi:person:noor", "urn:dmi:person:alias-1", 7])
def test_another_node_names_no_persons_of_this_one(name: object) -> None:
    process = Process(
        id="t", kind="transfer", role="consumer", owner="urn:dmi:participant:stack",
        peer="urn:dmi:participant:buurstad", address="http://there", begun_at=0, changed_at=0, dataset=GARAGES,
    )  # fmt: skip
    rows = {
        "dataset": GARAGES,
        "datastream": ["s"],
        "phenomenon_time": [1],
        "result": [1.0],
        "subject": [name],
    }
    # Refused before anything is handed on: there is nowhere to hand it to.
    intake = Intake(cast(Local, None), cast(Flows, None))
    with pytest.raises(InputRefused, match="subject"):
        intake.take(process, {"cursor": "0:1", "observations": rows})


@pytest.mark.parametrize(
    ("piece", "field"),
    [
        ({"features": [{"kind": "thing", "id": "x", "properties": ["x"]}]}, "features.properties"),
        ({"features": [{"kind": "thing", "id": "x", "properties": 5}]}, "features.properties"),
        ({"features": [{"kind": ["thing"], "id": "x"}]}, "features.kind"),
        ({"features": [{"kind": "thing", "id": [5]}]}, "features.id"),
        ({"features": [{"kind": "thing"}]}, "features.id"),
        ({"features": {"kind": "thing"}}, "features"),
        ({"observations": [{"dataset": GARAGES, "datastream": [5]}]}, "observations.datastream"),
        ({"observations": [{"dataset": GARAGES, "subject": [["x"]]}]}, "observations.subject"),
        ({"observations": 5}, "features"),
    ],
)
def test_data_of_another_node_in_no_form_is_refused_naming_the_field(
    piece: dict[str, Any], field: str
) -> None:
    process = cast(Process, SimpleNamespace(id="x", peer=VENDOR, dataset=GARAGES))
    with pytest.raises(InputRefused) as refused:
        Intake(cast(Local, None), cast(Flows, None)).take(process, {"cursor": "0:1", **piece})
    assert refused.value.errors[0].field == field


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("data", b"{", "the provider sent an event that cannot be read"),
        ("data", b"[" * 100_000, "the provider sent an event that cannot be read"),
        ("end", rb'"\ud800"', "the provider sent an event that cannot be read"),
        ("end", b'{"detail": "it has ended"}', "the provider ended the stream: it has ended"),
        ("end", b'{"detail": [5]}', "the provider ended the stream: without a reason"),
    ],
    ids=range(5),
)
def test_an_event_that_cannot_be_read_is_no_fault_of_this_node(name: str, data: bytes, reason: str) -> None:
    inflow = Inflow(
        cast(Any, None), cast(Any, None), Intake(cast(Local, None), cast(Flows, None)), cast(Any, None)
    )
    with pytest.raises(Unreachable) as refused:
        inflow._take(cast(Process, SimpleNamespace(id="x")), name, data)
    assert str(refused.value) == reason
    token = current_language.set("nl")
    try:
        assert story(f"{reason}; tried 2 times, goes on trying").startswith("De andere stad ")
    finally:
        current_language.reset(token)


class Bicycles(NoPlaces):
    """The platform of a node with one bicycle, whose name, place and number plate lead to a person."""

    def ask(self, _method: str, path: str, *_asked: object, **more: Any) -> httpx.Response:
        thing = {"id": "bike", "geometry": {"type": "Point", "coordinates": [5.1, 52.1]}}
        stream = {"id": "bike.pm", "geometry": None}
        about: dict[str, list[dict[str, Any]]] = {
            "thing": [{**thing, "properties": {"name": "Fiets van Bram", "plate": "BR-1"}}],
            "datastream": [
                {
                    **stream,
                    "properties": {
                        "name": "PM van Bram", "thing": "bike", "observed_property": "pm", "unit": "1", "note": "B",
                    },
                }
            ],
        }  # fmt: skip
        found = about.get(more["params"].get("kind", ""), []) if path.endswith("features") else []
        return httpx.Response(200, json={"items": [], "features": found, "next": None})


class Without(NoPlaces):
    """The platform of a node, to who has an agreement that leaves columns out."""

    def __init__(self, *left_out: str) -> None:
        self._left_out = left_out

    def ask(self, _method: str, path: str, *_asked: object, **more: Any) -> httpx.Response:
        whole = {"thing": "t", "observed_property": "occupancy", "unit": "{vehicle}"}
        told = {name: value for name, value in whole.items() if name not in self._left_out}
        item = {"id": "t.o", "unit": told.get("unit")}
        stream = {"id": "t.o", "geometry": None, "properties": {"name": "t", "maximum": 9, **told}}
        found = [stream] if path.endswith("features") and more["params"]["kind"] == "datastream" else []
        return httpx.Response(200, json={"items": [item], "features": found, "next": None})


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ((), {"observed_property": "occupancy", "unit": "{vehicle}", "maximum": 9}),
        (("unit",), {"observed_property": "occupancy", "unit": "{left_out}"}),
        (("observed_property",), {"observed_property": "left_out", "unit": "{vehicle}", "maximum": 9}),
        (("observed_property", "unit"), {"observed_property": "left_out", "unit": "{left_out}"}),
    ],
)
def test_what_an_agreement_leaves_out_of_a_datastream_is_told_as_left_out_so_that_the_other_side_takes_it(
    left_out: tuple[str, ...], told: dict[str, Any]
) -> None:
    [item] = places_of(cast(Local, Without(*left_out)), MINE, VENDOR, None, ())
    assert item["properties"] == {"thing": "t", **told}
    read_feature({**item, "geometry": None}, "", {})


@pytest.mark.parametrize("personal", [False, True])
def test_of_persons_things_leave_without_what_leads_to_them(flows: Flows, personal: bool) -> None:
    supply, process, _bus = _pulling(flows, Bicycles())
    entry = supply.gate.law.datasets[MINE]
    basis = "dmi:basis:public-task" if personal else entry.basis
    supply.gate.law.apply(msgspec.structs.replace(entry, personal=personal, basis=basis, purpose=MOBILITY))
    answer = msgspec.json.decode(routes._pulled(supply, process, ""))
    told = {item["id"]: (item["name"], item["geometry"], item["properties"]) for item in answer["features"]}
    needed = {"thing": "bike", "observed_property": "pm", "unit": "1"}
    if personal:
        assert told == {"bike": ("bike", None, {}), "bike.pm": ("bike.pm", None, needed)}
    else:
        assert told["bike"][2] == {"plate": "BR-1"}
        assert told["bike.pm"][2] == {**needed, "note": "B"}


class EndingWhileAsked(NoPlaces):
    """The same; while it is asked, something becomes of the agreement."""

    def __init__(self) -> None:
        self.happens: list[Callable[[], None]] = []

    def ask(self, *_asked: object, **_more: object) -> httpx.Response:
        while self.happens:
            self.happens.pop()()
        return super().ask()


@pytest.mark.parametrize("told", [False, True], ids=["at-the-beginning", "for-a-new-thing"])
def test_nothing_leaves_after_an_end_that_came_while_places_were_asked_for(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(supply_module, "PLACES_AGAIN_SECONDS", 0.0)
    court, bus, local = Court(), FakeBus(), EndingWhileAsked()
    court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    given = SimpleNamespace(
        id="t", kind="transfer", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR
    )
    process = cast(Process, given)
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    supply = Supply(
        as_bus(bus), court.gate, processes, flows, cast(Local, local), cast(Aliases, None), BOOKMARKS
    )
    said(bus, MINE, 1)
    with supply.open("t", "") as delivery:
        if told:
            assert delivery.next(0.01) is not None
        local.happens.append(lambda: court.end(mine))
        with pytest.raises(Refused, match="ended"):
            delivery.next(0.01)
    assert local.happens == []
    assert flows.sums(["t"])["t"].rows == 0
    assert all(record.decides for record in court.decisions())


def test_a_pull_that_finds_nothing_for_long_answers_where_to_go_on(
    flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "PULL_SECONDS", 0.3)
    monkeypatch.setattr(Feed, "at_end", lambda _feed: False)
    court, bus = Court(), FakeBus()
    court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    given = SimpleNamespace(
        id="t", kind="transfer", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR
    )
    process = cast(Process, given)
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    local, aliases = cast(Local, NoPlaces()), cast(Aliases, None)
    supply = Supply(as_bus(bus), court.gate, processes, flows, local, aliases, BOOKMARKS)
    said(bus, OTHER, *range(5))
    answer = msgspec.json.decode(routes._pulled(supply, process, ""))
    assert (answer["observations"], answer["more"]) == ([], True)
    assert BOOKMARKS.open("t", answer["cursor"]) == ("0:5", True)


def test_nothing_leaves_for_members_of_a_node_that_was_not_heard_for_a_day(flows: Flows) -> None:
    supply, process, bus = _pulling(flows, NoPlaces())
    silent: list[str] = []
    supply._unheard = silent.__contains__
    law = supply.gate.law
    law.apply(msgspec.structs.replace(law.participants[VENDOR], home="http://b.example/exchange"))
    said(bus, MINE, 1)
    with supply.open("t", "") as delivery:
        assert delivery.next(0.01) is not None
        silent.append("http://b.example/exchange")
        with pytest.raises(Unavailable, match="nothing was heard"):
            delivery.next(0.01)
        with pytest.raises(Unavailable, match="nothing was heard"):
            supply.permit(process, goes_on=True)
        silent.clear()
        given = delivery.next(0.01)
        assert given is not None
        assert given.rows is not None


class Asked(NoPlaces):
    """The same; how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def ask(self, *_asked: object, **_more: object) -> httpx.Response:
        self.times += 1
        return super().ask()


def _pulling(flows: Flows, local: NoPlaces) -> tuple[Supply, Process, FakeBus]:
    court, bus = Court(), FakeBus()
    court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    given = SimpleNamespace(
        id="t", kind="transfer", state=states.STARTED, agreement_id=mine.id, dataset=MINE, peer=VENDOR
    )
    process = cast(Process, given)
    processes = cast(Processes, SimpleNamespace(get=lambda _id: process))
    aliases = cast(Aliases, None)
    supply = Supply(as_bus(bus), court.gate, processes, flows, cast(Local, local), aliases, BOOKMARKS)
    return supply, process, bus


def test_rows_that_were_judged_leave_before_the_places_of_others_are_asked_for(flows: Flows) -> None:
    local = Asked()
    supply, process, bus = _pulling(flows, local)
    for stream in ("s1", "s2"):
        batch = ObservationBatch(MINE, [stream], [clock.now()], [1.0])
        envelope = Envelope(id="1", source="x", type="x", time="2026-01-01T00:00:00Z", dataset=MINE)
        bus.publish(HARMONISED, [Message("k", encode(batch), envelope)])
    cursor, streams, asked = "", [], []
    for _ in range(2):
        begun = local.times
        answer = msgspec.json.decode(routes._pulled(supply, process, cursor))
        cursor = answer["cursor"]
        streams.append([name for batch in answer["observations"] for name in batch["datastream"]])
        asked.append(local.times - begun)
    # For all that there is and for the new stream, and not again while its rows are in hand.
    assert (streams, asked[0]) == ([["s1"], ["s2"]], asked[1])
    assert not answer["more"]


def test_rows_come_also_where_places_do_and_theirs_is_not_among_them(flows: Flows) -> None:
    supply, process, bus = _pulling(flows, Bicycles())
    said(bus, MINE, 1)
    answer = msgspec.json.decode(routes._pulled(supply, process, ""))
    assert [batch["result"] for batch in answer["observations"]] == [[1.0]]
    assert not answer["more"]


class Growing(Bicycles):
    """The same with one thing more for each time it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def ask(self, _method: str, path: str, *_asked: object, **more: Any) -> httpx.Response:
        if not path.endswith("features") or more["params"].get("kind") != "thing":
            return httpx.Response(200, json={"items": [], "features": [], "next": None})
        self.times += 1
        things = [
            {"id": f"{turn}.{number}", "geometry": None, "properties": {"name": "x"}}
            for turn in range(self.times)
            for number in range(2)
        ]
        return httpx.Response(200, json={"items": [], "features": things, "next": None})


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_push_in_several_bodies_ends_between_them_and_judges_rows_behind_their_places(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(places, "PART_PLACES", 1)
    monkeypatch.setattr(supply_module, "PLACES_AGAIN_SECONDS", 0.0)
    supply, process, bus = _pulling(flows, Growing())
    process = cast(Process, SimpleNamespace(**vars(process), data_address={}, address="a", owner=OWNER))
    said(bus, MINE, 1)
    pushed: list[dict[str, Any]] = []

    def push(_address: str, _endpoint: str, body: bytes, *_of: str) -> SimpleNamespace:
        pushed.append(msgspec.json.decode(body))
        if len(pushed) == after + 1:
            state = supply.gate.law.agreement(process.agreement_id)
            assert state is not None
            supply.gate.law.apply(msgspec.structs.replace(state, state="ended", ended_at=clock.now()))
        return SimpleNamespace(well=True)

    run = cast(Run, SimpleNamespace(process=process, goes_on=lambda: True, note=lambda _why: None))
    with pytest.raises(Refused, match="ended"):
        Pushing(supply, cast(Client, SimpleNamespace(push=push)), flows)(run)
    # Two bodies of places at the beginning, two of those of a new stream, and then its row.
    assert [[item["id"] for item in body["features"]] for body in pushed] == [
        ["0.0"], ["0.1"], ["1.0"], ["1.1"],
    ][: after + 1]  # fmt: skip
    assert all(body["observations"] is None for body in pushed)
    assert flows.sums(["t"])["t"].rows == 0


def test_a_pull_of_many_places_skips_no_row_behind_them(
    flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PART_PLACES", 1)
    monkeypatch.setattr(supply_module, "PLACES_AGAIN_SECONDS", 0.1)
    # Over before the places of the new stream are there.
    monkeypatch.setattr(routes, "PULL_SECONDS", 0.05)
    supply, process, bus = _pulling(flows, Growing())
    said(bus, MINE, 1)
    cursor, values = "", []
    for _ in range(2):
        answer = msgspec.json.decode(routes._pulled(supply, process, cursor))
        cursor = answer["cursor"]
        values += [value for batch in answer["observations"] for value in batch["result"]]
        monkeypatch.setattr(routes, "PULL_SECONDS", 5.0)
    assert values == [1.0]


def test_rows_that_were_judged_do_not_wait_long_for_more(
    flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "IN_HAND_SECONDS", 0.0)
    # It would look on for an hour.
    monkeypatch.setattr(routes, "PULL_SECONDS", 3600.0)
    monkeypatch.setattr(Feed, "at_end", lambda _feed: False)
    supply, process, bus = _pulling(flows, NoPlaces())
    said(bus, MINE, 1, 2)
    answer = msgspec.json.decode(routes._pulled(supply, process, ""))
    assert [batch["result"] for batch in answer["observations"]] == [[1.0]]
    assert BOOKMARKS.open("t", answer["cursor"]) == ("0:1", True)


def test_a_transfer_of_another_kind_takes_no_thread(flows: Flows, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    processes = Processes(engine)
    worked: list[str] = []

    def work(run: Run) -> bool:
        worked.append(run.process.id)
        return True

    def begun(form: str, own: bool = False) -> str:
        process = Process(
            id=new_id(), kind="transfer", role="provider", owner=OWNER, peer=VENDOR, address="https://b.example",
            begun_at=0, changed_at=0, peer_pid=new_id(), dataset=MINE, agreement_id="a", format=form, own=own,
            state=states.STARTED,
        )  # fmt: skip
        processes.begin(process, None)
        return process.id

    followers = Followers(processes, flows, "provider", (PUSH,), work)
    pushed, *_others = begun(PUSH), begun(PULL), begun(PUSH, own=True)
    followers.start()
    eventually(lambda: len(worked) > 2 and len(followers._others) == 2)
    followers.stop()
    assert set(worked) == {pushed}
    assert pushed not in followers._others
