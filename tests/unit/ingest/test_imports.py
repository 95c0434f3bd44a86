"""Imports: the report adds up, rejected rows come back, and what broke off is resumed."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from dmi_infra.errors import Unavailable
from dmi_infra.sql import StoreUnavailable
from dmi_ingest import rejects
from dmi_ingest.erasing import Erasing
from dmi_ingest.imports import INTERRUPTED, ROWS_DELETED, Imports
from dmi_ingest.store import ImportStore
from tests.unit.ingest.fakes import GARAGES, GEMEENTE, VENDOR, Node, running

HEADER = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
GOOD = "BHMBCCMKT01,577,61,2016-10-04 07:59:42\nBHMBCCMKT01,577,64,2016-10-04 08:25:42\n"
BAD = "BHMBCCMKT01,577,many,2016-10-04 08:59:42\n"


def hand_in(node: Node, text: str, kind: str = "birmingham-parking", who: str = "", **more: Any) -> Any:
    extra = {"who": who} if who else {}
    files = {"file": ("dataset.csv", text.encode(), "text/csv")}
    return node.call("POST", f"/v1/imports?kind={kind}&dataset={GARAGES}", files=files, **extra, **more)


def test_the_report_counts_every_row_once_and_names_the_rejected_ones(node: Node) -> None:
    report = hand_in(node, HEADER + GOOD + BAD).json()
    assert report["state"] == "done", report
    assert (report["read"], report["accepted"], report["duplicate"], report["rejected"]) == (3, 2, 0, 1)
    [reason] = report["reasons"]
    assert reason["count"] == 1
    assert reason["rows"][0] | {"field": ""} == {
        "file": "dataset.csv",
        "line": 4,
        "field": "",
        "value": "many",
    }
    assert report["batches"] == [f"{report['import_id']}/0"]
    assert {batch.batch_id for batch in node.bus.batches()} == set(report["batches"])
    assert len(node.bus.rows()) == 2
    assert node.get(f"/v1/imports/{report['import_id']}") == report
    assert [item["import_id"] for item in node.get("/v1/imports")["items"]] == [report["import_id"]]


def test_things_are_on_the_bus_before_the_rows_that_need_them(node: Node) -> None:
    hand_in(node, HEADER + GOOD)
    topics = [topic for topic, _ in node.bus.published]
    assert topics[0] == "dmi.features.v1"
    assert topics[-1] == "dmi.observations.raw.v1"


def test_a_rejected_row_is_replayed_after_its_correction(node: Node) -> None:
    report = hand_in(node, HEADER + GOOD + BAD).json()
    address = f"/v1/imports/{report['import_id']}"
    [row] = node.get(f"{address}/rejects")["items"]
    again = node.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": row["raw"]}]}).json()
    assert (again["accepted"], again["rejected"]) == (0, 1)
    raw = {name: "63" if value == "many" else value for name, value in row["raw"].items()}
    doubled = node.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}] * 2})
    assert (doubled.status_code, doubled.json()["errors"][0]["field"]) == (400, "rows.1.id")
    taken = node.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}]}).json()
    assert (taken["accepted"], taken["rejected"]) == (1, 0)
    assert [found[2] for found in node.bus.rows()] == [61.0, 64.0, 63.0]
    after = node.get(address)
    assert (after["read"], after["accepted"], after["rejected"], after["reasons"]) == (3, 3, 0, [])
    twice = node.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}]})
    assert twice.status_code == 400


def test_a_correction_without_a_single_cell_does_not_lose_the_row(node: Node) -> None:
    report = hand_in(node, HEADER + GOOD + BAD).json()
    address = f"/v1/imports/{report['import_id']}"
    [row] = node.get(f"{address}/rejects")["items"]
    right = {name: "63" if value == "many" else value for name, value in row["raw"].items()}
    for raw, status, accepted in (({}, 200, 0), ("", 400, 0), (right, 200, 1)):
        answer = node.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}]})
        assert (answer.status_code, answer.json().get("accepted", 0)) == (status, accepted), raw


def test_an_answer_before_the_end_says_where_to_look(node: Node) -> None:
    answer = hand_in(node, HEADER + GOOD, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["location"].endswith(answer.json()["import_id"])


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        (f"kind=nothing&dataset={GARAGES}", 400, "kind"),
        ("kind=birmingham-parking&dataset=urn:dmi:dataset:gemeente:new", 400, "dataset"),
    ],
)
def test_an_unknown_kind_or_dataset_is_refused(node: Node, path: str, status: int, field: str) -> None:
    answer = node.call("POST", f"/v1/imports?{path}", files={"file": ("x.csv", b"x")})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == field


def test_only_who_may_contribute_imports_and_only_the_importer_looks(node: Node) -> None:
    assert hand_in(node, HEADER + GOOD, who=VENDOR).status_code == 403
    identifier = hand_in(node, HEADER + GOOD).json()["import_id"]
    assert node.call("GET", f"/v1/imports/{identifier}", who=VENDOR).status_code == 404
    assert list((node.settings.data_dir / "imports").iterdir()) == []


def test_a_file_of_another_kind_fails_with_its_reason(node: Node) -> None:
    report = hand_in(node, "a,b\n1,2\n").json()
    assert report["state"] == "failed"
    assert not report["resumable"]
    assert "dataset.csv" in report["detail"]


def test_an_import_without_a_bus_can_be_resumed(node: Node) -> None:
    hand_in(node, HEADER + GOOD)
    node.bus.away = True
    report = hand_in(node, HEADER + GOOD).json()
    assert (report["state"], report["resumable"]) == ("failed", True)
    node.bus.away = False
    again = node.call("POST", f"/v1/imports/{report['import_id']}/resume").json()
    assert (again["state"], again["accepted"], again["read"]) == ("done", 2, 2)
    assert node.call("POST", f"/v1/imports/{report['import_id']}/resume").status_code == 409


def test_an_import_ends_before_the_batch_after_its_key_was_revoked_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, import_batch_rows=1) as node:
        hand_in(node, HEADER + GOOD)
        before, publish = len(node.bus.rows()), node.bus.publish

        def revoked_at_the_first_row(topic: str, *arguments: Any, **more: Any) -> None:
            publish(topic, *arguments, **more)
            node.names.ended.add(GEMEENTE)

        node.bus.publish = revoked_at_the_first_row  # type: ignore[method-assign]
        report = hand_in(node, HEADER + GOOD + BAD).json()
        assert len(node.bus.rows()) == before + 1
        assert (report["state"], report["resumable"], report["read"]) == ("failed", True, 1)
        assert report["detail"] == "stopped: the key that this token was given for does not count any more"
        node.names.ended.clear()
        node.bus.publish = publish  # type: ignore[method-assign]
        again = node.call("POST", f"/v1/imports/{report['import_id']}/resume").json()
        assert (again["state"], again["read"]) == ("done", 3)


def test_what_a_crash_left_running_is_marked_and_resumed(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        hand_in(node, HEADER + GOOD)  # so that only the rows wait for the bus, not the things
        node.bus.away = True
        identifier = hand_in(node, HEADER + GOOD).json()["import_id"]
        _pretend_running(node, identifier)
    with running(tmp_path) as node:
        report = node.get(f"/v1/imports/{identifier}")
        assert (report["state"], report["resumable"], report["detail"]) == ("failed", True, INTERRUPTED)
        assert node.call("POST", f"/v1/imports/{identifier}/resume").json()["state"] == "done"
        assert len(node.bus.rows()) == 2


def _pretend_running(node: Node, identifier: str) -> None:
    """The state that a killed process leaves behind."""
    with sqlite3.connect(node.settings.data_dir / "ingest.db") as connection:
        connection.execute("UPDATE import SET state = 'running' WHERE id = ?", [identifier])
    connection.close()


def test_every_kind_is_described_in_two_languages(node: Node) -> None:
    kinds = node.get("/v1/kinds")
    assert "snuffelfiets" in {kind["kind"] for kind in kinds}
    assert all(set(kind["title"]) == {"nl", "en"} for kind in kinds)
    assert {kind["most_bytes"] for kind in kinds} == {node.settings.import_limit}
    measured = {kind["kind"]: {one["name"]: one["unit"] for one in kind["properties"]} for kind in kinds}
    assert measured["amsterdam-garages"] == {"occupancy": "{vehicle}", "free_spaces": "{vehicle}"}
    assert measured["snuffelfiets"]["pm2_5"] == "ug/m3"
    assert measured["cbs-buurten"] == {}


def test_a_real_file_goes_in_whole(node: Node, real_data: Path) -> None:
    """Units are what the source counts; all of them are either taken or reported."""
    file = next((real_data / "parking").glob("*birmingham*"))
    report = hand_in(node, file.read_text()).json()
    assert report["state"] == "done", report
    assert report["read"] == report["accepted"] + report["rejected"] > 10_000
    assert len(node.bus.rows()) == report["accepted"]


def test_an_import_begins_and_its_files_go_beside_the_event_loop(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []

    def noted(method: str) -> None:
        original = getattr(Imports, method)

        def note(*arguments: Any) -> Any:
            threads.append(threading.current_thread() is threading.main_thread())
            return original(*arguments)

        monkeypatch.setattr(Imports, method, note)

    for method in ("new_folder", "begin", "discard"):
        noted(method)
    assert hand_in(node, HEADER + GOOD).json()["state"] == "done"
    assert (
        node.call("POST", f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}", "{}").status_code == 400
    )
    assert threads == [False] * 5


def test_an_import_that_the_store_does_not_take_leaves_no_files(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: Any) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(ImportStore, "begin", away)
    assert hand_in(node, HEADER + GOOD).status_code == 503
    assert list((node.settings.data_dir / "imports").iterdir()) == []


def test_of_very_many_rejected_rows_the_first_are_kept_the_others_counted_and_all_can_be_deleted(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "KEPT_ROWS", 3)
    report = hand_in(node, HEADER + GOOD + BAD * 5).json()
    address = f"/v1/imports/{report['import_id']}"
    assert (report["state"], report["rejected"], report["not_kept"]) == ("done", 5, 2)
    assert report["detail"] == "of the rejected rows the first 3 are kept; 2 more are counted alone"
    assert (report["reasons"][0]["count"], len(node.get(f"{address}/rejects")["items"])) == (3, 3)
    assert node.call("DELETE", address).status_code == 204
    after = node.get(address)
    assert (after["rejected"], after["not_kept"], after["reasons"], after["detail"]) == (
        5,
        5,
        [],
        ROWS_DELETED,
    )
    assert node.call("DELETE", address).status_code == 409


def test_what_kept_rejected_rows_hold_is_bounded_too(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "KEPT_BYTES", 1500)
    report = hand_in(node, HEADER + BAD * 5).json()
    assert (report["rejected"], report["not_kept"], report["reasons"][0]["count"]) == (5, 3, 2)


def test_an_import_whose_end_the_store_does_not_take_is_ended_once_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, away = ImportStore.end, [True]

    def sometimes(*arguments: Any, **more: Any) -> None:
        if away[0]:
            raise StoreUnavailable("the disk is full")
        end(*arguments, **more)

    monkeypatch.setattr(ImportStore, "end", sometimes)
    with running(tmp_path, import_open=1) as node:
        report = hand_in(node, HEADER + GOOD).json()
        assert report["state"] == "running"
        assert hand_in(node, HEADER + GOOD).status_code == 429
        away[0] = False
        assert hand_in(node, HEADER + GOOD).json()["state"] == "done"
        assert node.get(f"/v1/imports/{report['import_id']}")["state"] == "done"
        assert list((tmp_path / "imports").iterdir()) == []


def test_nobody_waits_while_an_import_is_looked_through_for_who_asked_for_its_erasure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free, freed = threading.Event(), threading.Event(), list[bool]()

    def long(*_arguments: Any) -> None:
        begun.set()
        freed.append(free.wait(5))

    monkeypatch.setattr(Erasing, "again", long)
    beside = {"headers": {"Prefer": "respond-async"}}
    with running(tmp_path, import_workers=2) as node:
        assert hand_in(node, HEADER + GOOD, **beside).status_code == 202
        assert begun.wait(5)
        assert hand_in(node, HEADER + GOOD, **beside).status_code == 202
        ended = node.get("/v1/imports")["items"][-1]["import_id"]
        assert node.call("DELETE", f"/v1/imports/{ended}").status_code == 409
        free.set()
    assert set(freed) == {True}


def test_who_resumes_much_at_once_has_one_import_looked_through_at_a_time(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(node, HEADER + GOOD)  # so that only the rows wait for the bus
    node.bus.away = True
    first, second = (hand_in(node, HEADER + GOOD).json()["import_id"] for _ in range(2))
    node.bus.away = False
    resume, refused = Imports.resume, list[str]()

    def resumed(imports: Imports, identifier: str, contributor: Any) -> Any:
        def meanwhile(item: Any) -> None:
            if item.id == first and not refused:
                with pytest.raises(Unavailable, match="another import of yours") as told:
                    resume(imports, second, contributor)
                refused.append(str(told.value))

        monkeypatch.setattr(imports, "ended", meanwhile)
        return resume(imports, identifier, contributor)

    monkeypatch.setattr(Imports, "resume", resumed)
    for one in (first, second):
        assert node.call("POST", f"/v1/imports/{one}/resume").json()["state"] == "done"
    assert refused


def test_the_names_of_columns_count_for_what_kept_rejected_rows_hold(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "KEPT_BYTES", 10_000)
    more = f"{HEADER.strip()},{'x' * 4000}\n" + f"{BAD.strip()},\n" * 5
    report = hand_in(node, more).json()
    assert (report["rejected"], report["not_kept"]) == (5, 3)
