"""Pages give together what one page gives, also where a duty judges the rows of a window together."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import Aggregate, Delay, Duty, Suppress
from dmi_agreements.duties import window
from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused
from dmi_platform import paging
from dmi_platform.model import Cursor
from dmi_platform.store import Table

from .conftest import GARAGES, MINUTE, NOON, OWNER, stream, thing

if TYPE_CHECKING:
    from .conftest import City

WINDOW = 60
STREAM = "garages.centrum.occupancy"
HISTORY = f"/v1/datastreams/{STREAM}/observations"


class Rows:
    """A datastream in memory, read as the store reads."""

    def __init__(self, keys: list[tuple[int, str]]) -> None:
        self.keys = sorted(keys)

    def __call__(self, begin: int, end: int, after: Cursor | None, limit: int) -> Table:
        behind = (after.time, after.source_id) if after else (-1, "")
        found = [key for key in self.keys if begin <= key[0] < end and key > behind][:limit]
        return Table([1] * len(found), {"time": [t for t, _ in found], "source_id": [s for _, s in found]})


def windows(read: Rows, begin: int, end: int, limit: int, length: int | None) -> list[list[list[int]]]:
    """The windows of each page, each with its times."""
    pages: list[list[list[int]]] = []
    after: Cursor | None = None
    while True:
        table, after = paging.page(read, begin, end, after, limit, length)
        groups: dict[int, list[int]] = {}
        for time in table.columns["time"]:
            groups.setdefault(time // (length or 1), []).append(time)
        pages.append(list(groups.values()))
        if after is None:
            return pages


KEYS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["", "a", "b"])), unique=True, max_size=80)


@settings(max_examples=300, deadline=None)
@given(
    KEYS,
    st.integers(0, 400),
    st.integers(1, 400),
    st.integers(1, 30),
    st.sampled_from([None, 1, 7, WINDOW, 500]),
)
def test_pages_of_any_size_give_the_same_windows_as_one_page(
    keys: list[tuple[int, str]], begin: int, span: int, limit: int, length: int | None
) -> None:
    read = Rows(keys)
    (whole,) = windows(read, begin, begin + span, 10_000, length)
    pages = windows(read, begin, begin + span, limit, length)
    if length is None:
        assert [t for page in pages for group in page for t in group] == [t for group in whole for t in group]
        assert all(sum(map(len, page)) <= limit for page in pages)
        return
    assert [group for page in pages for group in page] == whole
    full = [t for t, _ in read.keys if begin <= t // length * length < begin + span]
    assert [t for group in whole for t in group] == full, "windows are whole, whatever span was asked for"


def test_a_window_of_too_many_rows_is_refused_rather_than_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "WINDOW_ROWS", 5)
    with pytest.raises(InputRefused, match="more than 5 rows"):
        paging.page(Rows([(t, "") for t in range(20)]), 0, 100, None, 3, 60)


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
    city.tell(cycles, Feature("BU1", "neighbourhood", "a", area), thing("c.one"), stream("c.one.occupancy"))
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
