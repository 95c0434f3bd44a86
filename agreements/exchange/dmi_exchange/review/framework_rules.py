"""Rules of the framework: limits, terms, roles, commons, open data, and parties that take part."""

from __future__ import annotations

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.decision import EVERYONE
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.rulebook import ROOT_PURPOSE
from dmi_agreements.rulebook_terms import Limit
from dmi_exchange.review.case import UNKNOWN_PARTY, Case
from dmi_exchange.review.claims import Claim
from dmi_exchange.review.edits import Repair
from dmi_infra.clock import to_text

DAY = 86_400_000_000
SECOND = 1_000_000
HIGH_VALUE = "dmi:data:high-value"
HAND_IN = frozenset({"dmi:contribute"})
KEEPS = "dmi:deleteAfter"


def limits(case: Case) -> None:
    """Numbers of duties keep to the limits, and the duties that a limit requires are there."""
    if case.claims.consent:
        return  # It has no duties: the agreement of its recipient has them.
    for claim in case.claims.permissions:
        for limit in case.book.limits.values():
            if limit.kind == "duty" and applies(case, claim, limit):
                _judge_duty(case, claim, limit)


def _judge_duty(case: Case, claim: Claim, limit: Limit) -> None:
    duty, text = limit.duty or "", case.label(limit.id)
    amount = claim.amount(duty)
    wanted = limit.maximum if limit.maximum is not None else limit.minimum
    if amount is not None and limit.minimum is not None and amount < limit.minimum:
        wanted = limit.minimum
    elif not (limit.required if amount is None else limit.maximum is not None and amount > limit.maximum):
        return
    unit = f"{wanted} {limit.unit.strip('{}')}"
    mended = case.repair(
        claim, lambda place: place.duty(duty, (limit.parameter or "", wanted)),
        f"{text['nl'].lower()}: {unit}", f"{text['en'].lower()}: {unit}",
    )  # fmt: skip
    if amount is None:
        rule = "retention" if duty == KEEPS else "limit"
        nl, en = f"niets over: {text['nl'].lower()}", f"nothing about: {text['en'].lower()}"
    else:
        rule = "limit"
        nl = f"{text['nl'].lower()}: {amount}, afgesproken is {unit}"
        en = f"{text['en'].lower()}: {amount}, agreed is {unit}"
    case.find(rule, f"{claim.path}/duty", nl, en, [mended])


def term(case: Case) -> None:
    """What has to end ends in time."""
    for claim in case.claims.permissions:
        bounds = {
            limit.maximum: limit.id
            for limit in case.book.limits.values()
            if limit.kind == "term" and limit.maximum is not None and applies(case, claim, limit)
        }
        if not bounds:
            continue
        days = min(bounds)
        latest = (case.now + days * DAY) // SECOND * SECOND
        if claim.ends > latest:
            text = case.label(bounds[days])
            case.find(
                "term", f"{claim.path}/constraint",
                f"{text['nl'].lower()}: ten hoogste {days} dagen", f"{text['en'].lower()}: {days} days at most",
                [_end(case, claim, latest, to_text(latest))],
            )  # fmt: skip


def expired(case: Case) -> None:
    """At least one permission has not ended yet."""
    if case.claims.permissions and all(claim.ends < case.now for claim in case.claims.permissions):
        last = max(case.claims.permissions, key=lambda claim: claim.ends)
        shortest = min(
            (limit.maximum for limit in case.book.limits.values() if limit.kind == "term" and limit.maximum),
            default=30,
        )
        latest = (case.now + shortest * DAY) // SECOND * SECOND
        when = to_text(last.ends)
        case.find(
            "expired", f"{last.path}/constraint", f"geëindigd op {when}", f"ended at {when}",
            [_end(case, last, latest, to_text(latest))],
        )  # fmt: skip


def _end(case: Case, claim: Claim, moment: int, text: str) -> Repair | None:
    return case.repair(
        claim, lambda place: place.end(moment), f"laat het eindigen op {text}", f"let it end at {text}"
    )


def role(case: Case) -> None:
    """Each party has a role that lets it do this."""
    claims = case.claims
    giving = claims.assigner
    if not case.may(giving, "consent" if giving.startswith(PERSON) else "offer"):
        case.find(
            "role", "/assigner", f"{case.name(giving)} heeft geen rol waarmee dit recht te geven is",
            f"{case.name(giving)} has no role that can give this right",
        )  # fmt: skip
    taking = claims.assignee
    if taking in (EVERYONE, UNKNOWN_PARTY) or taking.startswith(PERSON):
        return
    only_hand_in = all(claim.actions <= HAND_IN for claim in claims.permissions)
    if not case.may(taking, "use", *(("contribute",) if only_hand_in else ())):
        case.find(
            "role", "/assignee", f"{case.name(taking)} heeft geen rol om gegevens te gebruiken",
            f"{case.name(taking)} has no role to use data",
        )  # fmt: skip


def commons(case: Case) -> None:
    """What one party takes from another's commons stays within the year's amount."""
    limit = next((one for one in case.book.limits.values() if one.kind == "commons"), None)
    claims = case.claims
    if (
        limit is None
        or limit.maximum is None
        or claims.consent
        or claims.assignee in (EVERYONE, UNKNOWN_PARTY)
    ):
        return
    free = {name for claim in claims.permissions if not claim.priced for name in claim.datasets}
    found = [case.facts.dataset(name) for name in claims.datasets if name in free]
    offered: list[Dataset] = [d for d in found if d is not None and d.commons_cents > 0]
    if not offered:
        return
    asked = {d.id: d.commons_cents for d in offered}
    others = case.facts.taken(claims.assigner, claims.assignee, claims.uid)
    # What is taken by another agreement already is not taken twice.
    taken = sum(cents for name, cents in others.items() if name not in asked)
    wanted = sum(asked.values())
    if taken + wanted <= limit.maximum:
        return
    left = euros(max(0, limit.maximum - taken))
    # What is left out of some permissions and stays in others is taken all the same.
    repairs = [case.leave_out_free(d.id) for d in sorted(offered, key=lambda d: d.commons_cents)]
    case.find(
        "commons", "/permission", f"gevraagd {euros(wanted)} euro, over is {left} euro",
        f"asked {euros(wanted)} euros, left are {left} euros", repairs,
    )  # fmt: skip


def euros(cents: int) -> str:
    """An amount of cents in euros, exact."""
    return f"{cents // 100}.{cents % 100:02}"


def high_value(case: Case) -> None:
    """High-value data that everyone gets is open for any purpose, as it is."""
    if case.claims.assignee != EVERYONE or case.claims.consent:
        return
    for claim in case.claims.permissions:
        if not any(case.book.in_category(d.data_category, HIGH_VALUE) for d in case.data(claim)):
            continue
        if claim.purposes != case.book.requestable:
            case.find(
                "high-value", f"{claim.path}/constraint", "niet elk doel mag", "not every purpose is allowed",
                [case.use_purpose(claim, ROOT_PURPOSE)],
            )  # fmt: skip
        if claim.duties:
            mended = case.repair(
                claim,
                lambda place: place.without_duties(),
                "laat de voorwaarden weg",
                "leave the conditions out",
            )
            case.find(
                "high-value", f"{claim.path}/duty", "er zijn voorwaarden", "there are conditions", [mended]
            )


def left(case: Case) -> None:
    """Both parties take part."""
    for place, party in (("/assigner", case.claims.assigner), ("/assignee", case.claims.assignee)):
        known = case.participant(party)
        if known is not None and not known.active:
            case.find("left", place, f"{known.name} doet niet meer mee", f"{known.name} takes part no more")


def withdrawn(case: Case) -> None:
    """The data is in the catalogue."""
    for claim in case.claims.permissions:
        for dataset in case.data(claim):
            if dataset.withdrawn:
                case.find(
                    "withdrawn", f"{claim.path}/target",
                    f"“{dataset.title.get('nl', dataset.id)}” is teruggetrokken",
                    f"“{dataset.title.get('en', dataset.id)}” has been withdrawn",
                    [case.leave_out(claim, dataset.id)],
                )  # fmt: skip


def applies(case: Case, claim: Claim, limit: Limit) -> bool:
    """Whether a limit is about this permission: its actions, the legal basis, the data."""
    if limit.actions and not claim.actions.intersection(limit.actions):
        return False
    if limit.bases and case.claims.basis not in limit.bases:
        return False
    if not limit.data:
        return True
    # Figures about groups are bounded by the size of the group, which is about data of persons all the same.
    found = case.data(claim) if limit.duty == "dmi:suppress" else case.personal(claim)
    return any(case.book.in_category(d.data_category, wider) for d in found for wider in limit.data)
