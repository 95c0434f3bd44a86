"""The stack of the command's tests."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.command.answering import Answering, reach


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """A stack that every client of this process talks to, whatever its address."""
    stack = Answering()
    reach(monkeypatch, httpx.MockTransport(stack.handle))
    return stack
