"""Participants that several modules of integration tests share."""

from __future__ import annotations

import pytest

from tests.integration.clumsy import stream, thing
from tests.integration.newcomer import Newcomer, join, publish
from tests.stack_plugin import EmbeddedStack


@pytest.fixture(scope="session")
def clumsy(embedded_stack: EmbeddedStack) -> Newcomer:
    """Every role, and a dataset with one sensor."""
    roles = ("municipality", "vendor", "operator", "provider", "analyst")
    made = join(embedded_stack, "clumsy", [f"dmi:role:{role}" for role in roles])
    dataset = publish(embedded_stack, made, "things")
    body = {"dataset": dataset, "features": [thing(), stream()]}
    assert made.ask("POST", "/ingest/v1/features", json=body).status_code == 201
    return made
