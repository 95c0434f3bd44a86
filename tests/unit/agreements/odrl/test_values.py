"""Typed values compare as XML Schema says, and have no order where it gives none."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_agreements.odrl.model import XSD, Typed
from dmi_agreements.odrl.values import Truth, every, meaning, negate, one, order, same, some


def value(text: str) -> Typed:
    """``"P1D^duration"`` as a literal."""
    lexical, _, datatype = text.rpartition("^")
    return Typed(lexical, XSD + datatype)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1^integer", "1.0^decimal", 0),
        ("1^integer", "1.5^double", -1),
        ("10^integer", "9^integer", 1),
        ("2024-02-12T11:20:10.999Z^dateTime", "2024-02-12T12:20:10.999+01:00^dateTime", 0),
        ("2024-02-12T24:00:00Z^dateTime", "2024-02-13T00:00:00Z^dateTime", 0),
        ("2024-02-12T11:20:10^dateTime", "2024-02-12T11:20:11^dateTime", -1),
        # Without zone beside with zone: in order from 14 hours apart on.
        ("2024-02-12T11:00:00^dateTime", "2024-02-12T12:00:00Z^dateTime", None),
        ("2024-02-12T11:00:00^dateTime", "2024-02-13T02:00:00Z^dateTime", -1),
        ("2024-02-12T11:00:00^dateTime", "2024-02-11T20:00:00Z^dateTime", 1),
        # A moment equals the day, month and year that it lies in.
        ("2017-12-31T23:59:59^dateTime", "2018-01-01^date", -1),
        ("2018-01-01T00:00:00^dateTime", "2018-01-01^date", 0),
        ("2018-01-02T00:00:00^dateTime", "2018-01-01^date", 1),
        ("2018-05-01T00:00:00^dateTime", "2018^gYear", 0),
        ("2018-06-01T00:00:00^dateTime", "2018-05^gYearMonth", 1),
        # A day tells of no moment in it whether it is that one.
        ("2018-01-01^date", "2018-01-01T12:00:00^dateTime", None),
        ("PT24H^duration", "P1D^duration", 0),
        ("P1M^duration", "P30D^duration", None),
        ("P1M^duration", "P32D^duration", -1),
        ("P1M^duration", "P27D^duration", 1),
        ("P1Y^duration", "P12M^duration", 0),
        ("P9999999Y^duration", "P1D^duration", 1),
        ("-P1D^duration", "PT0S^duration", -1),
        ("P1D^duration", "1^integer", None),
        ("a^string", "b^string", None),
        ("true^boolean", "1^integer", None),
        ("08:00:00^time", "17:00:00^time", -1),
    ],
)
def test_values_are_in_order_or_have_none(left: str, right: str, expected: int | None) -> None:
    assert order(value(left), value(right)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "^integer", "1.5^integer", "١^integer", "1e400000000^decimal", "NaN^double", "INF^double", "yes^boolean",
        "2024-02-30T00:00:00Z^dateTime", "2024-02-12 11:00:00^dateTime", "2024-02-12T25:00:00Z^dateTime",
        "2024-02-12T11:00:00^dateTimeStamp", "2024-13^gYearMonth", "P^duration", "P1DT^duration", "1D^duration",
        "x^hexBinary", "9999-12-31T24:00:00Z^dateTime", "0000^gYear",
    ],
)  # fmt: skip
def test_a_text_that_its_datatype_does_not_allow_means_nothing(text: str) -> None:
    assert meaning(value(text)) is None
    assert order(value(text), value("1^integer")) is None
    assert same(value(text), value("1^integer")) is None


@given(
    st.text(max_size=30),
    st.sampled_from(
        ["integer", "decimal", "double", "boolean", "dateTime", "date", "gYear", "duration", "time"]
    ),
)
def test_no_text_raises(text: str, datatype: str) -> None:
    meaning(Typed(text, XSD + datatype))


def test_texts_are_equal_in_the_same_language_only() -> None:
    assert same(Typed("a", language="nl"), Typed("a", language="NL")) is True
    assert same(Typed("a", language="nl"), Typed("a", language="en")) is False
    assert same(Typed("urn:x", XSD + "anyURI"), "urn:x") is True
    assert same("urn:x", "urn:y") is False


TRUTHS: tuple[Truth, ...] = (True, False, None)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_is_not_known_is_settled_only_where_every_answer_agrees(size: int) -> None:
    two_valued = {
        every: all,
        some: any,
        one: lambda truths: sum(truths) == 1,
    }
    for join, plain in two_valued.items():
        for truths in product(TRUTHS, repeat=size):
            filled = product(*([each] if each is not None else [True, False] for each in truths))
            answers = {bool(plain(list(each))) for each in filled}
            assert join(list(truths)) == (answers.pop() if len(answers) == 1 else None), (join, truths)
    assert [negate(each) for each in TRUTHS] == [False, True, None]
