"""Who may decide about measures: a person at this moment, or one who let a rule publish by itself until later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Reason
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate
from dmi_infra.identity import Identity
from dmi_support_centre.models.measures import Automatic

DECIDERS: Final = ("dmi:role:municipality", "dmi:role:operator", "dmi:role:analyst")
"""Roles of the rulebook whose holders take measures in the city, or work for who does."""


def allow(person: Identity, until: Micros) -> Automatic:
    """A person lets a rule publish by itself; the roles in which it does so have to last as long."""
    return Automatic(person.participant, until, sorted(person.roles.intersection(DECIDERS)))


class Deciding:
    """One rule for all decisions: a role that may decide, which the participant holds, and its right to publish.

    A token tells of a person what it was at sign-in; the law tells of its participant what it is now.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def check(self, person: Identity, datasets: Sequence[str]) -> None:
        """Raise ``Refused`` unless a person may decide about measures that rest on these datasets."""
        self._insist(person.participant, person.roles.intersection(DECIDERS), datasets)

    def check_later(self, automatic: Automatic, datasets: Sequence[str]) -> None:
        """Raise ``Refused`` unless who let a rule publish by itself may still decide about these datasets."""
        # Of what was allowed by an earlier version the role was not kept: any that may decide will do.
        self._insist(automatic.decided_by, automatic.roles or DECIDERS, datasets)

    def _insist(self, participant: str, roles: Collection[str], datasets: Sequence[str]) -> None:
        member = self._gate.law.participants.get(participant)
        held = member.roles if member is not None and member.active else []
        if not set(held).intersection(roles):
            detail = f"{participant} does not hold, or no longer, a role that decides about measures"
            raise Refused([Reason("wrong_role", detail)], datasets[0] if datasets else "")
        for dataset in datasets:
            # Asked ahead: publishing itself decides and records.
            reasons = self._gate.entitled("measures", "dmi:publish", dataset, participant)
            if reasons:
                raise Refused(reasons, dataset)
