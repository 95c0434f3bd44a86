"""The decision about one agreement: pure, prohibition before permission, unknown refuses, deny by default."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import EVERYONE, Decision, Reason, Request, refused
from dmi_agreements.policy.compiled import CompiledAgreement, CompiledRule
from dmi_agreements.policy.situation import Situation

_WEIGHT: Final = (
    "expired", "not_yet", "duty_open", "condition_unmet", "condition_unknown", "wrong_purpose", "wrong_recipient",
)  # fmt: skip
"""Why a permission did not apply, the nearest miss first."""


_MISSES: Final = {
    "expired": "has expired",
    "not_yet": "has not begun",
    "duty_open": "asks for a duty that has not been fulfilled",
    "condition_unmet": "has a condition that does not hold now",
    "condition_unknown": "has a condition of which is not known whether it holds",
}


def decide(
    agreement: CompiledAgreement, request: Request, now: int, situation: Situation | None = None
) -> Decision:
    """Whether ``agreement`` alone allows ``request`` at ``now`` (microseconds UTC).

    ``situation`` is what is known of this request to this agreement; left out, only the request and the moment are.
    Whether it has been ended, and whether its assigner owns the dataset, the law table knows.
    """
    known = situation or Situation(request.assignee, request.action, request.dataset, request.purpose, now)
    unknown = unknown_term(request, agreement.actions, agreement.purposes)
    if unknown is not None:
        return refused(unknown)
    if agreement.assignee not in (request.assignee, EVERYONE):
        detail = f"{agreement.id} is with another party than {request.assignee}"
        return refused(Reason("wrong_recipient", detail, agreement.id))
    key = (request.action, request.dataset)
    failed: list[Reason] = []
    allowing: list[CompiledRule] = []
    for rule in agreement.permissions.get(key, ()):
        code = rule.failing(request.assignee, request.purpose, now, known)
        if code is None:
            allowing.append(rule)
        else:
            failed.append(near_miss(code, agreement.id, rule, request))
    if not (allowing and agreement.strategy == "perm"):
        for rule in agreement.prohibitions.get(key, ()):
            if rule.failing(request.assignee, request.purpose, now, known) is None:
                return refused(prohibition(agreement.id, rule, request))
    if allowing:
        best = permission(agreement.id, min(allowing, key=lambda rule: rule.burden), request)
        forbidding = agreement.prohibitions.get(key, ())
        return counting(best, ((agreement.id, rule) for rule in forbidding), request)
    if failed:
        return refused(*sorted(failed, key=lambda reason: weight(reason.code)))
    return refused(none_for(request))


def unfit(
    party: str, participant: Participant | None, accepted: Collection[str] | None, *, must_be_active: bool
) -> Reason | None:
    """The reason to refuse whoever ``party`` is; ``accepted``: the versions of which it must have signed one."""
    if participant is None:
        return Reason("unknown_participant", f"{party} is no participant")
    if must_be_active and not participant.active:
        return Reason("inactive_participant", f"{party} is not active")
    if accepted is not None and participant.rulebook not in accepted:
        return Reason("rulebook_not_signed", f"{party} has signed no rulebook that is in force")
    return None


def unknown_term(request: Request, actions: Collection[str], purposes: Collection[str]) -> Reason | None:
    """The reason to refuse a request that uses an action or purpose outside the rulebook."""
    if request.action not in actions:
        return Reason("unknown_term", f"action {request.action!r} is not in the rulebook")
    if request.purpose not in purposes:
        return Reason("unknown_term", f"purpose {request.purpose!r} cannot be requested under the rulebook")
    return None


def permission(agreement: str, rule: CompiledRule, request: Request) -> Decision:
    """The decision that rests on this permission."""
    reason = Reason("allowed", f"permitted by {agreement}", agreement, rule.path)
    counted = ((agreement, rule.path, request.assignee),) if rule.counted else ()
    return Decision(True, (reason,), rule.duties, (agreement,), counted=counted)


def counting(
    decision: Decision, forbidding: Iterable[tuple[str, CompiledRule]], request: Request
) -> Decision:
    """The decision with the prohibitions (agreement, rule) that ask how often this was done: they count it too.

    What a prohibition could never forbid, for its purpose or recipient, uses nothing of it up.
    """
    more = tuple(
        (agreement, rule.path, request.assignee)
        for agreement, rule in forbidding
        if rule.counted and rule.concerns(request.assignee, request.purpose)
    )
    return replace(decision, counted=decision.counted + more) if more else decision


def prohibition(agreement: str, rule: CompiledRule, request: Request) -> Reason:
    """The reason of a prohibition that applies."""
    detail = f"{agreement} prohibits {request.action} of {request.dataset} for {request.purpose}"
    return Reason("prohibited", detail, agreement, rule.path)


def near_miss(code: str, agreement: str, rule: CompiledRule, request: Request) -> Reason:
    """The reason why this permission did not apply, for a code of ``CompiledRule.failing``."""
    moment = rule.ends if code == "expired" else rule.starts if code == "not_yet" else None
    # A refusal by many rules tells one reason each: no more text is put together than is told.
    if code == "wrong_purpose":
        detail = f"{agreement} is for another purpose than {request.purpose}"
    elif code == "wrong_recipient":
        detail = f"{agreement} names other recipients than {request.assignee}"
    else:
        detail = f"{agreement} {_MISSES[code]}"
    return Reason(code, detail, agreement, rule.path, moment)


def none_for(request: Request) -> Reason:
    """The reason when no agreement speaks of this action on this dataset."""
    detail = f"{request.assignee} has no agreement for {request.action} of {request.dataset}"
    return Reason("no_agreement", detail)


def weight(code: str) -> int:
    """Order of near misses: the nearest first."""
    return _WEIGHT.index(code) if code in _WEIGHT else len(_WEIGHT)
