"""The README's examples, run as they stand against a running stack."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.stack_plugin import EmbeddedStack

README = Path(__file__).resolve().parents[2] / "README.md"
NOISE = "urn:dmi:dataset:gemeente:geluid"


def _blocks(stack: EmbeddedStack) -> list[str]:
    """The Python blocks, at the address and with the keys of this stack."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    return [
        block.replace("http://127.0.0.1:8080", stack.url).replace(".dmi/keys", str(stack.data_dir / "keys"))
        for block in found
    ]


def _namespace(stack: EmbeddedStack) -> dict[str, object]:
    return {"HOST": stack.url, "__name__": "readme"}


def _close(names: dict[str, object]) -> None:
    """The examples keep their clients open, as a script does until it ends."""
    for value in names.values():
        if isinstance(value, httpx.Client):
            value.close()


def test_a_municipality_publishes_its_first_sensor(embedded_stack: EmbeddedStack) -> None:
    publish, measure, *_ = _blocks(embedded_stack)
    names = _namespace(embedded_stack)
    exec(compile(publish, "README.md", "exec"), names)
    with embedded_stack.demo("operator") as operator:
        for item in operator.get("/exchange/v1/agreements", dataset=NOISE, state="proposed")["items"]:
            operator.post(f"/exchange/v1/agreements/{item['id']}/signature", {"hosted": True})
    time.sleep(0.5)
    exec(compile(measure, "README.md", "exec"), names)
    with embedded_stack.demo("resident") as resident:
        until = time.monotonic() + 10
        while not resident.get(f"/visualisation/v1/layers/{NOISE}/features")["features"]:
            assert time.monotonic() < until, "the first sensor is not on the map"
            time.sleep(0.1)
    _close(names)


def test_a_vendor_follows_the_garages(embedded_stack: EmbeddedStack) -> None:
    block = next(b for b in _blocks(embedded_stack) if "make_assertion" in b)
    process = subprocess.Popen([sys.executable, "-u", "-c", block], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    try:
        until = time.monotonic() + 15
        while not lines:
            assert time.monotonic() < until, "no event reached the vendor"
            with embedded_stack.demo("officer") as officer:
                officer.post(
                    "/ingest/v1/batches",
                    {
                        "dataset": "urn:dmi:dataset:gemeente:garages",
                        "datastream": ["garages.centrum.occupancy"],
                        "phenomenon_time": [time.time_ns() // 1000],
                        "result": [123.0],
                    },
                )
            time.sleep(0.3)
        assert "123" in lines[0]
    finally:
        process.kill()
        process.wait()
        reader.join(5)
        process.stdout.close()


def test_an_analyst_builds_a_scenario(
    embedded_stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    block = next(b for b in _blocks(embedded_stack) if "/scenarios" in b)
    names = _namespace(embedded_stack)
    exec("import httpx", names)
    exec(compile(block, "README.md", "exec"), names)
    _close(names)
    assert "Nachtwachtkwartier" in capsys.readouterr().out
