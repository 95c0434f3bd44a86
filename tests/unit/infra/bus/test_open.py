"""Reading bus addresses, and what opening refuses."""

from __future__ import annotations

import pytest

from dmi_infra.bus import BusAddressError, open_bus
from dmi_infra.bus.options import whole_numbers


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://localhost", "expected embedded"),
        ("", "expected embedded"),
        ("embedded://relative.db", "absolute path"),
        ("embedded:///tmp/x.db?partition=2", "unknown option 'partition'"),
        ("embedded:///tmp/x.db?partitions=0", "at least 1"),
        ("embedded:///tmp/x.db?partitions=two", "whole number"),
        ("kafka://", "host:port"),
        ("kafka://host", "host:port"),
        ("kafka://a:1,b", "host:port"),
        ("kafka://a:9092?partitions=-1", "at least 1"),
        ("kafka://a:9092?prefix=A_B", "prefix"),
        ("kafka://a:9092?retain_mb=5", "unknown option 'retain_mb'"),
    ],
)
def test_a_wrong_address_is_refused_with_its_reason(address, says):
    with pytest.raises(BusAddressError, match=says):
        open_bus(address)


def test_options_keep_their_defaults_unless_given():
    assert whole_numbers({"a": "3"}, {"a": 1, "b": 2}) == {"a": 3, "b": 2}


def test_opening_kafka_does_not_connect():
    bus = open_bus("kafka://127.0.0.1:1,127.0.0.1:2?prefix=city.")
    assert not bus.ready()
    bus.close()
