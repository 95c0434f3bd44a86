"""A resident takes the own measurements along, also after the owner has stopped the layer; in both deployments."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dmi_command.errors import AnswerRefused
from tests.stack_plugin import ROOT, Stack, environment

BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
LAYER = "urn:dmi:participant:stack"
VIEW = f"/platform/v1/latest?dataset={BICYCLES}"


@contextmanager
def bicycles_stopped(stack: Stack) -> Iterator[None]:
    """The layer's agreement about the bicycles has ended everywhere; it is concluded anew afterwards."""
    with stack.demo("officer") as officer, stack.demo("operator") as operator, stack.demo("resident") as noor:
        items = officer.get("/exchange/v1/agreements", dataset=BICYCLES, state="active")["items"]
        agreement = next(item for item in items if item["assignee"] == LAYER)

        def viewed() -> bool:
            try:
                noor.get(VIEW)
            except AnswerRefused:
                return False
            return True

        officer.post(f"/exchange/v1/agreements/{agreement['id']}/end", {"reason": "proef"})
        _until_it_is(viewed, False)
        yield
        document = {name: value for name, value in agreement["document"].items() if name != "uid"}
        again = officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
        operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})
        _until_it_is(viewed, True)


def _until_it_is(found: Callable[[], bool], wanted: bool) -> None:
    limit = time.monotonic() + 10
    while found() is not wanted:
        assert time.monotonic() < limit
        time.sleep(0.05)


def things(archive: bytes) -> set[str]:
    """The bicycles that rows of an export are of."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert "ended.json" not in found.namelist()
        rows = csv.DictReader(io.TextIOWrapper(found.open("observations.csv")))
        return {row["datastream"].rpartition(".")[0] for row in rows}


def test_the_copy_holds_own_rows_alone_and_outlives_the_agreement_of_the_layer(stack: Stack) -> None:
    with stack.demo("resident") as noor, stack.demo("officer") as officer:
        path = f"/platform/v1/export?dataset={BICYCLES}"
        before = noor.get_bytes(path)
        assert things(before) == {"bicycle-air.bicycle-1"}
        with bicycles_stopped(stack):
            assert things(noor.get_bytes(path)) == {"bicycle-air.bicycle-1"}
            with pytest.raises(AnswerRefused) as refused:
                officer.get_bytes(path)
        assert refused.value.status == 403
        time.sleep(0.5)
        log = noor.get("/exchange/v1/log", newest=True, limit=50, dataset=BICYCLES)["items"]
        own = [one for one in log if one["crossing"] == "export"]
        assert {(one["assignee"], one["action"], one["allowed"]) for one in own} == {
            ("urn:dmi:person:noor", "dmi:export", True)
        }
        assert any(one["rows"] for one in own)


def test_the_command_writes_the_same_copy(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "mine.zip"
    command = [sys.executable, "-m", "dmi_command", "export", BICYCLES, str(file), "--as", "resident"]
    with bicycles_stopped(stack):
        done = subprocess.run(
            [*command, "--url", stack.url], env=environment({"COLUMNS": "300"}), cwd=ROOT,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(file) in done.stdout
    assert things(file.read_bytes()) == {"bicycle-air.bicycle-1"}
