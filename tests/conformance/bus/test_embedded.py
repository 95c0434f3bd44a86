"""What only the embedded log promises: one file, its limits and its care."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from dmi_infra.bus import BusStoreForeign, BusStoreTooNew, BusUnavailable, open_bus
from dmi_infra.bus.embedded.file import OFFSET_BITS
from dmi_infra.bus.embedded.writer import AT_ONCE

RAW = "dmi.observations.raw.v1"
LAW = "dmi.agreements.v1"

WAITING_CONSUMER = """
import sys
from dmi_infra.bus import open_bus
subscription = open_bus(sys.argv[1]).subscribe("platform", [sys.argv[2]], "g")
while True:
    subscription.poll(0.1)
    print(len(subscription.assigned()), flush=True)
"""

FULL_DISK = """
import os, resource, sys
from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import BusUnavailable, Message, open_bus
bus = open_bus(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))
publisher, kept = bus.publisher("ingest"), 0
def one(number):
    envelope = Envelope(str(number), "s", "t", "x")
    publisher.publish("dmi.observations.raw.v1", [Message("k", os.urandom(300_000), envelope)])
try:
    for kept in range(100):
        one(kept)
except BusUnavailable as error:
    print(kept, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
one(kept)
os._exit(0)
"""


FULL_FOR_A_WHILE = """
import logging, os, resource, sys, time
from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import BusUnavailable, Message, open_bus
logging.basicConfig(level=logging.INFO)
bus = open_bus(sys.argv[1])
bus.create_topics()
publisher = bus.publisher("ingest")
def one(size):
    publisher.publish("dmi.observations.raw.v1", [Message("k", os.urandom(size), Envelope("1", "s", "t", "x"))])
one(10)
print(bus.ready())
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
readers = [bus.subscribe("platform", ["dmi.observations.raw.v1"], f"g{n}") for n in range(3)]
for turn in range(10):
    for reader in readers:
        reader.poll(0.2)
    try:
        one(300_000)
    except BusUnavailable:
        pass
print(bus.ready())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
one(10)
print(bus.ready())
for reader in readers:
    reader.poll(1.0)
time.sleep(1.5)
os._exit(0)
"""


@pytest.fixture
def url(tmp_path):
    return f"embedded://{tmp_path}/bus.db"


@pytest.fixture
def open_here():
    opened = []

    def open_one(address):
        opened.append(open_bus(address))
        return opened[-1]

    yield open_one
    for bus in opened:
        bus.close()


def rows(tmp_path, query, *values):
    connection = sqlite3.connect(tmp_path / "bus.db")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def test_compaction_keeps_the_last_message_of_each_key(open_here, url, message, read):
    bus = open_here(url)
    law = bus.publisher("exchange")
    law.publish(LAW, [message(f"agreement-{n % 5}", b"%d" % n) for n in range(3_000)])
    bus.compact()
    found = read(bus.replay("platform", [LAW]), 5)
    assert [int(one.message.value) for one in found] == [2995, 2996, 2997, 2998, 2999]
    assert [one.offset for one in found] == [2995, 2996, 2997, 2998, 2999]


def test_compaction_leaves_other_topics_alone(open_here, url, message, read):
    bus = open_here(url)
    bus.publisher("ingest").publish(RAW, [message("same", b"%d" % n) for n in range(10)])
    bus.publisher("platform").publish(f"{LAW}.rejected", [message("same", b"%d" % n) for n in range(10)])
    bus.compact()
    read(bus.replay("platform", [RAW, f"{LAW}.rejected"]), 20)


def test_old_messages_leave_but_not_before_an_active_group_has_read_them(
    open_here, url, tmp_path, message, read
):
    bus = open_here(f"{url}?retain_days=1")
    bus.publisher("ingest").publish(RAW, [message("k", b"%d" % n) for n in range(10)])
    subscription = bus.subscribe("platform", [RAW], "g")
    assert len(subscription.poll(1.0, max_messages=4)) == 4
    subscription.commit()
    connection = sqlite3.connect(tmp_path / "bus.db")
    with connection:
        connection.execute("UPDATE record SET stored_at = stored_at - 2 * 86400000000")
    connection.close()
    bus.compact()
    assert [one.offset for one in read(bus.replay("platform", [RAW]), 6)] == list(range(4, 10))
    read(subscription, 6)
    subscription.commit()
    bus.compact()
    bus.publisher("ingest").publish(RAW, [message("k", b"new")])
    assert [one.offset for one in read(bus.replay("platform", [RAW]), 1)] == [10]


def test_a_topic_over_its_size_loses_its_oldest_messages_and_the_file_shrinks(
    open_here, url, tmp_path, message
):
    bus = open_here(f"{url}?retain_mb=1")
    for _ in range(30):
        bus.publisher("ingest").publish(RAW, [message("k", os.urandom(200_000))])
    bus.compact()
    count, size = rows(tmp_path, "SELECT count(*), sum(length(value)) FROM record")[0]
    assert 4 <= count <= 6
    assert rows(tmp_path, "SELECT stored_bytes FROM partition WHERE topic = ?", RAW) == [(size,)]
    assert bus.replay("platform", [RAW]).poll(1.0)[-1].offset == 29


def test_a_killed_consumer_gives_its_partitions_to_the_next_at_once(open_here, url, message, read):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING_CONSUMER, url, RAW], stdout=subprocess.PIPE, text=True
    )
    while process.stdout.readline().strip() != "1":
        assert process.poll() is None
    bus = open_here(url)
    bus.publisher("ingest").publish(RAW, [message("k", b"x")])
    subscription = bus.subscribe("platform", [RAW], "g")
    assert subscription.poll(0.3) == []
    process.kill()
    process.communicate()
    started = time.monotonic()
    read(subscription, 1)
    assert time.monotonic() - started < 2


def test_a_full_disk_refuses_clearly_and_publishing_resumes_when_there_is_room(open_here, url):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    kept, text = done.stdout.split(" ", 1)
    assert "could not store the messages" in text
    found = open_here(url).replay("platform", [RAW]).poll(2.0)
    assert [one.message.envelope.id for one in found] == [*map(str, range(int(kept))), kept]


def test_a_disk_that_is_full_is_said_in_few_lines_and_by_readiness(url):
    done = subprocess.run(
        [sys.executable, "-c", FULL_FOR_A_WHILE, url], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["True", "False", "True"], done.stderr
    lines = done.stderr.splitlines()
    for what in ("reading", "writing"):
        mine = [line for line in lines if f"{what} the bus file" in line]
        assert [("is away" in line, "is back" in line) for line in mine] == [(True, False), (False, True)]
    assert len(lines) == 4, done.stderr


def test_a_file_of_a_newer_version_is_refused(url, tmp_path):
    open_bus(url).close()
    connection = sqlite3.connect(tmp_path / "bus.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BusStoreTooNew, match="newer version"):
        open_bus(url)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 100, None])
def test_a_foreign_file_is_refused_and_left_as_it_is(url, tmp_path, content):
    path = tmp_path / "bus.db"
    if content is None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
        connection.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(BusStoreForeign):
        open_bus(url)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BusUnavailable, match="folder"):
        open_bus(f"embedded://{tmp_path}/file/bus.db")


def test_large_values_are_packed_and_small_ones_are_not(open_here, url, tmp_path, message):
    bus = open_here(url)
    bus.publisher("ingest").publish(RAW, [message("k", b"a" * 100_000), message("k", b"a" * 100)])
    assert rows(tmp_path, "SELECT packed, length(value) < 10000 FROM record") == [(1, 1), (0, 1)]


def test_closing_stores_what_was_submitted_and_leaves_no_thread(url, message):
    before = set(threading.enumerate())
    bus = open_bus(url)
    publisher = bus.publisher("ingest")
    sender = threading.Thread(target=publisher.publish, args=(RAW, [message("k", b"x")] * 5_000))
    sender.start()
    while not bus.replay("platform", [RAW]).poll(0.01) and sender.is_alive():
        pass
    bus.close()
    sender.join()
    assert {t for t in threading.enumerate() if t not in before} == set()
    again = open_bus(url)
    assert again.replay("platform", [RAW]).poll(1.0)
    again.close()


def test_another_topic_setting_leaves_the_partitions_of_a_file_as_they_are(open_here, url, message, read):
    bus = open_here(f"{url}?partitions=3")
    bus.create_topics()
    bus.publisher("ingest").publish(RAW, [message(f"k{n}", b"x") for n in range(30)])
    bus.close()
    again = open_here(f"{url}?partitions=1")
    replay = again.replay("platform", [RAW])
    read(replay, 30)
    assert len(replay.assigned()) == 3


def test_record_ids_hold_partition_and_offset(open_here, url, tmp_path, message):
    bus = open_here(url)
    bus.publisher("ingest").publish(RAW, [message("k", b"x"), message("k", b"y")])
    ids = [row[0] for row in rows(tmp_path, "SELECT id FROM record ORDER BY id")]
    assert [id_ & ((1 << OFFSET_BITS) - 1) for id_ in ids] == [0, 1]


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1])
def test_a_group_is_stored_whole_in_order_whether_one_statement_takes_it_or_not(
    open_here, url, message, read, count
):
    bus = open_here(f"{url}?partitions=3")
    sent = [message(f"k{n}", b"%d" % n) for n in range(count)]
    for _ in range(2):
        bus.publisher("ingest").publish(RAW, sent)
    found = read(bus.replay("platform", [RAW]), 2 * count)
    assert sorted(int(one.message.value) for one in found) == sorted(2 * [*range(count)])
    for number in range(3):
        mine = [one for one in found if one.partition == number]
        assert [one.offset for one in mine] == [*range(len(mine))]
        values = [int(one.message.value) for one in mine]
        assert values[: len(values) // 2] == values[len(values) // 2 :]


@pytest.mark.parametrize("count", [1, AT_ONCE + 1])
def test_a_message_whose_partition_left_the_file_is_refused(open_here, url, tmp_path, message, count):
    publisher = open_here(url).publisher("ingest")
    publisher.publish(RAW, [message("k", b"x")])
    with closing(sqlite3.connect(tmp_path / "bus.db")) as other, other:
        other.execute("DELETE FROM partition")
    with pytest.raises(BusUnavailable, match="the partition is missing"):
        publisher.publish(RAW, [message("k", b"x")] * count)
    assert len(rows(tmp_path, "SELECT id FROM record")) == 1


def test_the_size_limit_of_this_test_process_is_untouched():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
