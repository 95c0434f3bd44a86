"""Rules of topics."""

from __future__ import annotations

import logging

from dmi_infra.bus.embedded.topics import partition_of
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.topics import all_topics, is_compacted, is_spread


def test_only_the_law_itself_is_compacted():
    assert [topic for topic in all_topics() if is_compacted(topic)] == ["dmi.agreements.v1"]


def test_law_and_record_stand_in_one_partition():
    whole = {topic for topic in all_topics() if not is_spread(topic)}
    assert whole == {
        f"{base}{end}" for base in ("dmi.agreements.v1", "dmi.decisions.v1") for end in ("", ".rejected")
    }


def test_every_topic_has_its_rejected_topic():
    topics = all_topics()
    assert topics[1::2] == [f"{topic}.rejected" for topic in topics[::2]]


def test_the_partition_of_a_key_never_changes():
    # Written down, because files made earlier rest on it.
    assert [partition_of(key, 8) for key in ("", "a", "garages.centrum")] == [0, 3, 4]


def test_an_outage_is_said_once_and_its_end_too(caplog):
    caplog.set_level(logging.INFO)
    outage = Outage("publisher")
    outage.back()
    for _ in range(3):
        outage.away("refused")
    outage.back()
    outage.back()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
