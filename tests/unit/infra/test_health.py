"""Readiness in words: what is well with a remark is ready and says so."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from dmi_infra.health import Watch, Well, is_well, told


@pytest.mark.parametrize(
    ("answer", "well", "words"),
    [(None, True, "ok"), (Well("nothing to do"), True, "ok: nothing to do"), ("no bus", False, "no bus")],
)
def test_a_check_tells_whether_and_why_it_is_well(answer: str | None, well: bool, words: str) -> None:
    assert is_well({"bus": None, "consumer": answer}) is well
    assert told(answer) == words


def test_the_log_tells_once_that_a_service_is_not_ready_any_more_and_once_that_it_is_again() -> None:
    watch = Watch("platform")
    well, aged = {"bus": None, "law": Well("fresh")}, {"bus": None, "law": "the law is 6.0 s old"}
    with capture_logs() as said:
        watch.see({"bus": None, "law": "no law has been received"})
        assert said == []
        for answers in (well, aged, {"bus": None, "law": "the law is 7.0 s old"}, well, well):
            watch.see(answers)
    assert [(entry["event"], entry.get("checks")) for entry in said] == [
        ("not ready", {"law": "the law is 6.0 s old"}),
        ("ready again", None),
    ]
