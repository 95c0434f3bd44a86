"""What lineage tells of persons: to each what rests on its own data, and to nobody who measures or withdrew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_exchange import present
from dmi_exchange.insight import Insight
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.identity import Identity
from dmi_infra.sql import migrate, open_engine
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, RESIDENT, SELLING, Who
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOOR, OWNER, VENDOR, document

SAM = "urn:dmi:person:sam"
RIDING = Who(SAM, (RESIDENT,))
CAMERAS = "urn:dmi:dataset:gemeente:cameras"
FORECAST = "forecast:bicycle"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    made = Store(engine)
    for name, basis in ((BICYCLES, ""), (CAMERAS, "dmi:basis:public-task")):
        put(made, Dataset(name, OWNER, {}, personal=True, basis=basis))
    put(made, Dataset(GARAGES, OWNER, {}))
    yield made
    engine.dispose()


def put(store: Store, item: Dataset | AgreementState) -> None:
    store.settle(type(item), item.id, lambda _known: item)


def agreed(store: Store, assigner: str, assignee: str, dataset: str) -> str:
    text = document(assigner, assignee, dataset, ["dmi:read"])
    put(store, AgreementState(text["uid"], text, "active", concluded_at=clock.now()))
    return str(text["uid"])


def withdrawn(store: Store, consent: str) -> None:
    state = store.get(AgreementState, consent)
    assert state is not None
    put(store, replace(state, state="ended", ended_at=clock.now()))


def keep(store: Store, *made: Lineage) -> None:
    store.append([], made, {})


def made(result: str, kind: str, grounds: Grounds) -> Lineage:
    return Lineage(result, kind, result, clock.now(), grounds)


def sensor(name: str, dataset: str, *consents: str) -> Lineage:
    """The data of one datastream, as the platform tells of it."""
    return made(name, "figure", Grounds([dataset], [], list(consents), [dataset]))


@pytest.fixture
def consents(store: Store) -> list[str]:
    """Of Noor and of Sam: under the data of both, their own sensors', and a forecast of both."""
    both = [agreed(store, person, "urn:dmi:party:everyone", BICYCLES) for person in (NOOR, SAM)]
    under = Grounds([BICYCLES], [agreed(store, OWNER, VENDOR, BICYCLES)], both)
    keep(
        store,
        made(BICYCLES, "figure", under),
        made(FORECAST, "forecast", under),
        sensor("bike.noor", BICYCLES, both[0]),
        sensor("bike.sam", BICYCLES, both[1]),
    )
    return both


def insight(store: Store, who: Who) -> Insight:
    return Insight(store, Identity(who.participant, "Ans", frozenset(who.roles)))


def law(store: Store) -> present.Law:
    found = (partial(store.get, Dataset), partial(store.get, AgreementState), store.result)
    return present.Law(*found, lambda _dataset: 0)


def told(store: Store, who: Who, ground: str = BICYCLES, limit: int = 200) -> dict[str, bool]:
    """What somebody is told that rests on a ground, and whether that fell."""
    found = store.dependents(ground, limit, insight(store, who).may)
    return {item.result: present.withdrawn(item, law(store)) for item in found}


def counted(store: Store, who: Who, result: str) -> Any:
    found = store.result(result)
    assert found is not None
    shown = present.lineage(found, law(store), insight(store, who).consents(found))
    return shown["grounds"].get("consents")


@pytest.mark.usefixtures("consents")
def test_the_sensors_of_persons_are_told_to_each_of_them_alone(store: Store) -> None:
    for who, sensors in (
        (OFFICER, set()), (SELLING, set()), (LIVING, {"bike.noor"}), (RIDING, {"bike.sam"}),
        (OPERATING, {"bike.noor", "bike.sam"}),
    ):  # fmt: skip
        assert set(told(store, who)) == {BICYCLES, FORECAST, *sensors}, who


def test_a_consent_is_no_agreement_on_the_data_of_others(store: Store, consents: list[str]) -> None:
    hers, his = consents
    keep(store, made("forecast:sam", "forecast", Grounds([BICYCLES], [], [his])))
    assert "forecast:sam" in told(store, RIDING)
    assert "forecast:sam" not in told(store, LIVING)
    assert set(told(store, LIVING, hers)) == {BICYCLES, FORECAST, "bike.noor"}


def test_that_somebody_withdrew_is_counted_for_that_person_and_the_operator_alone(
    store: Store, consents: list[str]
) -> None:
    def each() -> list[Any]:
        return [counted(store, who, BICYCLES) for who in (OFFICER, SELLING, LIVING, RIDING, OPERATING)]

    def standing(active: int, ended: int) -> dict[str, int]:
        return {"active": active, "withdrawn": ended}

    assert each() == [None, None, standing(1, 0), standing(1, 0), standing(2, 0)]
    withdrawn(store, consents[0])
    assert each() == [None, None, standing(0, 1), standing(1, 0), standing(1, 1)]


def test_a_withdrawal_marks_what_was_made_of_it_and_not_the_data_of_the_others(
    store: Store, consents: list[str]
) -> None:
    withdrawn(store, consents[0])
    shared = {BICYCLES: False, FORECAST: True}
    assert told(store, OFFICER) == told(store, SELLING) == shared
    assert told(store, LIVING) == {**shared, "bike.noor": True}
    assert told(store, RIDING) == {**shared, "bike.sam": False}
    assert told(store, OPERATING) == {**shared, "bike.noor": True, "bike.sam": False}


def test_the_sensors_of_persons_on_another_basis_than_consent_are_told_to_the_operator_alone(
    store: Store,
) -> None:
    agreed(store, OWNER, VENDOR, CAMERAS)
    # What the support centre says of a place is a figure too, and of no datastream.
    place = made("crowd:market", "figure", Grounds([CAMERAS]))
    keep(store, made(CAMERAS, "figure", Grounds([CAMERAS])), place, sensor("camera.1", CAMERAS))
    for who in (OFFICER, SELLING):
        assert set(told(store, who, CAMERAS)) == {CAMERAS, "crowd:market"}
    assert "camera.1" in told(store, OPERATING, CAMERAS)


@pytest.mark.usefixtures("consents")
def test_what_is_of_consents_stays_hidden_when_its_dataset_is_said_to_be_about_nobody(store: Store) -> None:
    put(store, Dataset(BICYCLES, OWNER, {}))
    assert set(told(store, OFFICER)) == {BICYCLES, FORECAST}


def test_the_sensors_of_other_data_are_told_to_whoever_may_see_it(store: Store) -> None:
    agreed(store, OWNER, VENDOR, GARAGES)
    keep(store, sensor("garage.1", GARAGES))
    assert set(told(store, SELLING, GARAGES)) == set(told(store, OFFICER, GARAGES)) == {"garage.1"}
    assert told(store, LIVING, GARAGES) == {}


def test_what_is_hidden_takes_no_place_from_what_is_told(store: Store, consents: list[str]) -> None:
    keep(store, *(sensor(f"bike.{number}", BICYCLES, consents[1]) for number in range(600)))
    assert len(told(store, LIVING, limit=2)) == 2
    assert set(told(store, LIVING, limit=3)) == {BICYCLES, FORECAST, "bike.noor"}
