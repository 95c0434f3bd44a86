"""A stack on stores that an earlier version wrote, whose bus was lost: all of it goes on by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.envelope import decode, encode
from dmi_agreements.contracts.law import Participant
from dmi_command.client import Client
from dmi_command.servers import free_port
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from dmi_infra.sql import migrate, open_engine
from tests.earlier_stores import PACKAGES, Rows, fill, read, revisions
from tests.integration.newcomer import Newcomer
from tests.stack_plugin import EmbeddedStack, ServerStack, Stack

pytestmark = pytest.mark.timeout(240)

OWNER = "urn:dmi:participant:vroeger"
GARAGES = "urn:dmi:dataset:vroeger:garages"
STREAM = "vroeger.centrum.occupancy"
HISTORY = f"/platform/v1/datastreams/{STREAM}/observations"
KEPT: dict[str, Rows] = {package: read(package, revisions(package)[0]) for package in PACKAGES}


def _prepare(store_of: Callable[[str], str], key: SigningKey) -> None:
    """Every store as it was at its first revision; its owner has a new key, since the old one was not kept."""
    for package, rows in KEPT.items():
        schema = package.removeprefix("dmi_")
        engine = open_engine(store_of(schema), schema)
        migrate(engine, package, revisions(package)[0])
        fill(engine, {**rows, "law": _with_key(rows["law"], key)} if "law" in rows else rows)
        engine.dispose()


def _with_key(law: list[dict[str, Any]], key: SigningKey) -> list[dict[str, Any]]:
    changed = []
    for row in law:
        if row["id"] == OWNER:
            member = decode(row["body"].encode(), Participant)
            row = {**row, "body": encode(msgspec.structs.replace(member, keys=[key.public])).decode()}
        changed.append(row)
    return changed


def _embedded(folder: Path, key: SigningKey) -> EmbeddedStack:
    stack = EmbeddedStack("old", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    _prepare(lambda schema: f"sqlite:///{stack.data_dir / schema}.db", key)
    stack.start()
    return stack


def _server(folder: Path, key: SigningKey) -> ServerStack:
    stack = ServerStack("old", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")

    def prepare(settings: Mapping[str, str]) -> None:
        _prepare(lambda _schema: settings["DMI_DATABASE_URL"], key)

    try:
        stack.start(prepare)
    except BaseException:
        stack.stop()
        raise
    return stack


@pytest.fixture(scope="module", params=["embedded", "server"])
def owner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """The participant of the earlier store, at a stack that was started on it with an empty bus."""
    if request.param == "server":
        request.getfixturevalue("fleet_programs")
    key = SigningKey.generate()
    start: Callable[[Path, SigningKey], Stack] = _embedded if request.param == "embedded" else _server
    stack = start(tmp_path_factory.mktemp("old"), key)
    try:
        with Client(stack.url, participant=OWNER, key=key) as client:
            yield Newcomer(OWNER, "vroeger", stack.url, client.token(), key)
    finally:
        stack.stop()  # type: ignore[attr-defined]


def _asked(owner: Newcomer, path: str) -> Any:
    answer = owner.ask("GET", path)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


def test_the_law_is_on_the_new_bus_and_what_was_ended_stays_ended(owner: Newcomer) -> None:
    states = {row["id"]: json.loads(row["body"])["state"] for row in KEPT["dmi_exchange"]["law"]
              if row["type"] == "agreement"}  # fmt: skip
    told = {item["id"]: item["state"] for item in _asked(owner, "/exchange/v1/agreements")["items"]}
    assert told == states
    assert "ended" in told.values()
    assert len(_asked(owner, "/exchange/v1/log")["items"]) > 0
    assert _asked(owner, f"/exchange/v1/lineage/{GARAGES}/dependents")["items"] != []


def test_old_observations_are_read_through_the_gate(owner: Newcomer) -> None:
    kept = KEPT["dmi_platform"]
    key = next(row["key"] for row in kept["datastream"] if row["id"] == STREAM)
    wanted = [row["result"] for row in kept["observation"] if row["datastream"] == key]
    found = [item["result"] for item in _asked(owner, HISTORY)["items"]]
    assert found[: len(wanted)] == wanted
    streams = {item["id"] for item in _asked(owner, "/platform/v1/datastreams")["items"]}
    assert streams == {row["id"] for row in kept["datastream"]}
    assert len(_asked(owner, "/platform/v1/rejects")["items"]) == len(kept["reject"])


def test_an_old_outcome_is_told_where_it_is_known_whose_it_is(owner: Newcomer) -> None:
    kept = KEPT["dmi_platform"]
    conflicting = kept["reject"][0]["batch_id"]
    assert _asked(owner, f"/platform/v1/outcomes/{conflicting}")["rejected"] == 1
    unknown = next(row for row in kept["outcome"] if row["batch_id"] != conflicting)
    assert owner.ask("GET", f"/platform/v1/outcomes/{unknown['batch_id']}").status_code == 404
    with Client(owner.url, demo="operator") as operator:
        assert operator.get(f"/platform/v1/outcomes/{unknown['batch_id']}")["accepted"] == unknown["accepted"]


def test_old_things_imports_maps_results_and_rules_are_there(owner: Newcomer) -> None:
    assert "Paal" in [thing["name"] for thing in _asked(owner, "/ingest/v1.1/Things")["value"]]
    (imported,) = _asked(owner, "/ingest/v1/imports")["items"]
    (row,) = KEPT["dmi_ingest"]["import"]
    assert (imported["import_id"], imported["read"]) == (row["id"], row["read"])
    assert _asked(owner, f"/ingest/v1/imports/{row['id']}/rejects")["items"] != []
    layer = _asked(owner, f"/visualisation/v1/layers/{GARAGES}/features")
    assert {"vroeger.centrum.occupancy", "vroeger.rand.occupancy"} <= {
        feature["id"] for feature in layer["features"]
    }
    kept = KEPT["dmi_support_centre"]
    for path, table in (("rules", "rule"), ("scenarios", "scenario"), ("measures", "measure")):
        told = {item["id"] for item in _asked(owner, f"/support-centre/v1/{path}")["items"]}
        assert told >= {one["id"] for one in kept[table]}, path
    plan = kept["scenario"][0]["id"]
    assert _asked(owner, f"/support-centre/v1/scenarios/{plan}/result")["areas"] != []
    assert {item["url"] for item in _asked(owner, "/support-centre/v1/subscriptions")["items"]} == {
        one["url"] for one in kept["subscription"]
    }


def test_what_is_handed_in_after_the_loss_is_stored_although_old_positions_lie_further(
    owner: Newcomer,
) -> None:
    assert max(row["next_offset"] for row in KEPT["dmi_platform"]["positions"]) > 1
    now = clock.now()
    body = {"dataset": GARAGES, "datastream": [STREAM], "phenomenon_time": [now], "result": [17.0]}
    answer = owner.ask("POST", "/ingest/v1/batches", json=body)
    assert answer.status_code == 201, answer.text
    # A group that has just begun waits for a member that had not heard of the topic: on a busy machine above 20 s.
    until = time.monotonic() + 60
    while owner.ask("GET", f"/platform/v1/outcomes/{answer.json()['batch_id']}").status_code != 200:
        assert time.monotonic() < until, "acknowledged, and never stored"
        time.sleep(0.1)
    assert _asked(owner, f"/platform/v1/latest?datastream={STREAM}")["items"][0]["result"] == 17.0
