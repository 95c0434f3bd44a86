"""The commons: what each participant offers the others for free in a year, and what it takes. Pure.

Each offers products, services or data worth 2,500 euros a year, and may take up to as much from each other one. What
is offered and taken is valued by the owner of the data, in the catalogue; what has a price is paid for, and no part of
it. A year begins when a member first signs the
rulebook: in the first weeks of it nobody can be said to offer too little yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.decision import EVERYONE
from dmi_agreements.rulebook import Rulebook
from dmi_exchange import model
from dmi_infra.identity import EXCHANGE_PARTICIPANT

_DAY: Final = 86_400_000_000
FIRST_WEEKS: Final = 13 * 7 * _DAY
"""How long a new member has before its offer is judged (microseconds): the Eco Council looks each quarter."""


@dataclass(frozen=True, slots=True)
class Share:
    """A participant's part: cents offered and asked for a year, and cents taken by the one it was taken from."""

    participant: str
    name: str
    offered: int
    asked: int
    taken: Mapping[str, int]
    datasets: tuple[str, ...]
    new: bool = False
    """Whether it is in its first weeks."""

    @property
    def early(self) -> bool:
        """Whether it is too early to say that it offers too little."""
        return self.new and self.short > 0

    @property
    def short(self) -> int:
        """Cents that its offer lacks."""
        return max(0, self.asked - self.offered)

    @property
    def rides_free(self) -> bool:
        """Whether it takes and offers nothing."""
        return bool(self.taken) and self.offered == 0


def commons_limit(rulebook: Rulebook) -> int:
    """Cents a year that each participant offers all others, and may take of each; 0 in a rulebook without commons."""
    found = (limit.maximum or 0 for limit in rulebook.limits.values() if limit.kind == "commons")
    return next(found, 0)


def shares(
    participants: Iterable[Participant],
    datasets: Iterable[Dataset],
    agreements: Iterable[AgreementState],
    asked: int,
    now: int,
) -> list[Share]:
    """Everyone's part as things stand: members that are organisations, offers that stand, agreements in force.

    ``now`` (microseconds UTC) tells who is in its first weeks.
    """
    valued = {d.id: d for d in datasets if d.commons_cents > 0 and not d.withdrawn}
    given: dict[tuple[str, str], set[str]] = {}
    for agreement in agreements:
        giver, taker = model.parties(agreement)
        if agreement.state != "active" or taker == EVERYONE or giver == taker or model.is_consent(agreement):
            continue
        found = model.given_free(agreement.document) & valued.keys()
        # A set: what two agreements give is taken once.
        given.setdefault((giver, taker), set()).update(name for name in found if valued[name].owner == giver)
    taken: dict[str, dict[str, int]] = {}
    for (giver, taker), names in given.items():
        if names:
            taken.setdefault(taker, {})[giver] = sum(valued[name].commons_cents for name in names)
    result = []
    for one in participants:
        if one.id.startswith(model.ORGANISATION) and one.active and one.id != EXCHANGE_PARTICIPANT:
            own = sorted(d.id for d in valued.values() if d.owner == one.id)
            offered = sum(valued[name].commons_cents for name in own)
            new = one.member_since is not None and now - one.member_since < FIRST_WEEKS
            result.append(Share(one.id, one.name, offered, asked, taken.get(one.id, {}), tuple(own), new))
    return sorted(result, key=lambda share: (share.early, -share.short, share.participant))
