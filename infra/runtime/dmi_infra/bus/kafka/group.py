"""What the cluster says of a group: whether a member without a partition lacks one, or has nothing to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka import TopicPartition


def left_without(description: Mapping[str, Any], member: str, wanted: Collection[TopicPartition]) -> bool:
    """Whether the group is at rest, counts ``member``, and has given every ``wanted`` partition to its members.

    At rest alone would not do: a leader that does not know a topic yet gives nobody a partition of it.
    """
    if description["error"] or description["group_state"] != "Stable":
        return False
    members = {each["member_id"]: each["member_assignment"] for each in description["members"]}
    held = {
        TopicPartition(topic["topic"], number)
        for assignment in members.values()
        # Of a member that was given nothing the client may hand on empty bytes.
        if isinstance(assignment, Mapping)
        for topic in assignment["assigned_partitions"]
        for number in topic["partitions"]
    }
    return member in members and bool(wanted) and held.issuperset(wanted)
