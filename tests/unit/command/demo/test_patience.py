"""A stack that cannot decide yet is asked again; any other refusal stands at once."""

from __future__ import annotations

import pytest

from dmi_command.demo.patience import patiently
from dmi_command.errors import AnswerRefused


class Answers:
    """Refuses with each of ``refusals`` in turn, then answers."""

    def __init__(self, *refusals: dict[str, object]) -> None:
        self.refusals = list(refusals)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.refusals:
            raise AnswerRefused(self.refusals.pop(0))
        return "done"


BUSY = {"status": 503, "type": "urn:dmi:problem:law-stale", "detail": "the law is 7.0 s old"}
YOUNG = {"status": 403, "type": "urn:dmi:problem:unknown-participant", "detail": "nobody knows it"}
NEVER = {"status": 403, "type": "urn:dmi:problem:wrong-role", "detail": "this needs another role"}


def test_what_cannot_be_decided_yet_is_asked_again():
    ask = Answers(BUSY, YOUNG)
    assert patiently(ask) == "done"
    assert ask.asked == 3


def test_a_refusal_for_good_is_not_asked_again():
    ask = Answers(NEVER)
    with pytest.raises(AnswerRefused, match="another role"):
        patiently(ask)
    assert ask.asked == 1


def test_patience_ends_with_the_last_refusal():
    ask = Answers(*[BUSY] * 50)
    with pytest.raises(AnswerRefused, match=r"7\.0 s old"):
        patiently(ask, seconds=0.4)
    assert 2 <= ask.asked < 10
