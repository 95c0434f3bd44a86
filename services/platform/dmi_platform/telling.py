"""Whose sensors are told: names, places and properties of things lead to persons as their rows do."""

from __future__ import annotations

from dmi_agreements.duties import together
from dmi_agreements.rights import ALL_ROWS
from dmi_infra.gate import Gate, Permit
from dmi_platform.model import Whose


def sensors_told(gate: Gate, permit: Permit) -> Whose | None:
    """Whose sensors are told under a permit. ``None``: all are.

    The owner named them itself. Who gets means of many gets no row of a person, so no sensor either; and of who
    objects, or had all erased, nothing more is told than of its rows.
    """
    entry = gate.law.datasets.get(permit.dataset)
    if entry is None or not entry.personal or entry.owner == permit.requests[-1].assignee:
        return None
    if together(permit.duties):
        return Whose(())
    if permit.personal:
        return Whose(tuple(gate.subjects(permit) or ()))
    return Whose(tuple(who for who, until in gate.left_out(permit).items() if until == ALL_ROWS), but=True)
