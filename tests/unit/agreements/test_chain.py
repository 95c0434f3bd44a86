"""The hash chain shows every change, removal, insertion and reordering."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_agreements.chain import GENESIS, Entry, link, verify


def chain(payloads: list[bytes]) -> list[Entry]:
    entries: list[Entry] = []
    previous = GENESIS
    for number, payload in enumerate(payloads, 1):
        entries.append(Entry(number, previous, link(previous, number, payload), payload))
        previous = entries[-1].hash
    return entries


PAYLOADS = st.lists(st.binary(max_size=30), min_size=2, max_size=8)


def test_an_empty_chain_is_whole() -> None:
    assert verify([]).ok
    assert verify([]).head == GENESIS


def test_the_hash_of_a_known_entry_never_changes() -> None:
    """Another framing would make every stored log unverifiable."""
    assert link(GENESIS, 1, b"{}") == "a357c034992db25b91f99710fc790711f13edf13b4a4e3daddc4ec61fcf51fea"


@given(PAYLOADS)
def test_a_whole_chain_holds_and_tells_its_head(payloads: list[bytes]) -> None:
    entries = chain(payloads)
    result = verify(entries, expected_head=entries[-1].hash)
    assert (result.ok, result.count, result.head) == (True, len(entries), entries[-1].hash)


@given(PAYLOADS, st.data())
def test_a_changed_entry_is_found_where_it_stands(payloads: list[bytes], data: st.DataObject) -> None:
    entries = chain(payloads)
    index = data.draw(st.integers(0, len(entries) - 1))
    entries[index] = replace(entries[index], payload=entries[index].payload + b"x")
    result = verify(entries)
    assert (result.ok, result.broken_at) == (False, index + 1)


@given(PAYLOADS, st.data())
def test_a_changed_entry_with_a_new_hash_breaks_the_next_one(
    payloads: list[bytes], data: st.DataObject
) -> None:
    entries = chain(payloads)
    index = data.draw(st.integers(0, len(entries) - 2))
    entry = entries[index]
    payload = entry.payload + b"x"
    entries[index] = replace(entry, payload=payload, hash=link(entry.previous, entry.sequence, payload))
    assert verify(entries).broken_at == index + 2


@given(PAYLOADS, st.data())
def test_a_removed_entry_is_found(payloads: list[bytes], data: st.DataObject) -> None:
    entries = chain(payloads)
    head = entries[-1].hash
    index = data.draw(st.integers(0, len(entries) - 1))
    del entries[index]
    result = verify(entries, expected_head=head)
    assert (result.ok, result.broken_at) == (False, index + 1)


@given(PAYLOADS, st.data())
def test_two_exchanged_entries_are_found(payloads: list[bytes], data: st.DataObject) -> None:
    entries = chain(payloads)
    index = data.draw(st.integers(0, len(entries) - 2))
    entries[index], entries[index + 1] = entries[index + 1], entries[index]
    assert verify(entries).broken_at == index + 1


def test_a_part_of_a_chain_is_verified_from_a_known_hash() -> None:
    entries = chain([b"a", b"b", b"c"])
    assert verify(entries[1:], previous=entries[0].hash, first=2).ok
    assert verify(entries[1:]).broken_at == 1


def test_hashes_and_numbers_of_a_wrong_form_are_refused() -> None:
    with pytest.raises(ValueError, match="hash"):
        link("short", 1, b"")
    with pytest.raises(ValueError, match="sequence"):
        link(GENESIS, -1, b"")
    assert not verify([], previous="short").ok
    assert not verify([Entry(-1, GENESIS, GENESIS, b"")], first=-1).ok
