"""Generated requests to every operation of every OpenAPI document: never a fault of ours, every refusal described.

Where a schema leaves a body free (entities, policies), or a route stands in no document (the dataspace protocol), what
is generated gets no further than its first member: ``test_mistaken.py`` of a service begins from bodies that are good.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode

from dmi_command.blueprints import SERVICES
from tests.integration.newcomer import Newcomer, join, publish
from tests.stack_plugin import Stack

EXAMPLES = {"embedded": 8, "server": 2}
"""For each operation, of valid and of invalid requests. On the servers fewer, for the time that it takes: the code
behind the routes is the same, what can differ is the store, the bus and the front."""
LONGEST_ADDRESS = 60_000
"""Beyond it, it is no HTTP for the server: tests of bad addresses look at that."""
ENDLESS = {"/v1/layers/{layer}/events"}
"""Streams end only with the right to them; other tests follow them."""
ROLES = ["municipality", "vendor", "operator", "provider", "analyst", "user"]
INSIDE = (
    "Traceback", "sqlalchemy", "sqlite3", "psycopg", "SELECT ", "INSERT ", "site-packages", "/lib/python",
    "dmi_exchange", "dmi_infra", "dmi_ingest", "dmi_platform", "dmi_visualisation", "dmi_support_centre",
)  # fmt: skip
"""What an answer must not tell: how this is made."""


@pytest.fixture(scope="module")
def fuzzer(stack: Stack) -> Newcomer:
    """Every role, so that the requests get far; no part in any agreement of the demonstration."""
    made = join(stack, "fuzzer", [f"dmi:role:{role}" for role in ROLES])
    dataset = publish(stack, made, "things")
    thing = {
        "id": "fuzz.one",
        "kind": "thing",
        "name": "One",
        "geometry": {"type": "Point", "coordinates": [5.1, 52.1]},
    }
    properties = {"thing": "fuzz.one", "observed_property": "occupancy", "unit": "{vehicle}"}
    stream = {"id": "fuzz.one.occupancy", "kind": "datastream", "name": "One", "properties": properties}
    body = {"dataset": dataset, "features": [thing, stream]}
    assert made.ask("POST", "/ingest/v1/features", json=body).status_code == 201
    return made


def _known(owner: Newcomer) -> dict[str, Any]:
    """Values of path parameters that name something; other requests get generated ones."""
    scenario = owner.ask("POST", "/support-centre/v1/scenarios", json={"title": "one"}).json()["id"]
    return {
        "dataset": owner.dataset("things"), "layer": owner.dataset("things"), "participant": owner.id,
        "datastream": "fuzz.one.occupancy", "result": owner.dataset("things"), "scenario": scenario,
    }  # fmt: skip


@pytest.mark.timeout(240)
@pytest.mark.parametrize("service", list(SERVICES))
def test_no_generated_request_brings_out_a_fault_of_ours(
    service: str, stack: Stack, fuzzer: Newcomer
) -> None:
    base = f"{stack.url}/{service}"
    document = httpx.get(f"{base}/openapi.json").json()
    problem = Draft202012Validator(document["components"]["schemas"]["Problem"])
    known = _known(fuzzer)
    wrong: list[str] = []
    session = requests.Session()

    def check(case: schemathesis.Case) -> None:
        answer = case.call(
            base_url=base, session=session, headers={"Authorization": f"Bearer {fuzzer.token}"}, timeout=60
        )
        if len(answer.request.url or "") > LONGEST_ADDRESS:
            return
        told = f"{case.method} {case.path} {case.path_parameters} {case.query} {case.body!r:.300}: "
        media = (answer.headers.get("content-type") or [""])[0]
        if answer.status_code >= 500:
            wrong.append(f"{told}{answer.status_code}")
        elif answer.status_code >= 400:
            if not media.startswith("application/problem+json"):
                wrong.append(f"{told}{answer.status_code} as {media}: {answer.text[:200]}")
                return
            body = json.loads(answer.content)
            wrong.extend(f"{told}{error.message}" for error in problem.iter_errors(body))
            if body["status"] != answer.status_code:
                wrong.append(f"{told}{answer.status_code} told as {body['status']}")
            wrong.extend(
                f"{told}tells {word!r}: {answer.text[:300]}" for word in INSIDE if word in answer.text
            )

    for operation in _operations(document):
        _try(operation, GenerationMode.POSITIVE, EXAMPLES[stack.name], known, check)
        if _can_be_invalid(operation):
            _try(operation, GenerationMode.NEGATIVE, EXAMPLES[stack.name], known, check)
    assert wrong == [], "\n".join(wrong[:30])


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    # What is deleted cannot be tried any more.
    for operation in sorted(operations, key=lambda one: one.method.lower() == "delete"):
        if operation.path not in ENDLESS:
            yield operation


def _can_be_invalid(operation: Any) -> bool:
    """Any text will do as a part of an address where nothing is asked of it: 459 attempts would not make it invalid."""
    described = operation.definition.raw
    return "requestBody" in described or any(
        parameter["in"] != "path" or parameter["schema"].keys() - {"type", "title"}
        for parameter in described.get("parameters", [])
    )


def _try(operation: Any, mode: GenerationMode, examples: int, known: dict[str, Any], check: Any) -> None:
    turn = itertools.count()

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        if next(turn) % 2 == 0:
            case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
        check(case)

    run()
