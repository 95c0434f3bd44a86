"""Fetching the broker's jars, with a program in the place of Maven that leaves a trace of each run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dmi_command.servers import ServerStartFailed, fetch_jars

MAVEN = """#!/bin/sh
for word in "$@"; do case $word in -DoutputDirectory=*) out=${{word#*=}};; esac; done
echo run >> "{trace}"
mkdir -p "$out"
sleep 0.2
for jar in {jars}; do echo "$jar" > "$out/$jar"; done
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that each run of the program adds a line to."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "trace"


def maven(trace: Path, jars: str) -> None:
    program = trace.with_name("mvn")
    program.write_text(MAVEN.format(trace=trace, jars=jars))
    program.chmod(0o755)


def test_two_that_ask_at_once_fetch_once_and_both_find_all_jars(trace: Path, tmp_path: Path) -> None:
    maven(trace, "zookeeper-3.jar kafka_2.13-4.jar")
    libs = tmp_path / "libs"
    with ThreadPoolExecutor(2) as pool:
        for asked in [pool.submit(fetch_jars, tmp_path / "pom.xml", libs) for _ in range(2)]:
            asked.result()
    assert trace.read_text() == "run\n"
    assert sorted(jar.name for jar in libs.glob("*.jar")) == ["kafka_2.13-4.jar", "zookeeper-3.jar"]


def test_jars_without_a_broker_are_told_and_fetched_again_next_time(trace: Path, tmp_path: Path) -> None:
    maven(trace, "zookeeper-3.jar")
    with pytest.raises(ServerStartFailed, match="no Kafka broker"):
        fetch_jars(tmp_path / "pom.xml", tmp_path / "libs")
    maven(trace, "kafka_2.13-4.jar")
    fetch_jars(tmp_path / "pom.xml", tmp_path / "libs")
    assert {jar.name for jar in (tmp_path / "libs").glob("*.jar")} == {"kafka_2.13-4.jar", "zookeeper-3.jar"}
