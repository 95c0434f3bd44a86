"""Who is to be told of what a person did: nothing is read for what is long past, and nothing given up for a fault."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import AgreementState
from dmi_exchange.notices import telling
from dmi_exchange.notices.telling import Telling
from tests.unit.infra.fakes import BICYCLES, NOOR, eventually

ENDED = AgreementState(
    "urn:uuid:1", {"assigner": NOOR, "permission": [{"target": BICYCLES}]}, "ended", ended_at=100
)


def made(claims: Callable[[Any], Any]) -> Telling:
    """One that knows a consent which has ended, and reads it by ``claims``."""
    store = SimpleNamespace(get=lambda kind, _id: ENDED if kind is AgreementState else None)
    exchange: Any = SimpleNamespace(store=store, reasoner=SimpleNamespace(claims=claims))
    marks: Any = SimpleNamespace(reached=lambda: 0)
    none: Any = None
    return Telling(exchange, none, none, marks, none, lambda: None)


def test_what_a_consent_was_about_is_not_read_when_it_ended_before_what_was_told() -> None:
    read: list[Any] = []
    part = made(lambda document: read.append(document) or SimpleNamespace(permissions=()))  # type: ignore[func-returns-value]
    part.tell(ENDED.id, since=100)
    assert not read
    part.tell(ENDED.id, since=99)
    assert read == [ENDED.document]


def test_a_cause_whose_recipients_cannot_be_found_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "AGAIN_SECONDS", 0.02)
    tried: list[Any] = []

    def claims(document: Any) -> Any:
        tried.append(document)
        if len(tried) < 3:
            raise ValueError("it cannot be read just now")
        return SimpleNamespace(permissions=())

    part = made(claims)
    part.start()
    part.listen(Change("agreement", ENDED.id, True, ended=(ENDED.id,)))
    eventually(lambda: len(tried) == 3)
    part.stop()
