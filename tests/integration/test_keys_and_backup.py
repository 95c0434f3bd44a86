"""Keys sealed at rest, rotated while the stack runs, in no log; a backup that restores to a verifying log."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.record import DecisionRecord
from dmi_command.backups import LogState, backup, log_state, restore
from dmi_command.errors import CannotStart
from dmi_command.servers import PostgresServer, free_port
from dmi_exchange.store import Store
from dmi_infra import keyfile
from dmi_infra.keyfile import is_sealed
from dmi_infra.settings import Settings
from dmi_infra.sql import migrate, open_engine
from tests.integration.newcomer import Newcomer, agree, join, publish
from tests.stack_plugin import ROOT, EmbeddedStack, environment

PASSPHRASE = "a horse and a battery"


class SealedStack(EmbeddedStack):
    """The stack with sealed keys, telling all that it ever tells."""

    def start(self) -> None:
        """Start, or start again on the same folder."""
        with self.log.open("ab") as log:
            self.processes["stack"] = subprocess.Popen(
                [sys.executable, "-m", "dmi_command", "up", "--no-demo"],
                env=environment(self.settings()), stdout=log, stderr=log, cwd=ROOT,
            )  # fmt: skip
        self.await_ready()

    def settings(self) -> dict[str, str]:
        """What its commands and processes read."""
        return {
            "DMI_DATA_DIR": str(self.data_dir),
            "DMI_PORT": self.url.rsplit(":", 1)[1],
            "DMI_KEY_PASSPHRASE": PASSPHRASE,
            "DMI_LOG_LEVEL": "debug",
        }

    def dmi(self, *words: str, code: int = 0, **more: str) -> Any:
        """What a command prints as JSON; its own messages join the log."""
        done = subprocess.run(
            [sys.executable, "-m", "dmi_command", *words],
            env=environment(self.settings() | more), cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        with self.log.open("a") as log:
            log.write(done.stderr + done.stdout)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if "--json" in words and not code else done.stderr


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealedStack]:
    folder = tmp_path_factory.mktemp("sealed")
    stack = SealedStack("sealed", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def busy(sealed: SealedStack) -> Newcomer:
    """A participant about whom something stands in the log."""
    made = join(sealed, "keeper", ["dmi:role:provider"])
    dataset = publish(sealed, made, "things")
    agree(sealed, made, "urn:dmi:party:everyone", dataset, ["dmi:read"])
    for _ in range(5):
        assert made.ask("GET", f"/platform/v1/latest?dataset={dataset}").status_code == 200
    return made


def test_keys_are_rotated_while_the_stack_runs_and_what_was_issued_stays_good(
    sealed: SealedStack, busy: Newcomer, tmp_path: Path
) -> None:
    own = tmp_path / "own.json"
    busy.key.keep(own, PASSPHRASE)
    before = keyfile.read(own, PASSPHRASE)
    answer = sealed.dmi("participant", "rotate", busy.id, "--key", str(own), "--json")
    assert answer["keys"][0]["kid"] == busy.key.kid
    assert keyfile.read(own, PASSPHRASE) != before
    assert is_sealed(own)
    assert busy.ask("GET", "/exchange/v1/me").status_code == 200
    assert sealed.dmi("sign", "--key", str(own), "--participant", busy.id, "--json")["rulebook"]
    rotated = sealed.dmi("participant", "rotate", "urn:dmi:participant:exchange", "--json")
    assert len([each for each in rotated["keys"] if "revoked" not in each]) == 2
    assert busy.ask("GET", "/platform/v1/rejects").status_code == 200
    ended = sealed.dmi("participant", "revoke-key", busy.id, busy.key.kid, "--key", str(own), "--json")
    (dead,) = (each for each in ended["keys"] if "revoked" in each)
    assert (dead["kid"], dead["revoked"]["reason"]) == (busy.key.kid, "compromised")
    assert busy.ask("GET", "/platform/v1/rejects").status_code == 401


def test_a_backup_of_a_running_stack_restores_to_a_verifying_log(
    sealed: SealedStack, busy: Newcomer, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    sealed.dmi("backup", str(file), "--json")
    assert "exists" in sealed.dmi("backup", str(file), code=3)
    with tarfile.open(file) as archive:
        names = archive.getnames()
    assert {"exchange.db", "platform.db", "bus.db", "keys/participant_exchange.json"} <= set(names)
    assert not [name for name in names if name.endswith(("-wal", "-shm")) or name.startswith("lock")]
    target, port = tmp_path / "restored", str(free_port())
    state = sealed.dmi("restore", str(file), "--json", DMI_DATA_DIR=str(target), DMI_PORT=port)
    assert state["log_entries"] >= 5
    assert "already" in sealed.dmi("restore", str(file), code=3, DMI_DATA_DIR=str(target))
    again = SealedStack("restored", f"http://127.0.0.1:{port}", target, tmp_path / "log")
    again.start()
    try:
        verified = again.dmi("log", "verify", "--json")
        assert verified["ok"]
        with again.demo("operator") as operator:
            noted = {"sequence": state["log_entries"], "hash": state["log_head"]}
            assert operator.get("/exchange/v1/log/verify", **noted)["ok"]
            assert busy.id in {each["id"] for each in operator.get("/exchange/v1/participants")["items"]}
    finally:
        again.stop()


def test_a_backup_that_was_changed_or_cut_is_not_restored(
    sealed: SealedStack, busy: Newcomer, tmp_path: Path
) -> None:
    file, folder = tmp_path / "backup.tar", tmp_path / "open"
    backup(Settings(data_dir=sealed.data_dir), file)
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    (folder / "keys" / "participant_exchange.json").write_text("{}")
    _pack(folder, tmp_path / "changed.tar")
    (tmp_path / "cut.tar").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with tarfile.open(tmp_path / "outside.tar", "w") as archive:
        archive.add(folder / "manifest.json", "../outside.json")
    for name, why in (
        ("changed", "participant_exchange"), ("cut", "read|whole"), ("outside", "outside"), ("missing", "no file"),
    ):  # fmt: skip
        target = tmp_path / f"target-{name}"
        with pytest.raises(CannotStart, match=why):
            restore(Settings(data_dir=target), tmp_path / f"{name}.tar")
        assert list(target.iterdir()) == []
    assert not (tmp_path / "outside.json").exists()


def _pack(folder: Path, file: Path) -> None:
    with tarfile.open(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.add(path, str(path.relative_to(folder)))


def test_no_log_of_the_run_holds_a_private_key_or_the_passphrase(sealed: SealedStack, busy: Newcomer) -> None:
    """Everything above has written to this log, at level debug."""
    written = sealed.logs()
    assert len(written) > 1000
    keys = [keyfile.read(path, PASSPHRASE) for path in (sealed.data_dir / "keys").glob("*.json")]
    assert len(keys) >= 2
    secrets = [key["d"] for key in keys] + [busy.key._private["d"], PASSPHRASE, busy.token]
    assert [secret for secret in secrets if secret in written] == []
    assert all(map(is_sealed, (sealed.data_dir / "keys").glob("*.json")))


def test_a_stack_with_another_passphrase_does_not_start_and_says_why(
    sealed: SealedStack, tmp_path: Path
) -> None:
    told = sealed.dmi("keys", "protect", code=3)
    assert "another stack runs" in told
    file, target = tmp_path / "backup.tar", tmp_path / "other"
    backup(Settings(data_dir=sealed.data_dir), file)
    restore(Settings(data_dir=target), file)
    other = {"DMI_DATA_DIR": str(target), "DMI_PORT": str(free_port())}
    told = sealed.dmi("serve", "exchange", code=3, **other, DMI_KEY_PASSPHRASE="another passphrase")
    assert "sealed with another passphrase" in told
    fresh = tmp_path / "passphrase"
    fresh.write_text("the passphrase of next year\n")
    sealed.dmi("keys", "protect", "--new-passphrase-file", str(fresh), **other)
    with pytest.raises(keyfile.KeyLocked):
        keyfile.read(target / "keys" / "participant_exchange.json", PASSPHRASE)
    assert keyfile.read(target / "keys" / "participant_exchange.json", fresh.read_text().strip())["d"]


def _decision(number: int) -> DecisionRecord:
    return DecisionRecord(f"d{number}", number, "platform", "query", "a", "dmi:read", "d", "p", True, [])


@pytest.mark.postgres
def test_a_backup_of_postgresql_restores_to_a_verifying_log(
    postgres_server: PostgresServer, sealed: SealedStack, busy: Newcomer, tmp_path: Path
) -> None:
    """The exchange alone, on a database of its own: what is dumped are the schemas of the services."""
    names = ("backup_from", "backup_to")
    for name in names:
        postgres_server.create_database(name)
    try:
        here, there = (
            {"DMI_DATABASE_URL": postgres_server.url(name), "DMI_DATA_DIR": str(tmp_path / name)}
            for name in names
        )
        (tmp_path / names[0]).mkdir()
        engine = open_engine(here["DMI_DATABASE_URL"], "exchange")
        migrate(engine, "dmi_exchange")
        Store(engine).append([_decision(index) for index in range(20)], [], {})
        engine.dispose()
        file = str(tmp_path / "backup.tar")
        sealed.dmi("backup", file, "--json", **here)
        state = sealed.dmi("restore", file, "--json", **there)
        assert log_state(there["DMI_DATABASE_URL"]) == LogState(20, state["log_head"])
    finally:
        for name in names:
            postgres_server.drop_database(name)
