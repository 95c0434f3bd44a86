"""Whose share of a service somebody takes: who can name more of its kind has no more by it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from dmi_agreements.contracts.law import Participant
from dmi_agreements.table import LawTable
from dmi_infra.identity import Identity
from dmi_infra.room import whose_share

NODE = "http://b.example/exchange"
KNOWN = [
    Participant("urn:b1", "B 1", [], home=NODE),
    Participant("urn:b2", "B 2", [], home=NODE),
    Participant("urn:own", "Own", []),
    Participant("urn:machine", "Machine", [], machine_of="urn:own"),
]


def test_members_of_another_node_have_its_share_and_those_of_this_one_their_own() -> None:
    law = cast(LawTable, SimpleNamespace(participants={one.id: one for one in KNOWN}))

    def share(who: str) -> str:
        return whose_share(law, Identity(who, "", frozenset()))

    assert [share(one.id) for one in KNOWN] == [NODE, NODE, "urn:own", "urn:own"]
    assert share("urn:unknown") == "urn:unknown"
