"""Pages give together what one page gives, also where a duty judges the rows of a window together."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import Aggregate, Delay, Duty, Suppress
from dmi_agreements.duties import window
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused
from dmi_infra.gate import Passed
from dmi_infra.identity import Identity
from dmi_platform import paging
from dmi_platform.model import Cursor
from dmi_platform.store import Table

from .conftest import GARAGES, MINUTE, NOON, NOOR, OWNER, SAM, STACK, VENDOR, stream, thing

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import City

WINDOW = 60
STREAM = "garages.centrum.occupancy"
HISTORY = f"/v1/datastreams/{STREAM}/observations"


Key = tuple[int, str]


class Rows:
    """A datastream in memory, read as the store reads."""

    def __init__(self, keys: list[Key]) -> None:
        self.keys = sorted(keys)

    def __call__(self, begin: int, end: int, after: Cursor | None, limit: int) -> Table:
        behind = (-1, "") if after is None else (after.time, after.source_id or "")
        found = [key for key in self.keys if begin <= key[0] < end and key > behind][:limit]
        return Table([1] * len(found), {"time": [t for t, _ in found], "source_id": [s for _, s in found]})


def judged(table: Table) -> Passed:
    """A gate that lets the rows of sources "a" and "" through."""
    pairs = zip(table.columns["time"], table.columns["source_id"], strict=True)
    kept = [(time, source) for time, source in pairs if source != "b"]
    batch = ObservationBatch(
        "d", ["s"] * len(kept), [t for t, _ in kept], [None] * len(kept), source_id=[s for _, s in kept]
    )
    return Passed(batch, frozenset())


def filled(read: Rows, begin: int, end: int, limit: int, length: int) -> list[list[Key]]:
    """The rows of each page."""
    pages: list[list[Key]] = []
    while True:
        given, after = paging.filled(read, judged, begin, end, limit, length)
        batches = [passed.batch for passed in given]
        pages.append([key for b in batches for key in zip(b.phenomenon_time, b.source_id or [], strict=True)])
        if after is None:
            return pages
        begin = after.time


KEYS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["", "a", "b"])), unique=True, max_size=80)
SPANS = (KEYS, st.integers(0, 400), st.integers(1, 400), st.integers(1, 30))
LENGTHS = st.sampled_from([1, 7, WINDOW, 500])


@settings(max_examples=200, deadline=None)
@given(*SPANS)
def test_pages_of_any_size_give_every_row_once(keys: list[Key], begin: int, span: int, limit: int) -> None:
    read, end = Rows(keys), begin + span
    found: list[Key] = []
    after: Cursor | None = None
    while True:
        table, after = paging.page(read, begin, end, after, limit)
        assert len(table) <= limit
        found += zip(table.columns["time"], table.columns["source_id"], strict=True)
        if after is None:
            break
    assert found == [key for key in read.keys if begin <= key[0] < end]


@settings(max_examples=300, deadline=None)
@given(*SPANS, LENGTHS, st.integers(1, 9))
def test_pages_of_any_size_give_the_same_whole_windows(
    keys: list[Key], begin: int, span: int, limit: int, length: int, piece: int
) -> None:
    read, end = Rows(keys), begin + span
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "PIECE_ROWS", piece)
        pages = filled(read, begin, end, limit, length)
    whole = [key for key in read.keys if begin <= key[0] // length * length < end and key[1] != "b"]
    assert [key for page in pages for key in page] == whole
    for page in pages[:-1]:
        last = page[-1][0] // length
        assert sum(time // length < last for time, _ in page) < limit <= len(page)


@settings(max_examples=300, deadline=None)
@given(*SPANS, LENGTHS, st.integers(1, 9))
def test_no_page_tells_of_rows_that_do_not_pass(
    keys: list[Key], begin: int, span: int, limit: int, length: int, piece: int
) -> None:
    """Pages are those of a store without the hidden rows: neither what they hold nor how many there are differs."""
    without = [key for key in keys if key[1] != "b"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "PIECE_ROWS", piece)
        told = [filled(Rows(some), begin, begin + span, limit, length) for some in (keys, without)]
    assert told[0] == told[1]


def test_a_window_of_too_many_rows_is_refused_rather_than_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "WINDOW_ROWS", 5)
    monkeypatch.setattr(paging, "PIECE_ROWS", 3)
    with pytest.raises(InputRefused, match="more than 5 rows"):
        paging.filled(Rows([(t, "") for t in range(20)]), judged, 0, 100, 3, 60)


@pytest.mark.parametrize(
    ("duties", "length"),
    [
        ([], None), ([Delay(5)], None), ([Aggregate(600, grid_m=100)], 600_000_000),
        ([Suppress(3)], 3_600_000_000), ([Suppress(3), Aggregate(60, grid_m=100)], 60_000_000),
        ([Aggregate(60, grid_m=100), Aggregate(600, grid_m=100)], 600_000_000),
    ],
)  # fmt: skip
def test_the_window_is_that_of_the_coarsest_aggregate_or_of_suppression(
    duties: list[Duty], length: int | None
) -> None:
    assert window(duties) == length


def rule(action: str, **parameters: int) -> dict[str, Any]:
    tests = [
        {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
        for name, value in parameters.items()
    ]
    return {"action": action, "constraint": tests}


def pages(city: City, path: str, limit: int, **query: Any) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    cursor = None
    while True:
        answer = city.get(path, limit=limit, **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += [(item["phenomenon_time"], item["result"]) for item in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def test_an_aggregated_history_is_the_same_with_every_page_size(city: City) -> None:
    city.agree(GARAGES, "dmi:process")
    city.agree(GARAGES, "dmi:read", duty=[rule("dmi:aggregate", window=600, gridSize=1000)])
    city.tell(GARAGES, thing("garages.centrum"), stream(STREAM, capacity=10_000))
    times = [NOON + number * 7 * MINUTE // 3 for number in range(40)]
    rows = len(times)
    city.hand_in(ObservationBatch(GARAGES, [STREAM] * rows, times, [float(n * n) for n in range(rows)]))
    whole = pages(city, HISTORY, 10_000)
    assert len(whole) > 5
    for limit in (1, 2, 3, 4, 5, 7, 11, 39, 40, 41):
        assert pages(city, HISTORY, limit) == whole, limit
    # From within a window: that window is left out whole, and the last one is whole although its end lies outside.
    part = pages(city, HISTORY, 3, **{"from": to_text(NOON + 11 * MINUTE), "to": to_text(NOON + 31 * MINUTE)})
    first, last = to_text(NOON + 20 * MINUTE), to_text(NOON + 30 * MINUTE)
    assert part == [row for row in whole if row[0] in (first, last)]


def test_a_page_of_means_holds_its_last_window_whole_also_beyond_its_limit_and_says_so(city: City) -> None:
    city.agree(GARAGES, "dmi:process")
    city.agree(GARAGES, "dmi:read", duty=[rule("dmi:aggregate", window=600, gridSize=1000)])
    city.tell(GARAGES, thing("garages.centrum"), stream(STREAM, capacity=10_000))
    times = [NOON + minute * MINUTE for minute in (0, 1, 10, 11)]
    places = {"longitude": [5.1, 5.2, 5.1, 5.2], "latitude": [52.1] * 4}
    city.hand_in(ObservationBatch(GARAGES, [STREAM] * 4, times, [1.0, 2.0, 3.0, 4.0], **places))
    page = city.get(HISTORY, limit=1).json()
    assert [item["phenomenon_time"] for item in page["items"]] == [to_text(NOON)] * 2, (
        "two areas of one window"
    )
    following = city.get(HISTORY, limit=1, cursor=page["next"]).json()
    assert [item["phenomenon_time"] for item in following["items"]] == [to_text(NOON + 10 * MINUTE)] * 2
    document = city.get("/openapi.json").json()
    (limit,) = (
        parameter
        for parameter in document["paths"]["/v1/datastreams/{datastream}/observations"]["get"]["parameters"]
        if parameter["name"] == "limit"
    )
    assert "whole window" in limit["description"]


TWO = ("garages.centrum.occupancy", "garages.station.occupancy")


def two_garages(city: City, duty: dict[str, Any]) -> None:
    """Two garages in one cell of a kilometre and one far away; each stands at ten times what the one before does."""
    city.agree(GARAGES, "dmi:process")
    city.agree(GARAGES, "dmi:read", "dmi:export", duty=[duty])
    places = {"garages.centrum": 5.1, "garages.station": 5.1001, "garages.ver": 5.2}
    for name, longitude in places.items():
        city.tell(GARAGES, thing(name, longitude), stream(f"{name}.occupancy", capacity=10_000))
    for number, name in enumerate(places):
        times = [NOON + minute * MINUTE for minute in (0, 3, 6, 12)]
        values = [10.0**number * value for value in (0, 10, 20, 30)]
        city.hand_in(ObservationBatch(GARAGES, [f"{name}.occupancy"] * 4, times, values))


def test_means_are_over_all_datastreams_of_an_area_not_of_the_one_that_was_asked_for(city: City) -> None:
    two_garages(city, rule("dmi:aggregate", window=600, gridSize=1000))
    means = [
        (to_text(NOON), (0 + 10 + 20 + 0 + 100 + 200) / 6),
        (to_text(NOON + 10 * MINUTE), (30 + 300) / 2),
    ]
    for name in TWO:
        for limit in (1, 2, 100):
            assert pages(city, f"/v1/datastreams/{name}/observations", limit) == means
    far = pages(city, "/v1/datastreams/garages.ver.occupancy/observations", 100)
    assert [value for _, value in far] == [1000.0, 3000.0]


def test_newest_values_are_refused_where_an_agreement_gives_means(city: City) -> None:
    two_garages(city, rule("dmi:aggregate", window=600, gridSize=1000))
    answer = city.get("/v1/latest", dataset=GARAGES)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:dmi:problem:partial"
    assert answer.json()["agreement"].startswith("urn:uuid:")


def test_an_export_holds_each_mean_once(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    two_garages(city, rule("dmi:aggregate", window=600, gridSize=1000))
    whole = exported(city)
    assert len(whole) == len(set(whole)) == 4
    assert sorted(value for _, value in whole) == [55.0, 165.0, 1000.0, 3000.0]
    monkeypatch.setattr(paging, "CHUNK_ROWS", 2)
    assert sorted(exported(city)) == sorted(whole), "in small pieces as in one"


def test_a_window_of_a_dataset_that_is_too_large_is_refused(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_garages(city, rule("dmi:aggregate", window=600, gridSize=1000))
    monkeypatch.setattr(paging, "WINDOW_ROWS", 9)
    monkeypatch.setattr(paging, "CHUNK_ROWS", 9)
    answer = city.get(f"/v1/datastreams/{TWO[0]}/observations", limit=100)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "dataset")


def exported(city: City) -> list[tuple[str, float]]:
    answer = city.get("/v1/export", dataset=GARAGES, format="csv")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
        rows = csv.DictReader(io.StringIO(archive.read(name).decode()))
        return [(row["phenomenon_time"], float(row["result"])) for row in rows]


def test_suppressed_hours_are_judged_whole(city: City) -> None:
    cycles = "urn:dmi:dataset:gemeente:cycles"
    city.law(Dataset(cycles, OWNER, {"nl": "x"}))
    city.agree(cycles, "dmi:process")
    city.agree(cycles, "dmi:read", duty=[rule("dmi:suppress", minimumGroup=3)])
    area = {"type": "Polygon", "coordinates": [[[5, 52], [5.2, 52], [5.2, 52.2], [5, 52.2], [5, 52]]]}
    city.lay_down(Feature("BU1", "neighbourhood", "a", area))
    city.tell(cycles, thing("c.one"), stream("c.one.occupancy"))
    times = [NOON + number * 10 * MINUTE for number in range(12)]
    people = [f"urn:dmi:person:p{n}" for n in (1, 2, 3, 1, 2, 3, 1, 1, 1, 2, 2, 2)]
    city.hand_in(
        ObservationBatch(
            cycles, ["c.one.occupancy"] * 12, times, [float(n) for n in range(12)], subject=people
        )
    )
    path = "/v1/datastreams/c.one.occupancy/observations"
    whole = pages(city, path, 10_000)
    assert [result for _, result in whole] == [float(n) for n in range(6)], (
        "in the second hour there are two persons"
    )
    for limit in range(1, 13):
        assert pages(city, path, limit) == whole, limit


def within(west: float, east: float) -> dict[str, Any]:
    return {
        "leftOperand": "spatial",
        "operator": "isPartOf",
        "rightOperand": {"dmi:bbox": [west, 52.0, east, 53.0]},
    }


def since(at: int) -> int:
    return (clock.now() - at) // 1_000_000


BIKES = "urn:dmi:dataset:gemeente:bikes"
SHOWN = 5
"""Rows of the first minutes pass; those after them do not."""


def moving_bike(city: City, **terms: Any) -> None:
    """A bicycle that Noor rides in the west, then Sam in the east; Sam has consented to the platform alone."""
    city.law(Dataset(BIKES, OWNER, {"nl": "x"}, personal=True))
    city.agree(BIKES, "dmi:process", "dmi:read", basis="consent")
    city.agree(BIKES, "dmi:read", assignee=VENDOR, basis="consent", **terms)
    for rider in (NOOR, SAM):
        city.agree(BIKES, "dmi:process", "dmi:read", assigner=rider, basis="consent")
    city.agree(BIKES, "dmi:read", assigner=NOOR, assignee=VENDOR, basis="consent")
    if terms:
        city.agree(BIKES, "dmi:read", assigner=SAM, assignee=VENDOR, basis="consent")
    square = [[5, 52], [5.2, 52], [5.2, 52.2], [5, 52.2], [5, 52]]
    city.lay_down(Feature("BU1", "neighbourhood", "a", {"type": "Polygon", "coordinates": [square]}))
    city.tell(BIKES, stream("bike.1.speed", "speed", "km/h"))
    rows = 2 * SHOWN
    city.hand_in(
        ObservationBatch(
            BIKES,
            ["bike.1.speed"] * rows,
            [NOON + row * MINUTE for row in range(rows)],
            [float(row) for row in range(rows)],
            [5.01 + row * 0.01 for row in range(rows)],
            [52.1] * rows,
            [NOOR] * SHOWN + [SAM] * SHOWN,
        )
    )
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))


@pytest.mark.parametrize(
    ("terms", "seen"),
    [
        (lambda: {}, SHOWN),
        (lambda: {"constraint": [within(5.0, 5.055)]}, SHOWN),
        (lambda: {"duty": [rule("dmi:delay", seconds=since(NOON + (2 * SHOWN - 1) * MINUTE // 2))]}, SHOWN),
        (lambda: {"duty": [rule("dmi:suppress", minimumGroup=3)]}, 0),
        (lambda: {"duty": [rule("dmi:aggregate", window=600, gridSize=100), rule("dmi:suppress", minimumGroup=2)]}, 0),
    ],
    ids=["consent", "area", "delay", "suppress", "aggregate"],
)  # fmt: skip
def test_pages_of_one_do_not_find_the_rows_that_a_duty_hides(
    city: City, terms: Callable[[], dict[str, Any]], seen: int
) -> None:
    moving_bike(city, **terms())
    found = []
    for row in range(2 * SHOWN):
        span = {"from": to_text(NOON + row * MINUTE), "to": to_text(NOON + (row + 1) * MINUTE)}
        answer = city.get("/v1/datastreams/bike.1.speed/observations", limit=1, **span).json()
        found.append((bool(answer["items"]), answer["next"] is not None))
    assert found == [(True, True)] * seen + [(False, False)] * (2 * SHOWN - seen)
    whole = city.get("/v1/datastreams/bike.1.speed/observations", limit=SHOWN + 1).json()
    assert (len(whole["items"]), whole["next"]) == (seen, None)


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        (lambda: rule("dmi:delay", seconds=since(NOON + 5 * MINUTE // 2)), 3),
        (lambda: rule("dmi:delay", seconds=since(NOON) + 60), 0),
        (lambda: rule("dmi:cutEnds", distance=200), 0),
        (lambda: rule("dmi:suppress", minimumGroup=3), 0),
    ],
    ids=["delay", "long delay", "cut", "suppress"],
)
def test_pages_of_one_do_not_find_the_rows_that_a_consent_holds_back(
    city: City, own: Callable[[], dict[str, Any]], seen: int
) -> None:
    """Else a recipient could count what a person made within the delay of her own consent."""
    moving_bike(city)
    path = "/v1/datastreams/bike.1.speed/observations"
    assert len(pages(city, path, 1)) == SHOWN, "those of Noor"
    for state in list(city.runtime.law.table.agreements.values()):
        if state.document["assigner"] == NOOR and state.document["assignee"] == VENDOR:
            city.end(state)
    city.agree(BIKES, "dmi:read", assigner=NOOR, assignee=VENDOR, basis="consent", duty=[own()])
    city.agree(BIKES, "dmi:read", assigner=SAM, assignee=VENDOR, basis="consent")
    expected = (
        []
        if own()["action"] == "dmi:suppress"
        else [float(row) for row in range(2 * SHOWN) if not seen <= row < SHOWN]
    )
    found = []
    cursor: dict[str, Any] = {}
    while True:
        answer = city.get(path, limit=1, **cursor).json()
        found.append([item["result"] for item in answer["items"]])
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert [result for page in found for result in page] == expected
    assert all(found[:-1]), "a page for rows that do not pass"


def test_a_part_of_an_hour_that_is_judged_whole_by_consents_can_be_asked_for(city: City) -> None:
    moving_bike(city, duty=None)
    for rider in (NOOR, SAM):
        together = [rule("dmi:suppress", minimumGroup=2)]
        city.agree(BIKES, "dmi:read", assigner=rider, assignee=VENDOR, basis="consent", duty=together)
    span = {"from": to_text(NOON + 2 * MINUTE), "to": to_text(NOON + 4 * MINUTE)}
    found = pages(city, "/v1/datastreams/bike.1.speed/observations", 1, **span)
    assert [result for _, result in found] == [2.0, 3.0], "in the hour there are two persons"


@pytest.mark.parametrize("ends", [False, True])
def test_each_row_is_judged_by_where_its_thing_stood_then(city: City, ends: bool) -> None:
    """In history and export, also where the thing has moved into the area, or out of it."""
    city.agree(GARAGES, "dmi:process", "dmi:read", "dmi:export")
    places = [5.3, 5.1] if ends else [5.1, 5.3]
    for row, longitude in enumerate(places):
        city.tell(GARAGES, thing("garages.centrum", longitude), stream(STREAM, capacity=100))
        city.hand_in(ObservationBatch(GARAGES, [STREAM], [NOON + row * MINUTE], [longitude]))
    assert [result for _, result in pages(city, HISTORY, 1)] == places
    items = city.get(HISTORY).json()["items"]
    assert [item["longitude"] for item in items] == places
    city.agree(GARAGES, "dmi:read", "dmi:export", assignee=VENDOR, constraint=[within(5.0, 5.2)])
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    assert [result for _, result in pages(city, HISTORY, 1)] == [5.1]
    assert [result for _, result in exported(city)] == [5.1]
    newest = city.get("/v1/latest", dataset=GARAGES).json()["items"]
    assert [item["result"] for item in newest] == ([5.1] if ends else [])


def test_who_is_served_is_recorded_for_the_rows_of_the_page_alone(city: City) -> None:
    moving_bike(city, duty=[rule("dmi:suppress", minimumGroup=2)])
    city.records.clear()
    answer = city.get("/v1/datastreams/bike.1.speed/observations", limit=1)
    assert len(answer.json()["items"]) == 2 * SHOWN, "a whole hour"
    delivered = [r.rows for r in city.records if isinstance(r, DecisionRecord) and r.subjects]
    assert delivered == [2 * SHOWN]


def test_of_means_those_alone_are_told_whose_rows_are_in_one_that_was_given(city: City) -> None:
    """Not those in groups that are too small, nor in those of other areas: their counts would tell of these groups."""
    later = NOON + 10 * MINUTE
    west, east = 5.1, 5.3
    # Noor and Sam are a group; so are two others elsewhere; alone are Noor ten minutes later and somebody in between.
    rides = {
        NOOR: [(NOON, west), (later, west)],
        SAM: [(NOON, west)],
        **{f"urn:dmi:person:p{n}": [(NOON, place)] for n, place in enumerate((east, east, 5.2))},
    }
    means = [rule("dmi:aggregate", window=600, gridSize=1000), rule("dmi:suppress", minimumGroup=2)]
    city.law(Dataset(BIKES, OWNER, {"nl": "x"}, personal=True))
    city.agree(BIKES, "dmi:process", basis="consent")
    city.agree(BIKES, "dmi:read", basis="consent", duty=means)
    for number, (rider, rows) in enumerate(rides.items()):
        city.law(Participant(rider, rider, [], rulebook=city.runtime.rulebook.version))
        city.agree(BIKES, "dmi:process", "dmi:read", assigner=rider, basis="consent")
        name, count = f"bike.{number}.speed", len(rows)
        city.tell(BIKES, stream(name, "speed", "km/h"))
        times, longitudes = (list(column) for column in zip(*rows, strict=True))
        ride = ObservationBatch(BIKES, [name] * count, times, [1.0] * count, longitudes, [52.1] * count)
        city.hand_in(msgspec.structs.replace(ride, subject=[rider] * count))
    city.identity = Identity(STACK, "Operator", frozenset({"dmi:role:operator"}))
    city.records.clear()
    assert len(pages(city, "/v1/datastreams/bike.0.speed/observations", 100)) == 1
    delivered = [(r.rows, r.subjects) for r in city.records if isinstance(r, DecisionRecord) and r.subjects]
    assert delivered == [(2, [NOOR, SAM])]


def test_the_means_of_a_moving_sensor_are_those_of_where_it_was_in_each_window(city: City) -> None:
    """Not those of every area that it was in at any time: pages of one window would tell others."""
    city.agree(GARAGES, "dmi:process")
    city.agree(GARAGES, "dmi:read", duty=[rule("dmi:aggregate", window=600, gridSize=1000)])
    city.tell(GARAGES, stream("bus.occupancy"), thing("g.w", 5.1), stream("g.w.occupancy"))
    city.tell(GARAGES, thing("g.e", 5.2), stream("g.e.occupancy"))
    times = [NOON, NOON + 10 * MINUTE]
    for name, value in (("g.w", 100.0), ("g.e", 1000.0)):
        city.hand_in(ObservationBatch(GARAGES, [f"{name}.occupancy"] * 2, times, [value, value]))
    city.hand_in(ObservationBatch(GARAGES, ["bus.occupancy"] * 2, times, [0.0, 0.0], [5.1, 5.2], [52.1] * 2))
    path = "/v1/datastreams/bus.occupancy/observations"
    whole = pages(city, path, 100)
    assert whole == [(to_text(times[0]), 50.0), (to_text(times[1]), 500.0)]
    assert pages(city, path, 1) == whole
