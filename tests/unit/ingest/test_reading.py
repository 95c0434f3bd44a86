"""What comes in is read strictly, and a refusal names the field, the rule and the form of the value."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_infra.errors import InputRefused
from dmi_ingest import reading


def fault(call: Any, *args: Any) -> tuple[str, str, str]:
    with pytest.raises(InputRefused) as caught:
        call(*args)
    error = caught.value.errors[0]
    return error.field, error.rule, error.value


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1,", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 200_000])
def test_what_is_no_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(reading.InvalidJson) as caught:
        reading.read_json(body)
    assert caught.value.errors[0].field == "body"


def test_numbers_outside_json_come_through_so_that_their_field_can_be_named() -> None:
    found = reading.read_json(b'{"a": NaN, "b": 1e400, "c": 12}')
    assert fault(reading.number, found["a"], "a")[1] == "must be a finite number"
    assert fault(reading.number, found["b"], "b")[1] == "must be a finite number"
    assert reading.number(found["c"], "c") == 12.0


def test_a_number_beyond_a_double_is_refused_without_showing_its_digits() -> None:
    assert fault(reading.number, 10**400, "x") == (
        "x", "must be within the range of a double", "an integer of more than 30 digits"
    )  # fmt: skip


def test_a_result_lies_where_something_can_be_counted_or_measured() -> None:
    assert reading.quantity(1_795_262_400_000_000, "result") == 1_795_262_400_000_000.0
    assert reading.quantity(-1e18, "result") == -1e18
    rule = "must lie between -10^18 and 10^18"
    for value in (1.7e308, -1.7e308, 10**19):
        assert fault(reading.quantity, value, "result")[:2] == ("result", rule)


@pytest.mark.parametrize(
    "value", ["2026-11-21T12:00:00", "9999-12-31T00:00:00Z", "1800-01-01T00:00:00Z", "x", 5, None]
)
def test_a_time_needs_an_offset_and_a_likely_year(value: object) -> None:
    assert fault(reading.moment, value, "at")[0] == "at"


def test_an_interval_must_not_end_before_it_begins() -> None:
    assert "end" in fault(reading.interval, "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "at")[1]


def test_microseconds_and_text_name_the_same_instant() -> None:
    assert reading.micros("2026-11-21T13:00:00+01:00", "at") == reading.micros(1_795_262_400_000_000, "at")
    assert fault(reading.micros, 10**17, "at")[0] == "at"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": [1, float("inf")]}, "p.a.1"),
        ({"a": "x" * 20_001}, "p.a"),
        ({"a": "\ud800"}, "p.a"),
        ({"n" * 201: 1}, "p"),
        ({"inhabitants": 1.7e308}, "p.inhabitants"),
        ({"a": [{"b": -(10**19)}]}, "p.a.0.b"),
        ({"a": 10**400}, "p.a"),
    ],
)
def test_free_properties_are_checked_all_the_way_down(value: object, field: str) -> None:
    assert fault(reading.free, value, "p")[0] == field


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"\\udfff": NaN}'])
def test_half_of_a_surrogate_pair_is_no_json(body: bytes) -> None:
    with pytest.raises(reading.InvalidJson) as refused:
        reading.read_json(body)
    assert "valid Unicode" in refused.value.errors[0].rule


def test_free_properties_may_be_nested_sixteen_levels_deep() -> None:
    value: object = 1
    for _ in range(16):
        value = [value]
    reading.free(value, "p")
    assert fault(reading.free, [value], "p")[1] == "may be nested at most 16 levels deep"


@pytest.mark.parametrize(
    ("value", "held"),
    [(1, 1), (None, 1), ("texts are one", 1), ([], 1), ({"a": [1, [2]], "b": {}}, 6), ([[1] * 9] * 9, 10)],
)
def test_values_are_counted_as_far_as_it_matters(value: object, held: int) -> None:
    assert min(reading.values_in(value, 9), 10) == held
