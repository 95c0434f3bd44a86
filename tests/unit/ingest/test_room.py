"""No participant fills the disk or the memory of a node with files: each has a share, and some room stays free."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from dmi_agreements.contracts.law import Participant
from dmi_ingest import room
from dmi_ingest.imports import Imports
from dmi_ingest.intake import Contributor
from dmi_ingest.room import FULL
from dmi_ingest.sources import SOURCES, files
from dmi_ingest.sources.port import SourceError
from dmi_ingest.store.imports import Import
from dmi_ingest.turns import Turns
from tests.unit.infra.fakes import eventually
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, VENDOR, Node, running
from tests.unit.ingest.test_imports import GOOD, HEADER, hand_in

TEXT = HEADER + GOOD
AGENT = "urn:dmi:participant:leverancier"
GATEWAY = "urn:dmi:machine:gemeente:gateway"


class Usage(NamedTuple):
    """As ``shutil.disk_usage`` answers."""

    total: int
    used: int
    free: int


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Node]:
    """A node with room for three imports, and for two files, of each participant; the bus is away."""
    with running(tmp_path, import_open=3, import_room=2 * len(TEXT) + 10) as node:
        node.gate.allowed[GARAGES].add(VENDOR)
        assert hand_in(node, TEXT).json()["state"] == "done"
        node.bus.away = True
        yield node


def folders(node: Node) -> int:
    return len(list((node.settings.data_dir / "imports").iterdir()))


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(10**12, 0, size))


def test_files_beyond_the_share_of_a_participant_are_refused_with_the_rule_and_leave_nothing(
    small: Node,
) -> None:
    lost = [hand_in(small, TEXT).json() for _ in range(2)]
    assert all(report["resumable"] for report in lost)
    answer = hand_in(small, TEXT)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:dmi:problem:too-large")
    assert f"{2 * len(TEXT) + 10} bytes together" in answer.json()["errors"][0]["rule"]
    assert folders(small) == 2
    assert hand_in(small, TEXT, who=VENDOR).json()["resumable"], "others have a share of their own"


def test_more_imports_than_a_participant_may_have_are_refused_before_their_files_are_read(
    small: Node,
) -> None:
    short = HEADER + GOOD.splitlines()[0] + "\n"
    lost = [hand_in(small, short).json() for _ in range(3)]
    assert all(report["resumable"] for report in lost)
    answer = hand_in(small, short, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:dmi:problem:too-many")
    assert "at most 3 imports" in answer.json()["errors"][0]["rule"]
    assert folders(small) == 3


def test_what_ends_or_is_deleted_makes_room(small: Node) -> None:
    first, second = (hand_in(small, TEXT).json() for _ in range(2))
    path = f"/v1/imports/{first['import_id']}"
    assert small.call("DELETE", path, who=VENDOR).status_code == 404
    assert small.call("DELETE", path).status_code == 204
    assert small.call("DELETE", path).status_code == 409
    assert (small.get(path)["resumable"], folders(small)) == (False, 1)
    assert small.call("POST", f"{path}/resume").status_code == 409
    small.bus.away = False
    assert small.call("POST", f"/v1/imports/{second['import_id']}/resume").json()["state"] == "done"
    assert folders(small) == 0
    for _ in range(5):
        assert hand_in(small, TEXT).json()["state"] == "done"


def test_the_share_holds_after_a_new_start_and_files_of_nobody_are_deleted(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        hand_in(node, TEXT)
        node.bus.away = True
        hand_in(node, TEXT)
    orphan = tmp_path / "imports" / "orphan"
    orphan.mkdir()
    (orphan / "a.csv").write_text(TEXT)
    with running(tmp_path, import_room=len(TEXT) + 10) as node:
        assert (orphan.exists(), folders(node)) == (False, 1)
        assert hand_in(node, TEXT).status_code == 413


def test_who_acts_for_many_has_one_share_and_leaves_theirs(small: Node) -> None:
    short = HEADER + GOOD.splitlines()[0] + "\n"
    small.mandate(GEMEENTE, AGENT, GARAGES)
    by_city, by_vendor = f"{GEMEENTE} {AGENT}", f"{VENDOR} {AGENT}"
    for who in (by_city, by_vendor, by_city):
        assert hand_in(small, short, who=who).json()["resumable"]
    for who in (by_city, by_vendor):
        assert hand_in(small, short, who=who).status_code == 429
    for who in (GEMEENTE, VENDOR):
        assert hand_in(small, short, who=who).json()["resumable"], "mandators keep the share that is theirs"


def test_who_began_imports_for_others_finds_and_deletes_them_as_itself_after_its_mandate_too(
    small: Node,
) -> None:
    small.feed.table.apply(Participant(AGENT, "Leverancier", [], rulebook="1.0.0"))
    small.mandate(GEMEENTE, AGENT, GARAGES)
    lost = hand_in(small, TEXT, who=f"{GEMEENTE} {AGENT}").json()["import_id"]
    small.mandate(GEMEENTE, AGENT, BICYCLES)
    (found,) = small.get("/v1/imports", who=AGENT)["items"]
    assert (found["import_id"], found["participant"], found["actor"]) == (lost, GEMEENTE, AGENT)
    path = f"/v1/imports/{lost}"
    assert small.call("DELETE", path, who=f"{GEMEENTE} {AGENT}").status_code == 403
    assert small.call("GET", path, who=AGENT).status_code == 404, "the report is its mandator's"
    assert small.call("DELETE", path, who=VENDOR).status_code == 404
    assert small.call("DELETE", path, who=AGENT).status_code == 204
    assert (small.get("/v1/imports", who=AGENT)["items"], folders(small)) == ([], 0)


def test_a_machine_has_the_share_of_whose_it_is(small: Node) -> None:
    short = HEADER + GOOD.splitlines()[0] + "\n"
    small.feed.table.apply(Participant(GATEWAY, "Gateway", [], rulebook="1.0.0", machine_of=GEMEENTE))
    small.mandate(GEMEENTE, GATEWAY, GARAGES)
    for who in (GEMEENTE, f"{GEMEENTE} {GATEWAY}", GEMEENTE):
        assert hand_in(small, short, who=who).json()["resumable"]
    for who in (GEMEENTE, f"{GEMEENTE} {GATEWAY}"):
        assert hand_in(small, short, who=who).status_code == 429


def test_whoever_resumes_an_import_has_it_in_its_own_share_after_a_new_start_too(tmp_path: Path) -> None:
    agent = f"{GEMEENTE} {AGENT}"
    with running(tmp_path, import_open=1) as node:
        node.mandate(GEMEENTE, AGENT, GARAGES)
        assert hand_in(node, TEXT).json()["state"] == "done"
        node.bus.away = True
        own, others = (hand_in(node, TEXT, who=who).json()["import_id"] for who in (GEMEENTE, agent))
        resume = f"/v1/imports/{others}/resume"
        assert node.call("POST", resume).status_code == 429, "it has its share already"
        assert node.get(f"/v1/imports/{others}")["resumable"]
        assert node.call("DELETE", f"/v1/imports/{own}").status_code == 204
        assert node.call("POST", resume).json()["resumable"]
        assert [hand_in(node, TEXT, who=who).status_code for who in (GEMEENTE, agent)] == [429, 200]
    with running(tmp_path, import_open=1) as node:
        node.mandate(GEMEENTE, AGENT, GARAGES)
        assert [hand_in(node, TEXT, who=who).status_code for who in (GEMEENTE, agent)] == [429, 429]


def test_a_disk_that_is_nearly_full_takes_no_files_and_an_import_that_runs_waits(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, node.settings.import_free - 1)
    answer = hand_in(node, TEXT)
    assert (answer.status_code, answer.json()["detail"]) == (503, FULL)
    assert folders(node) == 0
    free(monkeypatch, node.settings.import_free)
    take = node.bus.publish

    def filled(*arguments: Any, **more: Any) -> None:
        free(monkeypatch, 0)
        take(*arguments, **more)

    monkeypatch.setattr(node.bus, "publish", filled)
    report = hand_in(node, TEXT).json()
    assert (report["state"], report["resumable"], report["detail"]) == ("failed", True, FULL)
    monkeypatch.setattr(node.bus, "publish", take)
    free(monkeypatch, node.settings.import_free)
    assert node.call("POST", f"/v1/imports/{report['import_id']}/resume").json()["state"] == "done"


def test_the_operator_reads_once_a_minute_which_setting_keeps_imports_waiting_and_how_much_is_free(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 4321)
    for seconds, lines in ((1000.0, 1), (1059.0, 0), (1061.0, 1)):
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda now=seconds: now))
        with capture_logs() as logs:
            assert hand_in(node, TEXT).status_code == 503
        told = [line for line in logs if line.get("setting") == "DMI_IMPORT_FREE"]
        assert [(line["log_level"], line["free_bytes"], line["wanted_bytes"]) for line in told] == [
            ("warning", 4321, node.settings.import_free)
        ] * lines


@pytest.mark.parametrize(
    ("content", "limit"),
    [('{"features": [' + "[]," * 60 + "[]]}", "PARTS_LIMIT"), ("{" + " " * 60 + "}", "DOCUMENT_LIMIT")],
)
def test_a_document_that_would_take_too_much_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, limit: str
) -> None:
    monkeypatch.setattr(files, limit, 50)
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(SourceError, match="too_large"):
        list(SOURCES["rdw-parking"].read([path], "gemeente:garages"))


def test_parties_take_turns_and_the_work_of_each_keeps_its_order() -> None:
    turns, hold, done = Turns(1, "test"), threading.Event(), list[str]()

    def held() -> None:
        hold.wait(5)

    first = turns.submit("a", held)
    others = [
        turns.submit(name[0], partial(done.append, name)) for name in ("a1", "a2", "a3", "b1", "c1", "b2")
    ]
    hold.set()
    for future in (first, *others):
        future.result(5)
    turns.stop()
    assert sorted(done) == ["a1", "a2", "a3", "b1", "b2", "c1"]
    assert [name[0] for name in done[:3]] in (["a", "b", "c"], ["b", "c", "a"]), done
    assert done.index("b2") < done.index("a3")


def test_what_fails_in_its_turn_tells_who_waits_for_it_and_holds_up_nothing() -> None:
    turns = Turns(1, "test")

    def fails() -> None:
        raise ValueError

    failing = turns.submit("a", fails)
    turns.submit("a", lambda: None).result(5)
    with pytest.raises(ValueError, match=r"^$"):
        failing.result(5)
    turns.stop()


def test_what_waits_for_its_turn_at_the_end_is_cancelled() -> None:
    turns, hold, begun = Turns(1, "test"), threading.Event(), threading.Event()

    def held() -> None:
        begun.set()
        hold.wait(5)

    first, second = turns.submit("a", held), turns.submit("b", held)
    assert begun.wait(5)
    threading.Timer(0.05, hold.set).start()
    turns.stop()
    first.result(5)
    assert second.cancelled()
    with pytest.raises(RuntimeError):
        turns.submit("b", held)


def test_imports_of_another_participant_do_not_wait_for_all_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, order, read = threading.Event(), list[str](), Imports._read

    def held(imports: Imports, item: Import, contributor: Contributor) -> str:
        assert hold.wait(10)
        order.append(item.participant)
        return read(imports, item, contributor)

    monkeypatch.setattr(Imports, "_read", held)
    with running(tmp_path) as node:
        node.gate.allowed[GARAGES].add(VENDOR)
        begun = [hand_in(node, TEXT, headers={"Prefer": "respond-async"}) for _ in range(3)]
        begun.append(hand_in(node, TEXT, who=VENDOR, headers={"Prefer": "respond-async"}))
        assert {answer.status_code for answer in begun} == {202}
        hold.set()
        eventually(lambda: len(order) == 4)
    assert order.index(VENDOR) in (1, 2), order
