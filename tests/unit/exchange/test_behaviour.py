"""What a node does by itself in a negotiation, also when two of its workers come to the same step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from dmi_agreements.dsp import states
from dmi_exchange.dsp.behaviour import Automatic
from dmi_exchange.dsp.process import Process
from dmi_infra.errors import Conflict

AGREED = Process(
    id="urn:uuid:1", kind="negotiation", role="consumer", owner="a", peer="b", address="c", begun_at=1, changed_at=1,
    state=states.AGREED, steps=3,
)  # fmt: skip


@pytest.mark.parametrize(("steps", "ends"), [(3, 1), (4, 0)])
def test_who_comes_second_to_a_step_does_not_end_the_negotiation(steps: int, ends: int) -> None:
    ended: list[str] = []

    def verify(_identifier: str) -> None:
        raise Conflict.of("state", "not allowed")

    present = msgspec.structs.replace(AGREED, steps=steps)
    negotiations: Any = SimpleNamespace(
        check=lambda _process: None,
        verify=verify,
        shelf=SimpleNamespace(signs=lambda _owner: True),
        steps=SimpleNamespace(
            processes=SimpleNamespace(get=lambda _identifier: present),
            terminate=lambda identifier, _reason, _code: ended.append(identifier),
        ),
    )
    Automatic(negotiations, cast(Any, None))(AGREED)
    assert len(ended) == ends
