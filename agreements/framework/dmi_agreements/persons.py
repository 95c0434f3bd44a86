"""What a person may do with its own data, and who acts for a person that does not decide alone, such as a child."""

from __future__ import annotations

from typing import Final

from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Reason, Request
from dmi_agreements.policy.terms import PERSON

COPY: Final = "dmi:export"
"""What a person may do whatever the owner has agreed with the layer: take a copy along."""

RESIDENT: Final = "dmi:role:resident"
"""The role of a natural person that holds nothing but its rights."""

OWN_ACTIONS: Final = frozenset({"dmi:read", "dmi:display", COPY})
"""What a person may do with its own rows without an agreement of its own."""

OWN_LOOKS: Final = frozenset({"dmi:read", COPY})
"""What a person may do with what is kept of it although it has withdrawn its consent (GDPR art. 15 and 16)."""

LETTER_COUNTS: Final[Micros] = 90 * 86_400_000_000
"""How long the code of a letter lets in whoever holds it."""


def own_data(request: Request) -> bool:
    """Whether a person asks to see or take what it contributed itself (GDPR art. 15 and 20)."""
    return request.assignee.startswith(PERSON) and request.action in OWN_ACTIONS


def own_look(request: Request) -> bool:
    """Whether a person, or who represents it, asks to read or take what is kept of it: that waits for no consent.

    Maps show it under consent alone, and so does whoever holds a mandate of the person: that is somebody else.
    """
    return own_data(request) and request.action in OWN_LOOKS and not request.mandate


def represents(party: Participant | None, person: Participant | None, now: Micros) -> bool:
    """Whether ``party`` acts for ``person`` at ``now``: for a child until it is of age; who has left, for nobody."""
    if party is None or not party.active or person is None or party.id not in person.representatives:
        return False
    return person.of_age_at is None or now < person.of_age_at


def letter_stands(maker: Participant | None, person: Participant, now: Micros) -> bool:
    """Whether who had a letter made may still act for its person: itself, who represents it now, or the desk."""
    if maker is None or maker.id == person.id:
        return maker is not None
    # Persons alone represent persons, so who else had it made is the desk.
    return represents(maker, person, now) if maker.id.startswith(PERSON) else maker.active


def not_represented(
    request: Request,
    actor: Participant | None,
    person: Participant | None,
    dataset: Dataset | None,
    now: Micros,
) -> Reason | None:
    """Why the actor of ``request`` may not act for ``person`` without a mandate; ``None`` when it may.

    It may in what the person may do with its own data; of one that has left, it takes along what is kept, and can have
    it erased. An unknown dataset is refused elsewhere.
    """
    if not represents(actor, person, now) or not own_data(request):
        return Reason("no_mandate", f"{request.actor} does not act for {request.assignee} in this")
    if dataset is not None and not dataset.personal:
        return Reason("no_mandate", f"{request.dataset} holds nothing of {request.assignee} to act for")
    if person is None or (not person.active and request.action != COPY):
        detail = f"{request.assignee} takes part no more: a copy of what is kept can be taken along"
        return Reason("no_mandate", detail)
    return None
