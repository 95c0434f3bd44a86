"""A server that is away is said once, again each minute, and once that it is back."""

from __future__ import annotations

import logging
import time

import pytest
from kafka.errors import Cancelled

from dmi_infra.bus.kafka.bus import KafkaBus
from dmi_infra.bus.outage import AGAIN_S, SETTLED_S, Outage


class Watch:
    """A clock that stands still until it is moved."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged since this was last asked."""
    found = [message.split(": ")[1].split(",")[0] for message in caplog.messages]
    caplog.clear()
    return found


def test_one_line_for_each_change_and_one_each_minute(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("writing")
    for _ in range(600):
        outage.away("full")
    assert lines(caplog) == ["the bus is away"]
    watch.at += AGAIN_S
    for _ in range(600):
        outage.away("full")
    assert lines(caplog) == ["the bus is away"]
    for _ in range(3):
        outage.back()
    assert lines(caplog) == ["the bus is back"]
    watch.at += SETTLED_S
    outage.away("full")
    assert lines(caplog) == ["the bus is away"]


def test_while_one_part_sees_it_away_another_that_does_not_says_nothing(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("reading")
    for _ in range(100):
        outage.away("full", "platform")
        outage.back("ingest")
    assert lines(caplog) == ["the bus is away"]
    outage.back("platform")
    assert lines(caplog) == ["the bus is back"]


def test_an_outage_that_flutters_fills_no_log(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("writing")
    for _ in range(1000):
        outage.away("full")
        outage.back()
        watch.at += 0.05
    assert lines(caplog) == ["the bus is away", "the bus is back"]


def test_it_lasts_until_a_try_succeeds_or_nobody_tried_for_a_minute(watch: Watch) -> None:
    outage = Outage("writing")
    assert not outage.lasts
    outage.away("full")
    watch.at += AGAIN_S - 1
    assert outage.lasts
    watch.at += 1
    assert not outage.lasts
    outage.away("full")
    outage.back()
    assert not outage.lasts


def test_what_a_resting_connection_cancels_as_it_closes_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Exception | None] = [Cancelled(), None, Cancelled(), Cancelled()]

    class Cluster:
        def describe_cluster(self) -> None:
            answer = answers.pop(0)
            if answer is not None:
                raise answer

        def close(self) -> None:
            return None

    bus = KafkaBus(["127.0.0.1:1"], "", {})
    monkeypatch.setattr(bus, "_connected", Cluster)
    assert bus.ready()
    assert not bus.ready()
    assert answers == []
    bus.close()


def test_a_cluster_that_answers_but_stores_nothing_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cluster:
        def describe_cluster(self) -> None:
            return None

        def close(self) -> None:
            return None

    bus = KafkaBus(["127.0.0.1:1"], "", {})
    monkeypatch.setattr(bus, "_connected", Cluster)
    assert bus.ready()
    bus._writer.outage.away("not enough replicas")
    assert not bus.ready()
    bus._writer.outage.back()
    assert bus.ready()
    bus.close()
