"""A member without a partition: the cluster tells whether it has nothing to do or lacks one."""

from __future__ import annotations

from typing import Any

import pytest
from kafka import TopicPartition

from dmi_infra.bus.kafka.group import left_without

WANTED = {TopicPartition("law", 0), TopicPartition("raw", 0), TopicPartition("raw", 1)}


def group(state: str = "Stable", error: str | None = None, **members: Any) -> dict[str, Any]:
    """A group as the client describes it; members by id with what they hold: topics with their partitions."""
    described = [
        {
            "member_id": name,
            "member_assignment": held
            if isinstance(held, bytes)
            else {"assigned_partitions": [{"topic": t, "partitions": n} for t, n in held.items()]},
        }
        for name, held in members.items()
    ]
    return {"error": error, "group_state": state, "members": described}


ALL = {"law": [0], "raw": [0, 1]}


@pytest.mark.parametrize(
    "found",
    [
        group(busy=ALL, idle={}),
        group(busy=ALL, idle=b""),
        group(busy={"law": [0], "raw": [1]}, second={"raw": [0]}, idle={"law": [], "raw": []}),
    ],
)
def test_a_member_is_left_without_where_the_others_hold_everything(found: dict[str, Any]) -> None:
    assert left_without(found, "idle", WANTED)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (group("PreparingRebalance", busy=ALL, idle={}), "its share may be on its way"),
        (group("Dead"), "there is no group"),
        (group(busy=ALL), "the group has forgotten it"),
        (group(busy={"law": [0], "raw": [0]}, idle={}), "nobody reads raw/1"),
        (group(busy={"raw": [0, 1]}, idle={}), "the leader does not know the topic law yet"),
        (group("Stable", "not authorised", busy=ALL, idle={}), "the cluster does not say"),
    ],
)
def test_a_member_lacks_a_partition_in_any_other_case(found: dict[str, Any], why: str) -> None:
    assert not left_without(found, "idle", WANTED), why


def test_topics_without_partitions_are_read_by_nobody() -> None:
    assert not left_without(group(busy=ALL, idle={}), "idle", set())
