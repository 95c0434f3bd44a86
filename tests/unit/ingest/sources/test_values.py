"""Single values are read strictly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dmi_ingest.sources.values import Unreadable, micros, number, slug, tidy


@pytest.mark.parametrize(
    ("text", "result"), [("12", 12.0), (" -0.5 ", -0.5), ("1e3", 1000.0), (7, 7.0), ("+4.25", 4.25)]
)
def test_plain_numbers_are_read(text: object, result: float) -> None:
    assert number(text) == result


@pytest.mark.parametrize(
    "text", ["1_000", "0x10", "inf", "1e999", "1,5", "٣", "12 13", True, float("inf"), 10**400, "1" * 60, [1]]
)
def test_what_is_no_plain_finite_number_is_refused(text: object) -> None:
    with pytest.raises(Unreadable) as caught:
        number(text)
    assert caught.value.reason == "not_a_number"


@pytest.mark.parametrize("text", ["1.7e308", "-1.7e308", "1e19", 10**19])
def test_a_number_beyond_all_that_is_measured_is_refused(text: object) -> None:
    with pytest.raises(Unreadable) as caught:
        number(text)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("text", ["", "  ", None, "NaN", "null", "-", "n/a"])
def test_missing_is_not_zero(text: object) -> None:
    with pytest.raises(Unreadable) as caught:
        number(text)
    assert caught.value.reason == "missing_value"


def test_a_decimal_comma_is_read_only_where_it_is_the_custom() -> None:
    assert number("6,7", decimal_comma=True) == 6.7
    with pytest.raises(Unreadable):
        number("1.234,5", decimal_comma=True)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2024-11-11T08:48:51", "Europe/Amsterdam", "2024-11-11T07:48:51"),
        ("2016-10-04 07:59:42", "Europe/London", "2016-10-04T06:59:42"),
        ("2016-11-04 07:59:42", "Europe/London", "2016-11-04T07:59:42"),
        ("2024-10-27T02:30:00+02:00", "Europe/Amsterdam", "2024-10-27T00:30:00"),
        ("2024-10-27T02:30:00+01:00", "Europe/Amsterdam", "2024-10-27T01:30:00"),
        ("2023-02-23T13:44:48Z", "Europe/Amsterdam", "2023-02-23T13:44:48"),
        ("2024-11-11T08:53:42.931000", "Europe/Amsterdam", "2024-11-11T07:53:42.931"),
    ],
)
def test_times_become_microseconds_utc(text: str, zone: str, utc: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert micros(text, zone) == round(moment.timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2024-10-27T02:30:00", "ambiguous_time"),
        ("2024-03-31T02:30:00", "nonexistent_time"),
        ("9999-01-01T00:00:00", "bad_time"),
        ("2024-02-30T00:00:00", "bad_time"),
        ("2024-W01-1", "bad_time"),
        ("11/11/2024 08:48", "bad_time"),
        ("", "missing_value"),
        (None, "missing_value"),
    ],
)
def test_a_time_that_is_unclear_is_refused_and_not_guessed(text: str | None, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        micros(text, "Europe/Amsterdam")
    assert caught.value.reason == reason


def test_slugs_are_plain_and_a_name_without_letters_has_none() -> None:
    assert slug("  Café 'Broad' Street ") == "cafe-broad-street"
    assert tidy("Oudebrugsteeg\xa0 ") == "Oudebrugsteeg"
    with pytest.raises(Unreadable):
        slug("---")
