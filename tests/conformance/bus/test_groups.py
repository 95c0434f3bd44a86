"""What every bus promises about groups, positions, replay and restart."""

from __future__ import annotations

import time

import pytest

from dmi_infra import consumer
from dmi_infra.health import Well
from dmi_infra.telemetry import Metrics

RAW = "dmi.observations.raw.v1"
LAW = "dmi.agreements.v1"
PARTITIONS = frozenset((RAW, number) for number in range(4))


def publish(bus, message, count, start=0):
    bus.publisher("ingest").publish(
        RAW, [message(f"key-{n % 16}", b"%d" % n) for n in range(start, start + count)]
    )


def values(found):
    return sorted(int(m.message.value) for m in found)


def drain(subscriptions, count, timeout=30.0):
    """Polls in turn, as two processes would at the same time."""
    found = [[] for _ in subscriptions]
    deadline = time.monotonic() + timeout
    while sum(map(len, found)) < count and time.monotonic() < deadline:
        for subscription, of_it in zip(subscriptions, found, strict=True):
            of_it += subscription.poll(0.2)
    return found


def shared(subscriptions, timeout=30.0):
    """Polls until the members hold all partitions between them."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for subscription in subscriptions:
            subscription.poll(0.1)
        held = [subscription.assigned() for subscription in subscriptions]
        if all(held) and sum(map(len, held)) == len(PARTITIONS) == len(frozenset().union(*held)):
            return held
    raise AssertionError(f"not shared: {held}")


def test_two_members_share_the_partitions_and_each_message_comes_once(bus, open_it, message):
    members = [bus.subscribe("platform", [RAW], "g"), open_it().subscribe("platform", [RAW], "g")]
    held = shared(members)
    assert [len(of_it) for of_it in held] == [2, 2]
    publish(bus, message, 200)
    found = drain(members, 200)
    assert values(found[0] + found[1]) == list(range(200))
    for of_it, partitions in zip(found, held, strict=True):
        assert {(m.topic, m.partition) for m in of_it} <= partitions


def test_two_groups_each_read_everything(bus, message, read):
    publish(bus, message, 50)
    for group in ("one", "two"):
        assert values(read(bus.subscribe("platform", [RAW], group), 50)) == list(range(50))


def test_a_member_that_leaves_hands_its_partitions_over(bus, open_it, message):
    members = [bus.subscribe("platform", [RAW], "g"), open_it().subscribe("platform", [RAW], "g")]
    shared(members)
    members[0].close()
    assert shared(members[1:]) == [PARTITIONS]
    publish(bus, message, 40)
    assert values(drain(members[1:], 40)[0]) == list(range(40))


def test_a_restart_goes_on_behind_the_committed_position(bus, open_it, message, read):
    publish(bus, message, 30)
    first = bus.subscribe("platform", [RAW], "g")
    read(first, 30)
    first.commit()
    publish(bus, message, 10, start=30)
    read(first, 10)
    first.close()
    second = open_it().subscribe("platform", [RAW], "g")
    assert values(read(second, 10)) == list(range(30, 40))


def test_without_a_commit_everything_is_delivered_again(bus, message, read):
    publish(bus, message, 30)
    first = bus.subscribe("platform", [RAW], "g")
    read(first, 30)
    first.close()
    read(bus.subscribe("platform", [RAW], "g"), 30)


def test_a_reader_that_starts_at_the_end_sees_only_what_comes_after(bus, message, read):
    publish(bus, message, 10)
    subscription = bus.subscribe("platform", [RAW], "g", from_start=False)
    while subscription.assigned() != PARTITIONS or any(subscription.lag().values()):
        assert subscription.poll(0.2) == []
    publish(bus, message, 5, start=10)
    assert values(read(subscription, 5)) == list(range(10, 15))


def test_a_consumer_with_its_own_store_is_asked_for_its_positions(bus, message, read):
    publish(bus, message, 60)
    store = {}
    for found in read(bus.replay("platform", [RAW]), 60):
        if int(found.message.value) < 30:
            store[(found.topic, found.partition)] = found.offset + 1
    asked = []

    def positions(partitions):
        asked.append(partitions)
        return {partition: store[partition] for partition in partitions}

    subscription = bus.subscribe("platform", [RAW], "g", on_assign=positions)
    assert values(read(subscription, 30)) == list(range(30, 60))
    assert frozenset().union(*asked) == PARTITIONS


def test_partitions_without_a_position_of_their_own_start_as_usual(bus, message, read):
    publish(bus, message, 20)
    read(bus.subscribe("platform", [RAW], "g", on_assign=lambda partitions: None), 20)


def test_seek_reads_again_and_skips(bus, message, read):
    publish(bus, message, 20)
    subscription = bus.subscribe("platform", [RAW], "g")
    ends = {(m.topic, m.partition): m.offset + 1 for m in read(subscription, 20)}
    subscription.seek(dict.fromkeys(ends, 0))
    assert values(read(subscription, 20)) == list(range(20))
    subscription.seek({partition: end - 1 for partition, end in ends.items()})
    assert len(read(subscription, len(ends))) == len(ends)


def test_a_seek_before_the_first_poll_holds(bus, message, read):
    publish(bus, message, 20)
    ends = {(m.topic, m.partition): m.offset + 1 for m in read(bus.replay("platform", [RAW]), 20)}
    subscription = bus.subscribe("platform", [RAW], "g")
    subscription.seek(ends)
    while subscription.assigned() != PARTITIONS:
        subscription.poll(0.2)
    publish(bus, message, 1, start=20)
    assert values(read(subscription, 1)) == [20]


def test_replay_has_everything_without_a_group_and_goes_on_live(bus, open_it, message, read):
    law = bus.publisher("exchange")
    law.publish(LAW, [message(f"agreement-{n}", b"%d" % n) for n in range(10)])
    replays = [bus.replay("platform", [LAW]), open_it().replay("ingest", [LAW])]
    for replay in replays:
        read(replay, 10)
        assert replay.lag() == {(LAW, 0): 0}
    law.publish(LAW, [message("agreement-3", b"ended")])
    for replay in replays:
        assert read(replay, 1)[0].message.value == b"ended"


def test_lag_counts_what_is_not_polled(bus, message, read):
    subscription = bus.subscribe("platform", [RAW], "g")
    assert subscription.lag() == {}
    publish(bus, message, 40)
    found = []
    while not found:
        found = subscription.poll(1.0, max_messages=10)
    assert len(found) <= 10
    while len(found) < 40:
        found += subscription.poll(1.0, max_messages=10)
    subscription.poll(0.1)
    assert subscription.lag() == dict.fromkeys(PARTITIONS, 0)


def test_one_poll_gives_at_most_what_was_asked_for(bus, message, read):
    publish(bus, message, 40)
    subscription = bus.subscribe("platform", [RAW], "g")
    sizes = []
    while sum(sizes) < 40:
        sizes.append(len(subscription.poll(1.0, max_messages=7)))
    assert max(sizes) == 7


def test_a_poll_without_messages_ends_at_its_timeout(bus):
    subscription = bus.subscribe("platform", [RAW], "g")
    while not subscription.assigned():
        subscription.poll(0.2)
    started = time.monotonic()
    assert subscription.poll(0.6) == []
    assert 0.5 < time.monotonic() - started < 1.5


def warnings(caplog):
    found = [record.getMessage() for record in caplog.records if record.name.startswith("dmi_infra.bus")]
    caplog.clear()
    return found


@pytest.mark.parametrize("from_start", [True, False])
def test_a_position_behind_the_end_is_of_a_lost_log_and_reading_begins_at_its_start(
    bus, message, read, caplog, from_start
):
    publish(bus, message, 20)
    far = lambda partitions: dict.fromkeys(partitions, 1_000)  # noqa: E731
    subscription = bus.subscribe("platform", [RAW], "g", on_assign=far, from_start=from_start)
    assert values(read(subscription, 20)) == list(range(20))
    (warning,) = warnings(caplog)
    assert "lost messages" in warning
    assert all(f"{RAW}/{number} (not from 1000)" in warning for _, number in PARTITIONS)
    publish(bus, message, 5, start=20)
    assert values(read(subscription, 5)) == list(range(20, 25))
    assert warnings(caplog) == []


@pytest.mark.parametrize("assigned", [True, False])
def test_a_seek_behind_the_end_of_a_lost_log_begins_at_its_start(bus, message, read, caplog, assigned):
    publish(bus, message, 20)
    subscription = bus.subscribe("platform", [RAW], "g")
    if assigned:
        read(subscription, 20)
    subscription.seek(dict.fromkeys(PARTITIONS, 1_000))
    assert values(read(subscription, 20)) == list(range(20))
    # On a busy machine the group may get its partitions in more than one step.
    told = " ".join(warnings(caplog))
    assert told.count("(not from 1000)") == len(PARTITIONS)


def test_a_position_at_the_end_is_no_loss(bus, message, read, caplog):
    publish(bus, message, 20)
    ends = {(m.topic, m.partition): m.offset + 1 for m in read(bus.replay("platform", [RAW]), 20)}
    subscription = bus.subscribe("platform", [RAW], "g", on_assign=lambda partitions: ends)
    while subscription.assigned() != PARTITIONS or any(subscription.lag().values()):
        assert subscription.poll(0.2) == []
    publish(bus, message, 1, start=20)
    assert values(read(subscription, 1)) == [20]
    assert warnings(caplog) == []


class Nothing:
    """A handler that keeps no position."""

    def positions(self):
        return {}

    def handle(self, messages):
        pass

    def reject(self, message, reason):
        raise AssertionError(reason)


def test_a_consumer_for_which_no_partition_is_left_is_well_and_says_so_until_it_takes_over(bus, monkeypatch):
    monkeypatch.setattr(consumer, "IDLE_SECONDS", 8.0)
    # The law topic has one partition.
    loops = [consumer.ConsumerLoop(bus, "platform", [LAW], Nothing(), Metrics(f"t{n}")) for n in range(2)]
    for loop in loops:
        loop.start()
    try:
        deadline = time.monotonic() + 40
        while not any(loop.check() for loop in loops) and time.monotonic() < deadline:
            time.sleep(0.1)
        (spare,) = [loop for loop in loops if loop.check() is not None]
        for _ in range(30):
            assert isinstance(spare.check(), Well)
            assert f"other members of the group read all of {LAW}" in spare.check()
            time.sleep(0.1)
        loops[1 - loops.index(spare)].stop()
        while spare.check() is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert spare.check() is None, "it took over"
    finally:
        for loop in loops:
            loop.stop()


def test_a_member_with_partitions_or_of_no_group_is_not_spare(bus, message, read):
    publish(bus, message, 10)
    for subscription in (bus.subscribe("platform", [RAW], "g"), bus.replay("platform", [RAW])):
        read(subscription, 10)
        assert not subscription.spare()
