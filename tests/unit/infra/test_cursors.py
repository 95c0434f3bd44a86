"""Cursors of pages: who holds one can neither read nor make one, and every process of a service opens it."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from dmi_infra.cursors import Cursors, kept_key, secret_table
from dmi_infra.errors import InputRefused
from dmi_infra.sql import open_engine


class Place(msgspec.Struct, frozen=True, array_like=True):
    time: int
    source: str | None


PLACE = Place(1_700_000_000_123_456, "meter-7")
ABOUT = ("observations", "urn:dmi:participant:sensorbedrijf", "garages.centrum.occupancy")
KEY = bytes(range(64))


@pytest.fixture
def cursors() -> Cursors:
    return Cursors(KEY)


def refused(cursors: Cursors, cursor: str, *about: str) -> bool:
    with pytest.raises(InputRefused) as caught:
        cursors.open(cursor, Place, *(about or ABOUT))
    return [error.field for error in caught.value.errors] == ["cursor"]


def test_a_place_comes_back_and_none_without_a_cursor(cursors: Cursors) -> None:
    assert cursors.open(cursors.seal(PLACE, *ABOUT), Place, *ABOUT) == PLACE
    assert cursors.open(cursors.seal(7, "rejects"), int, "rejects") == 7
    assert cursors.open(None, Place, *ABOUT) is None


def test_a_cursor_shows_neither_what_is_in_it_nor_how_long_that_is(cursors: Cursors) -> None:
    sealed = cursors.seal(PLACE, *ABOUT)
    raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    for known in (b"1700000000", b"meter-7", PLACE.time.to_bytes(8, "big"), PLACE.time.to_bytes(8, "little")):
        assert known not in raw
    assert len(cursors.seal(Place(0, None), *ABOUT)) == len(sealed)


def test_a_forged_changed_or_cut_cursor_is_refused_by_name(cursors: Cursors) -> None:
    sealed = cursors.seal(PLACE, *ABOUT)
    plain = base64.urlsafe_b64encode(msgspec.json.encode(PLACE)).decode().rstrip("=")
    for at in range(len(sealed) - 1):
        assert refused(cursors, sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :])
    for wrong in ("", "=", "x", "\0", "é", plain, sealed[:-4], sealed[:20], sealed + "AAAA", "A" * 2000):
        assert refused(cursors, wrong)


def test_a_cursor_of_another_list_caller_or_key_is_refused(cursors: Cursors) -> None:
    sealed = cursors.seal(PLACE, *ABOUT)
    assert refused(cursors, sealed, "observations", ABOUT[1], "garages.rand.occupancy")
    assert refused(cursors, sealed, "observations", "urn:dmi:participant:ander", ABOUT[2])
    assert refused(cursors, sealed, *ABOUT[:2])
    assert refused(Cursors(bytes(64)), sealed)
    # Parts are told apart: "ab", "c" is not "a", "bc".
    assert refused(cursors, cursors.seal(PLACE, "ab", "c"), "a", "bc")


def test_every_process_and_every_start_of_a_service_has_the_same_key(tmp_path: Path) -> None:
    metadata = sa.MetaData()
    table = secret_table(metadata)
    engines = [open_engine(f"sqlite:///{tmp_path / 'service.db'}", "service") for _ in range(2)]
    metadata.create_all(engines[0])
    first, second = (kept_key(engine, table) for engine in engines)
    other = open_engine(f"sqlite:///{tmp_path / 'other.db'}", "other")
    metadata.create_all(other)
    assert first == second != kept_key(other, table)
    sealed = Cursors(first).seal(PLACE, *ABOUT)
    assert Cursors(second).open(sealed, Place, *ABOUT) == PLACE
    for engine in (*engines, other):
        engine.dispose()
