"""Asking again while a stack is still coming up, or is too busy to know its law for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from dmi_command.errors import AnswerRefused

SECONDS: Final = 30.0
"""How long a stack may refuse for want of itself: a server deployment starts its consumers in less, also when busy."""
_YOUNG: Final = (
    ":rulebook-not-signed",
    ":inactive-participant",
    ":unknown-participant",
    ":unknown-key",
    ":unknown-dataset",
)
"""Refusals of a service that has not heard of a membership or dataset of a moment ago."""

T = TypeVar("T")


def patiently(ask: Callable[[], T], seconds: float = SECONDS) -> T:
    """What ``ask`` answers; asked again for ``seconds`` while the stack says that it cannot decide yet.

    A refusal with 503 has carried nothing out. Raises the last ``AnswerRefused``, and any other at once.
    """
    until = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return ask()
        except AnswerRefused as refused:
            young = str(refused.problem.get("type", "")).endswith(_YOUNG)
            if time.monotonic() + pause > until or not (young or refused.status == 503):
                raise
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
