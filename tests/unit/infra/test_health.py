"""Readiness in words: what is well with a remark is ready and says so."""

from __future__ import annotations

import pytest

from dmi_infra.health import Well, is_well, told


@pytest.mark.parametrize(
    ("answer", "well", "words"),
    [(None, True, "ok"), (Well("nothing to do"), True, "ok: nothing to do"), ("no bus", False, "no bus")],
)
def test_a_check_tells_whether_and_why_it_is_well(answer: str | None, well: bool, words: str) -> None:
    assert is_well({"bus": None, "consumer": answer}) is well
    assert told(answer) == words
