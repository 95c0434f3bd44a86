"""What the tests of bad input share: good input to spoil, and what every refusal must look like."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.integration.newcomer import Newcomer
from tests.stack_plugin import Stack

NOON = "2026-11-20T12:00:00Z"
STREAM = "clumsy.one.occupancy"
INSIDE = re.compile(
    r"Traceback|sqlalchemy|sqlite|psycopg|SELECT |INSERT |site-packages|\.py\b|/work|/tmp|/root|/home|"
    r"dmi_[a-z]+\.|Error\b|Exception|0x[0-9a-f]{8}|pydantic|starlette|msgspec"
)


def thing(**change: Any) -> dict[str, Any]:
    """The place that it owns, as a feature."""
    place = {"type": "Point", "coordinates": [5.1, 52.1]}
    return {"id": "clumsy.one", "kind": "thing", "name": "One", "geometry": place, **change}


def stream() -> dict[str, Any]:
    """The datastream of that place."""
    properties = {"thing": "clumsy.one", "observed_property": "occupancy", "unit": "{vehicle}"}
    return {"id": STREAM, "kind": "datastream", "name": "One", "properties": properties}


def proper(answer: httpx.Response, status: int, field: str | None = None, rule: str = "") -> dict[str, Any]:
    """The problem of an answer, after checking its shape."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert (problem["status"], problem["type"][:16]) == (status, "urn:dmi:problem:")
    assert not INSIDE.search(answer.text), answer.text[:500]
    assert len(answer.content) < 100_000
    if field is not None:
        told = [(error["field"], error["rule"]) for error in problem["errors"]]
        assert any(name == field and rule in text for name, text in told), told[:5]
    return problem


def batch(owner: Newcomer, **change: Any) -> dict[str, Any]:
    """A good batch of one row, with changes."""
    row = {"datastream": [STREAM], "phenomenon_time": [NOON], "result": [1]}
    return {"dataset": owner.dataset("things"), **row, **change}


def post(owner: Newcomer, path: str, text: str | bytes, media: str = "application/json") -> httpx.Response:
    """The answer to a body as it stands."""
    return owner.ask("POST", path, content=text, headers={"Content-Type": media})


def no_fault(stack: Stack) -> None:
    """Nothing that was tried on this stack was a fault in its log."""
    assert "unexpected failure" not in stack.logs()
    assert "Traceback" not in stack.logs()
