"""No participant fills the disk or the memory of a node with files: each has a share, and some room stays free."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dmi_ingest.room import FULL
from dmi_ingest.sources import SOURCES, files
from dmi_ingest.sources.port import SourceError
from tests.unit.ingest.fakes import GARAGES, VENDOR, Node, running
from tests.unit.ingest.test_imports import GOOD, HEADER, hand_in

TEXT = HEADER + GOOD


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
