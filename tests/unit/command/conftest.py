"""The stack of the command's tests."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.command.answering import Answering


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """A stack that every client of this process talks to, whatever its address."""
    stack = Answering()
    transport = httpx.MockTransport(stack.handle)
    real = httpx.Client

    def connected(**options: object) -> httpx.Client:
        return real(**options, transport=transport)  # type: ignore[arg-type]

    monkeypatch.delenv("DMI_TOKEN", raising=False)
    monkeypatch.setattr(httpx, "Client", connected)
    return stack
