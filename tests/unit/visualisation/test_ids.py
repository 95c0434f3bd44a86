"""Ids of live events tell nothing: not what is in them, not that they say the same, and nobody makes or borrows one."""

from __future__ import annotations

import pytest

from dmi_infra.errors import InputRefused
from dmi_visualisation.ids import Ids

ABOUT = ("urn:dmi:org:reader", "", "", "urn:dmi:dataset:x:garages")


def test_an_id_is_read_for_the_same_reader_and_layers_by_the_process_that_told_it() -> None:
    ids = Ids()
    told = ids.tell([-1, 2**40], *ABOUT)
    assert ids.read(told, *ABOUT) == (-1, 2**40)
    assert Ids().read(told, *ABOUT) is None
    for other in (("urn:dmi:org:other", *ABOUT[1:]), (*ABOUT, "urn:dmi:dataset:x:other"), ABOUT[:3]):
        assert ids.read(told, *other) is None


def test_ids_of_one_stream_are_new_each_time_and_of_one_length() -> None:
    ids = Ids()
    for layers in (1, 50):
        told = {ids.tell([number] * layers, *ABOUT) for number in (0, 0, 9, 10, 2**40)}
        assert len(told) == 5
        (length,) = {len(one) for one in told}
        assert length <= 1000, "the header takes no more"


def test_a_changed_id_says_nothing_and_what_never_was_one_is_refused() -> None:
    ids = Ids()
    told = ids.tell([7], *ABOUT)
    for at in range(0, len(told), 9):
        assert ids.read(told[:at] + ("A" if told[at] != "A" else "B") + told[at + 1 :], *ABOUT) is None
    assert ids.read(told[:-9], *ABOUT) is None
    assert ids.read("c01d584e-1325", *ABOUT) is None, "of an earlier version"
    for wrong in ("", "yesterday", "x" * 1001, told + "=", told + "\n", "٣" * 20):
        with pytest.raises(InputRefused, match="Last-Event-ID"):
            ids.read(wrong, *ABOUT)
