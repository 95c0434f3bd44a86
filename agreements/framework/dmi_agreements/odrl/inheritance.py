"""Policies that inherit from others (section 2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import Policy


def inherit(policy: Policy, others: Mapping[str, Policy]) -> Policy:
    """``policy`` with the rules of all that it inherits from, at any depth, before its own.

    A parent that is not at hand and a circle are refused. Conflict strategies that differ make a conflict void
    the policy (section 2.10), so the result then has ``invalid``.
    """
    if not policy.inherits:
        return policy
    lines: list[Policy] = []
    _collect(policy, others, (), lines)
    strategies = {each.conflict for each in lines if each.conflict is not None}
    return replace(
        policy,
        permissions=tuple(rule for each in lines for rule in each.permissions),
        prohibitions=tuple(rule for each in lines for rule in each.prohibitions),
        obligations=tuple(rule for each in lines for rule in each.obligations),
        profiles=tuple(dict.fromkeys(profile for each in lines for profile in each.profiles)),
        things=tuple(thing for each in lines for thing in each.things),
        conflict=strategies.pop() if len(strategies) == 1 else ("invalid" if strategies else None),
    )


def _collect(
    policy: Policy, others: Mapping[str, Policy], below: tuple[str, ...], lines: list[Policy]
) -> None:
    for position, uid in enumerate(policy.inherits):
        path = f"/inheritFrom/{position}"
        if uid == policy.uid or uid in below:
            raise PolicyRefused((Finding(path, "a policy must not inherit from itself", uid),))
        if uid not in others:
            raise PolicyRefused((Finding(path, "the policy that it inherits from is not at hand", uid),))
        if all(each.uid != uid for each in lines):
            _collect(others[uid], others, (*below, policy.uid), lines)
    lines.append(policy)
