"""The routes of the map: which moments and which texts they take."""

from __future__ import annotations

import pytest

from dmi_infra import clock
from dmi_infra.errors import InputRefused
from dmi_visualisation.routes import within_reach
from tests.unit.infra.fakes import HOUR, NOW, SECOND


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.mark.parametrize("ago", [0, HOUR, 24 * HOUR, -30 * SECOND])
def test_a_moment_of_the_last_day_is_taken(ago: int) -> None:
    assert within_reach(clock.to_text(NOW - ago)) == NOW - ago


@pytest.mark.parametrize("ago", [25 * HOUR, -HOUR])
def test_a_moment_before_or_after_that_is_refused_by_name(ago: int) -> None:
    with pytest.raises(InputRefused) as refused:
        within_reach(clock.to_text(NOW - ago))
    assert [(e.field, e.rule) for e in refused.value.errors] == [("at", "must lie within the last 24 hours")]


@pytest.mark.parametrize("text", ["yesterday", "2027-01-15", "2027-01-15T08:00:00", "", "\0"])
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        within_reach(text)
    assert [e.field for e in refused.value.errors] == ["at"]
