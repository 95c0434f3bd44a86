"""A first start of a server that is broken off must not keep the next one from its own: nothing half stays.

Programs of a few lines stand in the place of the servers' own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from itertools import count
from pathlib import Path

import pytest

from dmi_command.servers import (
    KafkaServer,
    Outside,
    PostgresServer,
    ServerStartFailed,
    free_port,
    kafka,
    outside_port,
    postgres,
)

JAVA = """#!/bin/sh
case "$*" in *StorageTool*) ;; *) exec sleep 60;; esac
test ! -e "{data}/bootstrap.checkpoint" || exit 9
mkdir -p "{data}/__cluster_metadata-0"
echo > "{data}/bootstrap.checkpoint"
{fails}
echo "version=1" > "{data}/meta.properties"
"""
"""Prepares a folder in Kafka's order, unless it ``fails``; as a broker it only lives."""


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program in the place of Java, whose preparation ends where it is told to."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-4.jar").touch()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def write(fails: str) -> None:
        (tmp_path / "java").write_text(JAVA.format(data=tmp_path / "kafka" / "data", fails=fails))
        (tmp_path / "java").chmod(0o755)

    return write


def broker(folder: Path, outside: bool = False) -> KafkaServer:
    keys = folder / "kafka" / "keys.json"
    second = Outside(outside_port(folder / "kafka"), "https://city.example/exchange", keys)
    return KafkaServer(folder / "kafka", folder / "libs", outside=second if outside else None)


def test_kafka_is_prepared_anew_after_a_first_start_that_was_broken_off(
    java: Callable[[str], None], tmp_path: Path
) -> None:
    java("exit 1")
    with pytest.raises(ServerStartFailed):
        broker(tmp_path).launch()
    assert (tmp_path / "kafka" / "server.properties").exists()
    java("")
    again = broker(tmp_path)
    again.launch()
    again.kill()
    assert (tmp_path / "kafka" / "data" / "meta.properties").exists()
    kept = broker(tmp_path)
    java("exit 1")
    kept.launch()
    kept.kill()
    assert kept.ports == again.ports


def test_data_that_a_broker_kept_is_never_removed(java: Callable[[str], None], tmp_path: Path) -> None:
    java("")
    topic = tmp_path / "kafka" / "data" / "exchange.events-0"
    topic.mkdir(parents=True)
    with pytest.raises(ServerStartFailed, match=r"holds exchange\.events-0 and no meta\.properties"):
        broker(tmp_path).launch()
    assert topic.exists()


def test_a_broker_whose_ports_are_gone_says_what_to_do(java: Callable[[str], None], tmp_path: Path) -> None:
    java("")
    first = broker(tmp_path)
    first.launch()
    first.kill()
    (tmp_path / "kafka" / "server.properties").unlink()
    with pytest.raises(ServerStartFailed, match=r"server\.properties is gone, .* bring it back"):
        broker(tmp_path, outside=True).launch()


def test_the_listeners_of_a_new_broker_have_different_ports_and_those_of_a_broken_start_are_forgotten(
    java: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may give a port twice that nobody listens on yet."""

    def given(besides: Container[int] = ()) -> int:
        return next(port for port in count(50_001) if port not in besides)

    monkeypatch.setattr(kafka, "free_port", given)
    java("exit 1")
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "server.properties").write_text(
        "listeners=PLAINTEXT://127.0.0.1:56251,CONTROLLER://127.0.0.1:56251\n"
        "advertised.listeners=PLAINTEXT://127.0.0.1:56251,OUTSIDE://127.0.0.1:56251\n"
    )
    with pytest.raises(ServerStartFailed):
        broker(tmp_path, outside=True).launch()
    text = (tmp_path / "kafka" / "server.properties").read_text()
    (listeners,) = re.findall(r"^listeners=(.*)", text, re.MULTILINE)
    assert sorted(re.findall(r":(\d+)", listeners)) == ["50001", "50002", "50003"]


POSTGRESQL = """#!/bin/sh
case "$0" in
*initdb) test ! -e "$2/PG_VERSION" || exit 9; echo 15 > "$2/PG_VERSION"; {fails};;
*postgres) test -e "$2/base" && exec sleep 60;;
*psql) echo dmi;;
esac
"""
"""Its programs in one: a cluster is whole with its folder ``base``, which ``initdb`` makes after the version."""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts programs in the place of PostgreSQL's, whose ``initdb`` ends where it is told to."""
    monkeypatch.setattr(postgres, "_folders", lambda: [tmp_path])
    monkeypatch.setattr(postgres, "other_user", lambda _user, _folder: None)

    def write(fails: str) -> None:
        for name in ("initdb", "postgres", "psql", "pg_isready"):
            (tmp_path / name).write_text(POSTGRESQL.format(fails=fails))
            (tmp_path / name).chmod(0o755)

    return write


def test_postgresql_makes_its_cluster_anew_after_a_first_start_that_was_broken_off(
    programs: Callable[[str], None], tmp_path: Path
) -> None:
    folder = tmp_path / "postgresql"
    programs("exit 1")
    with pytest.raises(ServerStartFailed):
        PostgresServer(folder).start()
    assert not PostgresServer.kept_in(folder)
    programs('mkdir "$2/base"')
    server = PostgresServer(folder)
    server.start()
    assert server.running
    server.kill()
    assert PostgresServer.kept_in(folder)


def test_what_is_no_cluster_is_not_written_over(programs: Callable[[str], None], tmp_path: Path) -> None:
    programs('mkdir "$2/base"')
    kept = tmp_path / "postgresql" / "data" / "base"
    kept.mkdir(parents=True)
    with pytest.raises(ServerStartFailed, match=r"is no cluster of PostgreSQL .* move it away"):
        PostgresServer(tmp_path / "postgresql").start()
    assert [path.name for path in (tmp_path / "postgresql").iterdir() if path.name != "log"] == ["data"]
    assert kept.exists()


def test_a_free_port_is_none_of_those_that_are_given_out() -> None:
    class FirstIsTaken(list[int]):
        """Says of the first port that it is asked about that it is given out."""

        def __contains__(self, port: object) -> bool:
            assert isinstance(port, int)
            self.append(port)
            return len(self) == 1

    taken = FirstIsTaken()
    port = free_port(taken)
    assert [*taken] == [taken[0], port]
    assert port != taken[0]
