"""An erasure reaches what ingest keeps by itself: rejected rows and the files of imports that broke off."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import SubjectRequest
from dmi_infra import clock
from dmi_ingest import erasing
from dmi_ingest.erasing import FILES_DELETED, ROWS_DELETED, Erasing, numbered
from dmi_ingest.imports import WITHDRAWN
from dmi_ingest.store import ImportStore
from dmi_ingest.store.persons import names
from tests.unit.infra.fakes import eventually
from tests.unit.ingest.fakes import BICYCLES, GARAGES, Node, running

NAMES = (
    "entity_id,recording_timestamp,error_code,horizontal_accuracy,latitude,longitude,version_major,pm1_0,pm2_5,pm10,"
    "temperature,humidity,pressure,voltage"
)
ME = "urn:dmi:person:snuffelfiets-351358815340515"
MINE, THEIRS = "351358815340515", "351358815340999"


def row(number: int, entity: str, temperature: str = "many") -> str:
    """One reading, whose temperature cannot be read."""
    return f"{entity},2024-11-11T08:0{number}:00,0,5000,52.1,5.1,1,3,4,5,{temperature},80,1010,100"


def hand_in(node: Node, *rows: str, dataset: str = BICYCLES) -> Any:
    files = {"file": ("cycles.csv", "\n".join([NAMES, *rows, ""]).encode(), "text/csv")}
    answer = node.call("POST", f"/v1/imports?kind=snuffelfiets&dataset={dataset}", files=files)
    return answer.json()


def asked(person: str = ME, dataset: str = BICYCLES) -> SubjectRequest:
    return SubjectRequest(f"urn:uuid:{clock.now()}", person, "erasure", dataset, clock.now())


def raws(node: Node, report: Any) -> str:
    return str(node.get(f"/v1/imports/{report['import_id']}/rejects")["items"])


def parked(node: Node, *garages: str) -> Any:
    """A file of a dataset that is not about persons, whose rows cannot be read."""
    lines = [f"{name},577,many,2016-10-04 08:59:42" for name in garages]
    text = "\n".join(["SystemCodeNumber,Capacity,Occupancy,LastUpdated", *lines, ""])
    files = {"file": ("dataset.csv", text.encode(), "text/csv")}
    return node.call("POST", f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}", files=files).json()


def owned(node: Node, name: str, person: str = ME) -> None:
    """A place of the garages that is a person's."""
    place = {
        "id": f"gemeente:garages.{name}", "kind": "thing", "name": name, "geometry": None,
        "properties": {"subject": person},
    }  # fmt: skip
    assert node.post("/v1/features", {"dataset": GARAGES, "features": [place]})["accepted"] == 1


def test_rejected_rows_of_a_person_are_gone_those_of_others_and_all_counts_stay(node: Node) -> None:
    owned(node, "oprit")
    report = parked(node, "Oprit", "Centrum")
    assert "Oprit" in raws(node, report)
    node.hear(asked("urn:dmi:person:somebody", GARAGES))
    assert "Oprit" in raws(node, report), "who asks has its own rows erased and nobody else's"
    node.hear(asked())
    assert "Oprit" in raws(node, report), "of the dataset that it names"
    node.hear(asked(dataset=GARAGES))
    assert "Oprit" not in raws(node, report)
    assert "Centrum" in raws(node, report)
    after = node.get(f"/v1/imports/{report['import_id']}")
    assert (after["rejected"], after["read"], after["detail"]) == (
        report["rejected"],
        report["read"],
        ROWS_DELETED,
    )
    assert node.gate.done[-1][1] > 0


def test_an_import_that_ran_during_the_erasure_and_is_done_keeps_no_row_of_the_person(node: Node) -> None:
    owned(node, "oprit")
    progress = ImportStore.progress
    swept: list[int] = []

    def erased_just_before(store: ImportStore, *arguments: Any) -> None:
        if not swept:
            node.hear(asked(dataset=GARAGES))
            swept.append(1)
        progress(store, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImportStore, "progress", erased_just_before)
        report = parked(node, "Oprit", "Centrum")
    assert (report["state"], report["rejected"]) == ("done", 2)
    assert "Oprit" not in raws(node, report)
    assert "Centrum" in raws(node, report)


def test_what_comes_once_more_after_an_erasure_is_withheld_and_not_kept(node: Node) -> None:
    node.hear(asked())
    report = hand_in(node, row(1, MINE, "100"))
    assert report["accepted"] == 0
    assert {one["reason"] for one in report["reasons"]} == {"erased"}
    assert MINE not in raws(node, report)


@pytest.mark.parametrize(("person", "kept"), [(ME, False), ("urn:dmi:person:snuffelfiets-35135", True)])
def test_files_of_an_import_that_broke_off_are_deleted_when_they_hold_the_person(
    node: Node, person: str, kept: bool
) -> None:
    node.gate.consenting |= {ME, "urn:dmi:person:snuffelfiets-" + THEIRS}
    hand_in(node, row(1, MINE, "100"), row(2, THEIRS, "100"))  # so that only the rows wait for the bus
    node.bus.away = True
    report = hand_in(node, row(1, MINE, "100"), row(2, THEIRS, "100"))
    assert report["resumable"]
    folder: Path = node.settings.data_dir / "imports" / report["import_id"]
    assert folder.is_dir()
    node.bus.away = False
    node.hear(asked(person))
    after = node.get(f"/v1/imports/{report['import_id']}")
    assert folder.is_dir() is kept
    assert after["resumable"] is kept
    if not kept:
        assert after["detail"] == FILES_DELETED
        assert node.call("POST", f"/v1/imports/{report['import_id']}/resume").status_code == 409


def test_an_import_is_deleted_by_whose_it_is_while_its_files_are_looked_through(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, deleted, waited = threading.Event(), threading.Event(), []

    def slowly(*_: object) -> bool:
        looking.set()
        waited.append(deleted.wait(2))
        return True

    monkeypatch.setattr(erasing, "holds", slowly)
    node.gate.consenting.add(ME)
    hand_in(node, row(1, MINE, "100"))  # so that only the rows wait for the bus
    node.bus.away = True
    report = hand_in(node, row(1, MINE, "100"))
    node.bus.away = False
    hearing = threading.Thread(target=node.hear, args=[asked()])
    hearing.start()
    assert looking.wait(5)
    path = f"/v1/imports/{report['import_id']}"
    assert node.call("DELETE", path).status_code == 204
    deleted.set()
    hearing.join()
    assert waited == [True], "it had not to wait for the erasure"
    assert node.get(path)["detail"] == WITHDRAWN


@pytest.mark.parametrize(
    ("words", "text", "named"),
    [
        (["Oprit"], '"OPRIT",577', True),
        (["oprit"], "oprit2 oprite 2oprit", False),
        (["fiets.oprit-7"], "x:fiets.oprit-7.pm10", True),
        (["fiets.oprit-7"], "fiets.oprit-70 fiets oprit-7", False),
        (["oprit-7", "oprit-71"], "oprit-71", True),
        (["-7"], "a-7 -71", False),
        (["-7"], "a,-7", True),
        (["", "-", "."], "a - .", False),
        (["één"], "huis één", True),
        (["日本"], "in 日本!", True),
        (["日本"], "日 本", False),
    ],
)
def test_a_text_names_somebody_by_a_word_that_stands_there_whole(
    words: list[str], text: str, named: bool
) -> None:
    assert names(words)(text) is named


def test_a_text_is_read_once_however_many_things_a_person_is_given() -> None:
    words = [f"{before}sensor-{number}" for before in ("", "fiets.") for number in range(2000)]
    text = "2026-05-01T12:00:00Z,fiets,52.0123,gemeente,sensor,waarde\n" * 2000
    named = names(words)
    began = time.perf_counter()
    assert not named(text)
    assert time.perf_counter() - began < 1.0
    assert named(text + words[-1])


@pytest.mark.parametrize("end", ["", ",", "1"])
def test_a_word_in_a_file_is_found_wherever_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(erasing, "CHUNK", 8)
    monkeypatch.setattr(erasing, "OVERLAP", 6)
    path, mine = tmp_path / "a.csv", names(["ab.1"])
    for before in range(20):
        for word in ("ab.1", "1ab.1", "ab.1b"):
            path.write_text("," * before + word + end)
            assert erasing.holds(mine, path) is mine(path.read_text()), path.read_text()
    path.unlink()
    assert not erasing.holds(mine, path)


def test_things_that_a_file_names_after_the_person_end_without_their_name(node: Node) -> None:
    node.gate.consenting |= {ME, "urn:dmi:person:snuffelfiets-" + THEIRS}
    hand_in(node, row(1, MINE, "100"), row(2, THEIRS, "100"))
    node.hear(asked())

    def ended() -> dict[str, Feature]:
        return {name: item for name, item in node.bus.features().items() if item.valid_to is not None}

    eventually(lambda: bool(ended()))
    told = ended()
    assert {name.split(".")[1] for name in told} == {f"bicycle-{MINE}"}
    assert len(told) == 8, "the bicycle and what it measures"
    assert {item.name for item in told.values()} == {"erased"}
    node.gate.consenting.discard(ME)
    report = hand_in(node, row(1, MINE, "100"))
    assert report["reasons"] == [{"reason": "erased", "count": 7, "rows": []}]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("snuffelfiets-2020.bicycle-2020", True),
        ("snuffelfiets-2020.bicycle-2020.pm2_5", True),
        ("snuffelfiets-2020.bicycle-7", False),
        ("snuffelfiets-2020.bicycle-12020.pm2_5", False),
        ("snuffelfiets-2020.station.2020", False),
        ("snuffelfiets-2020.hal-20.2020", False),
    ],
)
def test_the_number_of_a_rider_stands_for_its_own_bicycle_alone(name: str, theirs: bool) -> None:
    assert numbered("snuffelfiets-2020.", {"2020"}, name) is theirs


@pytest.mark.parametrize(("by", "seconds"), [("round", 0.05), ("resume", 3600.0)])
def test_a_file_that_waited_during_an_erasure_and_the_end_of_the_service_is_deleted(
    tmp_path: Path, by: str, seconds: float
) -> None:
    with running(tmp_path, retention_seconds=seconds) as node:
        node.gate.consenting.add(ME)
        hand_in(node, row(1, MINE, "100"))  # so that only the rows wait for the bus
        node.bus.away = True
        report = hand_in(node, row(1, MINE, "100"))
        address = f"/v1/imports/{report['import_id']}"
        assert report["resumable"]
        # As after a start: what was carried out while the import ran is known by the law, and not told again.
        node.feed.table.apply(asked())
        if by == "resume":
            assert node.call("POST", f"{address}/resume").status_code == 409
        eventually(lambda: not node.get(address)["resumable"])
        assert node.get(address)["detail"] == FILES_DELETED
        assert list((tmp_path / "imports").iterdir()) == []


def test_what_can_be_resumed_is_looked_through_once_for_each_who_asked_and_again_when_it_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, erase = [], Erasing.erase

    def noted(erasing: Erasing, dataset: str, person: str, until: int) -> int:
        done.append(person)
        return erase(erasing, dataset, person, until)

    monkeypatch.setattr(Erasing, "erase", noted)
    with running(tmp_path, retention_seconds=3600.0) as node:
        node.gate.consenting.add(ME.replace(MINE, THEIRS))
        hand_in(node, row(1, THEIRS, "100"))  # so that only the rows wait for the bus
        node.bus.away = True
        address = f"/v1/imports/{hand_in(node, row(1, THEIRS, '100'))['import_id']}"
        node.feed.table.apply(asked())
        for _ in range(2):
            assert node.call("POST", f"{address}/resume").json()["resumable"]
    # Before each time it was resumed, and at each end: the second time it had been looked through at the first end.
    assert done == [ME] * 3
