"""Ids of agreements, consents and mandates as people give them: whole, or the short form that the pages show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dmi_command.client import Client
from dmi_command.errors import UsageWrong

SHORT: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
"""The beginning of a UUID; the pages show its first eight characters."""
SHORT_LENGTH: Final = 8
"""Characters of a short id, unless two in one list begin alike for longer."""
UUID_LENGTH: Final = 36
SAID_WITHOUT: Final = re.compile(r"urn:dmi:(?:(?:participant|party|dataset):)?(?=.)")
"""How the ids begin that people say without it: gemeente, everyone, gemeente:garages; but person:noor."""


def whole_id(client: Client, given: str, *lists: str) -> str:
    """The id that ``given`` stands for among the caller's ``lists`` (``agreements``, ``consents``, ``mandates``).

    What is no beginning of a UUID is an id already. Raises ``UsageWrong`` unless exactly one fits.
    """
    if not SHORT.fullmatch(given):
        return given
    fitting = sorted(
        item["id"]
        for name in lists
        for item in client.get(f"/exchange/v1/{name}")["items"]
        if item["id"].rpartition(":")[2].startswith(given.lower())
    )
    if len(fitting) == 1:
        return str(fitting[0])
    if fitting:
        listed = "".join(f"\n  {each}" for each in fitting)
        raise UsageWrong(f"{given} is the beginning of {len(fitting)} ids; give one of them whole:{listed}")
    if len(given) == UUID_LENGTH:
        return given  # the whole UUID of something else, such as a scenario
    kinds = [name.removesuffix("s") for name in lists]
    shown = " and ".join(f"dmi {kind} list" for kind in kinds)
    raise UsageWrong(
        f"no {' or '.join(kinds)} of this identity begins with {given}; see {shown}, "
        "or give another identity with --as"
    )


def in_brief(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items for a narrow terminal: each ``id`` as the short form that ``whole_id`` takes, names without ``urn``."""
    uuids = [str(item["id"]).rpartition(":")[2] for item in items]
    length = next(n for n in range(SHORT_LENGTH, UUID_LENGTH + 1) if _differ(uuids, n))
    return [{**item, "id": uuid[:length]} for item, uuid in zip(names_in_brief(items), uuids, strict=True)]


def names_in_brief(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items with names as people say them, without ``urn:dmi:``."""
    return [{name: _said(value) for name, value in item.items()} for item in items]


def entries_in_brief(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries of the log likewise; the mandate that was acted by as the short form that the pages show."""
    return [
        {**item, "mandate": str(item["mandate"]).rpartition(":")[2][:SHORT_LENGTH]}
        if item.get("mandate")
        else item
        for item in names_in_brief(items)
    ]


def _differ(uuids: Sequence[str], length: int) -> bool:
    return length == UUID_LENGTH or len({uuid[:length] for uuid in uuids}) == len(set(uuids))


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(each) for each in value]
    return SAID_WITHOUT.sub("", value, count=1) if isinstance(value, str) else value
