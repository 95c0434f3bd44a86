"""Whose things are told: those of a row that passes, and inside an area where rows are kept to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra import clock
from dmi_infra.identity import Identity
from dmi_platform.store import Store

from .conftest import BICYCLES, GARAGES, MINUTE, NOON, NOOR, SAM, STACK, VENDOR, City, stream, thing

PUBLIC_TASK = "dmi:purpose:public-task"
KINDS = ("thing", "datastream", "area")


def rule(action: str, **parameters: int) -> dict[str, Any]:
    tests = [
        {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
        for name, value in parameters.items()
    ]
    return {"action": action, "constraint": tests}


def within(west: float, east: float) -> dict[str, Any]:
    box = {"dmi:bbox": [west, 52.0, east, 53.0]}
    return {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": box}


def since(at: int) -> int:
    return (clock.now() - at) // 1_000_000


def told(city: City, dataset: str = BICYCLES, limit: int = 1000) -> set[str]:
    """The ids of all things that are told, by every route."""
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    found: set[str] = set()
    asked: list[tuple[str, str, dict[str, Any]]] = [("/v1/datastreams", "items", {})]
    asked += [("/v1/features", "features", {"kind": kind}) for kind in KINDS]
    for path, member, more in asked:
        cursor: dict[str, Any] = {}
        while True:
            answer = city.get(path, PUBLIC_TASK, dataset=dataset, limit=limit, **more, **cursor)
            assert answer.status_code == 200, answer.text
            found |= {item["id"] for item in answer.json()[member]}
            if answer.json()["next"] is None:
                break
            cursor = {"cursor": answer.json()["next"]}
    return found


def rides(city: City, own: list[dict[str, Any]] | None = None, **terms: Any) -> None:
    """Noor rides in the west and Sam, a minute later, in the east; both consent to the vendor, Noor under ``own``."""
    city.agree(BICYCLES, "dmi:process", "dmi:read", basis="consent")
    city.agree(BICYCLES, "dmi:read", assignee=VENDOR, basis="consent", **terms)
    for person, duty in ((NOOR, own), (SAM, None)):
        city.agree(BICYCLES, "dmi:process", "dmi:read", assigner=person, basis="consent")
        city.agree(BICYCLES, "dmi:read", assigner=person, assignee=VENDOR, basis="consent", duty=duty)
    for row, (name, person) in enumerate((("noor", NOOR), ("sam", SAM))):
        city.tell(
            BICYCLES,
            Feature(f"bike.{name}", "thing", f"Fiets van {name}"),
            stream(f"bike.{name}.pm2_5", "pm2_5", "ug/m3"),
        )
        names, place = [f"bike.{name}.pm2_5"], [5.1 + row * 0.2]
        city.hand_in(ObservationBatch(BICYCLES, names, [NOON + row * MINUTE], [1.0], place, [52.1], [person]))


SEEN = {name: {f"bike.{name}", f"bike.{name}.pm2_5"} for name in ("noor", "sam")}


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        (lambda: {}, ("noor", "sam")),
        (lambda: {"constraint": [within(5.0, 5.2)]}, ("noor",)),
        (lambda: {"duty": [rule("dmi:delay", seconds=since(NOON + MINUTE // 2))]}, ("noor",)),
        (lambda: {"duty": [rule("dmi:suppress", minimumGroup=3)]}, ()),
        (lambda: {"own": [rule("dmi:delay", seconds=since(NOON) + 3600)]}, ("sam",)),
    ],
    ids=["consent", "area", "delay", "suppress", "own delay"],
)  # fmt: skip
@pytest.mark.parametrize("limit", [1, 1000])
def test_persons_sensors_are_told_to_who_gets_a_row_of_them(
    city: City, terms: Callable[[], dict[str, Any]], names: tuple[str, ...], limit: int
) -> None:
    rides(city, **terms())
    assert told(city, limit=limit) == set().union(*(SEEN[name] for name in names))


@pytest.mark.parametrize("whose", ["agreement", "consent"])
def test_what_is_delayed_is_told_by_a_row_that_has_waited(city: City, whose: str) -> None:
    delayed = [rule("dmi:delay", seconds=since(NOON + 10 * MINUTE))]
    rides(
        city,
        own=delayed if whose == "consent" else None,
        **({"duty": delayed} if whose == "agreement" else {}),
    )
    names = ["bike.noor.pm2_5"]
    city.hand_in(ObservationBatch(BICYCLES, names, [NOON + 20 * MINUTE], [2.0], [5.1], [52.1], [NOOR]))
    assert told(city) == SEEN["noor"] | SEEN["sam"], "the rows of noon may be seen"


@pytest.mark.parametrize("limit", [1, 1000])
def test_where_rows_are_kept_to_an_area_things_outside_are_not_named(garages: City, limit: int) -> None:
    garages.tell(
        GARAGES,
        thing("garages.ver", 5.3),
        stream("garages.ver.occupancy"),
        stream("garages.new.occupancy"),
        stream("bus.occupancy"),
        *(
            Feature(f"area.{at}", "area", str(at), {"type": "Point", "coordinates": [at, 52.1]})
            for at in (5.1, 5.3)
        ),
    )
    garages.hand_in(
        ObservationBatch(GARAGES, ["bus.occupancy"] * 2, [NOON, NOON + 1], [1.0] * 2, [5.3, 5.1], [52.1] * 2)
    )
    garages.agree(GARAGES, "dmi:read", assignee=VENDOR, constraint=[within(5.0, 5.2)])
    inside = {f"garages.{name}{kind}" for name in ("centrum", "pr-noord") for kind in ("", ".occupancy")}
    assert told(garages, GARAGES, limit) == inside | {"bus.occupancy", "area.5.1"}


def test_a_delay_alone_hides_no_names_of_what_is_not_of_persons(garages: City) -> None:
    garages.agree(GARAGES, "dmi:read", assignee=VENDOR, duty=[rule("dmi:delay", seconds=since(NOON))])
    assert len(told(garages, GARAGES)) == 4


def test_a_page_of_features_reads_the_rows_of_its_own_things_alone(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    rides(city)
    city.tell(BICYCLES, Feature("area.1", "area", "Wijk"))
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    read: list[list[int]] = []
    newest = Store.newest

    def noted(store: Store, keys: Sequence[int], *more: Any) -> Any:
        read.append(list(keys))
        return newest(store, keys, *more)

    monkeypatch.setattr(Store, "newest", noted)

    def page(kind: str, **more: Any) -> Any:
        read.clear()
        return city.get("/v1/features", PUBLIC_TASK, dataset=BICYCLES, kind=kind, limit=1, **more).json()

    assert page("area")["features"] == []
    assert [key for keys in read for key in keys] == [], "an area has no datastream"
    first = page("thing")
    assert [one["id"] for one in first["features"]] == ["bike.noor"]
    second = page("thing", cursor=first["next"])
    assert [one["id"] for one in second["features"]] == ["bike.sam"]
    assert [len(keys) for keys in read] == [1], "behind the first thing there is one"


def test_the_owner_is_told_of_all(city: City) -> None:
    city.law(Dataset(BICYCLES, VENDOR, {"nl": "Fietsen"}, personal=True))
    city.agree(
        BICYCLES,
        "dmi:process",
        "dmi:read",
        assigner=VENDOR,
        basis="consent",
        duty=[rule("dmi:suppress", minimumGroup=3)],
    )
    for person in (NOOR, SAM):
        city.agree(BICYCLES, "dmi:process", "dmi:read", assigner=person, basis="consent")
        city.agree(BICYCLES, "dmi:read", assigner=person, assignee=VENDOR, basis="consent")
    city.tell(BICYCLES, Feature("bike.noor", "thing", "Fiets"), stream("bike.noor.pm2_5", "pm2_5", "ug/m3"))
    assert told(city) == SEEN["noor"]


@pytest.mark.parametrize("limit", [1, 1000])
def test_the_owner_is_told_no_more_of_who_withdrew(city: City, limit: int) -> None:
    city.law(Dataset(BICYCLES, VENDOR, {"nl": "Fietsen"}, personal=True))
    means = [rule("dmi:suppress", minimumGroup=3)]
    city.agree(BICYCLES, "dmi:process", assigner=VENDOR, basis="consent")
    city.agree(BICYCLES, "dmi:read", assigner=VENDOR, basis="consent", duty=means)
    consents = []
    for name, person in (("noor", NOOR), ("sam", SAM)):
        for assignee in (STACK, VENDOR):
            terms: Any = {"assigner": person, "assignee": assignee, "basis": "consent"}
            consents.append(city.agree(BICYCLES, "dmi:process", "dmi:read", **terms))
        names = [f"bike.{name}.pm2_5"]
        city.tell(BICYCLES, Feature(f"bike.{name}", "thing", "Fiets"), stream(*names, "pm2_5", "ug/m3"))
        city.hand_in(ObservationBatch(BICYCLES, names, [NOON], [1.0], [5.1], [52.1], [person]))
    assert told(city, limit=limit) == SEEN["noor"] | SEEN["sam"], "whatever means the agreement asks for"
    for mine in consents[:2]:
        city.end(mine)
    assert told(city, limit=limit) == SEEN["sam"]


@pytest.mark.parametrize("column", ["observed_property", "unit"])
def test_what_rows_lose_is_told_by_no_list_of_what_measures_them(city: City, column: str) -> None:
    left_out = {"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": [column]}
    city.agree(GARAGES, "dmi:process", "dmi:read")
    city.agree(
        GARAGES, "dmi:read", assignee=VENDOR, duty=[{"action": "dmi:leaveOut", "constraint": [left_out]}]
    )
    named = msgspec.structs.replace(stream("garages.a.occupancy"), name="Garage A occupancy")
    city.tell(GARAGES, thing("garages.a"), named)
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))

    def listed(**wanted: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for about in ({"dataset": GARAGES}, {}):
            items += city.get("/v1/datastreams", PUBLIC_TASK, **about, **wanted).json()["items"]
        return items

    one, other = listed()
    assert one == other
    [feature] = city.get("/v1/features", PUBLIC_TASK, dataset=GARAGES, kind="datastream").json()["features"]
    assert (one[column], column in one["properties"], column in feature["properties"]) == (None, False, False)
    hidden = column == "observed_property"
    names = {one["name"], feature["properties"]["name"]}
    assert names == {"Garage A" if hidden else "Garage A occupancy"}
    assert len(listed(property="occupancy")) == (0 if hidden else 2)
