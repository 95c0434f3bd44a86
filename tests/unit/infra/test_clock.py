"""Times: microseconds inside, RFC 3339 outside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_infra import clock


@given(st.integers(clock.EARLIEST, clock.LATEST - 1))
def test_every_time_survives_the_way_to_text_and_back(at: int) -> None:
    assert clock.from_text(clock.to_text(at)) == at


def test_whole_seconds_are_written_without_a_fraction_and_in_utc() -> None:
    assert clock.to_text(0) == "1970-01-01T00:00:00Z"
    assert clock.to_text(1) == "1970-01-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime.fromisoformat("9999-12-31T23:59:59-14:00"), "9999-12-31T23:59:59.999999Z"),
        (datetime.fromisoformat("0001-01-01T00:00:00+14:00"), "0001-01-01T00:00:00Z"),
    ],
)
def test_what_lies_beyond_the_calendar_is_told_as_its_edge(moment: datetime, text: str) -> None:
    at = clock.from_datetime(moment)
    assert clock.to_text(at) == text
    assert clock.day_of(at).isoformat() == text[:10]


def test_an_offset_is_taken_into_account() -> None:
    assert clock.from_text("2026-11-21T13:00:00+01:00") == clock.from_text("2026-11-21T12:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00", "2026-11-21", "1899-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z", "", "now", "2026-11-21T12:00:00+99:00", "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)  # fmt: skip
def test_a_time_without_zone_or_outside_the_years_we_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.from_text(text)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        clock.from_datetime(datetime(2026, 1, 1))
    assert clock.from_datetime(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000


def test_now_is_the_wall_clock() -> None:
    assert abs(clock.now() - datetime.now(UTC).timestamp() * 1e6) < 5e6
