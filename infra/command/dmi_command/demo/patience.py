"""Asking again while a stack is still coming up, or is too busy to know its law for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from dmi_command.errors import AnswerRefused

SECONDS: Final = 30.0
"""How long a stack may refuse for want of itself: a server deployment starts its consumers in less, also when busy."""
UNHEARD: Final = ("unknown-participant", "unknown-key", "unknown-dataset")
"""Refusals of a service that has never heard of a member or dataset."""
YOUNG: Final = (*UNHEARD, "rulebook-not-signed", "inactive-participant")
"""Refusals of one that has not heard of a membership or dataset of a moment ago."""
AGREED: Final = (*YOUNG, "no-agreement")
"""Refusals of one that has not heard of an agreement of a moment ago either."""

T = TypeVar("T")


def patiently(ask: Callable[[], T], seconds: float = SECONDS, young: Collection[str] = YOUNG) -> T:
    """What ``ask`` answers; asked again for ``seconds`` while the stack says that it cannot decide yet.

    That is with 503, which has carried nothing out, or with one of the codes ``young``. Raises the last
    ``AnswerRefused``, and any other at once.
    """
    until = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return ask()
        except AnswerRefused as refused:
            if time.monotonic() + pause > until or not (refused.code in young or refused.status == 503):
                raise
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
