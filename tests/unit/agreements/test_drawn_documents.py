"""Documents changed at random: none allows more than before, and none raises anything but a refusal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.reading import answers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TERMS = (
    "permission",
    "@id",
    "odrl:uid",
    "dmi:purpose:",
    "@value",
    "urn:dmi:",
    "constraint",
    "odrl:",
    "@context",
)


KNOWN = {"id", "type", "uid", "@id", "@type", "conflict", "unit", "duty", "assigner", "assignee", "@context"}


def places(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value in a document."""
    found = [way]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*way, key))
    return found


def put(document: Any, way: tuple[str | int, ...], value: object) -> Any:
    if not way:
        return value
    changed = copy.copy(document)
    changed[way[0]] = put(changed[way[0]], way[1:], value)
    return changed


def at(document: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        document = document[key]
    return document


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_value_replaced_by_anything_never_allows_more_and_raises_nothing_else(
    data: st.DataObject, rulebook: Rulebook, example: dict[str, Any]
) -> None:
    document = copy.deepcopy(example)
    way = data.draw(st.sampled_from([way for way in places(document) if way and "bbox" not in str(way)]))
    mutated = put(document, way, data.draw(JSON | st.sampled_from(TERMS)))
    try:
        found = answers(mutated, rulebook)
    except PolicyRefused:
        return
    for (allowed, _, _), (was_allowed, _, _) in zip(found, answers(document, rulebook), strict=True):
        # Emptying the list of prohibitions is the one edit here that means something else and may allow more.
        assert allowed <= was_allowed or way == ("prohibition",)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_an_unknown_key_anywhere_refuses(
    data: st.DataObject, rulebook: Rulebook, example: dict[str, Any]
) -> None:
    document = copy.deepcopy(example)
    # A context may give further names to what ODRL knows: what it may not is tried in test_spellings.
    ways = [way for way in places(document) if isinstance(at(document, way), dict) and "@context" not in way]
    way = data.draw(st.sampled_from(ways))
    key = data.draw(st.text(max_size=12).filter(lambda text: text not in KNOWN))
    with pytest.raises(PolicyRefused):
        read_agreement(put(document, way, {**at(document, way), key: data.draw(JSON)}), rulebook)


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_no_json_value_raises_anything_but_a_refusal(value: object, rulebook: Rulebook) -> None:
    with pytest.raises(PolicyRefused):
        read_agreement(value, rulebook)
