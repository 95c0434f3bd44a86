"""How much of the log and of the agreements somebody sees: its own part, or all of it for who runs or supervises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason, Request
from dmi_agreements.persons import represents
from dmi_agreements.table import LawTable
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.logbook.entries import Entry
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.identity import Identity


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees: all that concerns ``party`` (``None``: everything).

    ``opened``: with the names of persons that the log keeps sealed. Supervision takes none of them.
    """

    party: str | None
    opened: bool = True

    def of(self, entry: Entry) -> Entry:
        """An entry as it may be shown."""
        return entry if self.opened else replace(entry, openings=())


def sight(exchange: Exchange, identity: Identity) -> Sight:
    """What this identity sees."""
    if identity.has(model.OPERATOR):
        return Sight(None)
    if inspects(exchange, identity):
        return Sight(None, opened=False)
    return Sight(identity.participant)


def inspects(exchange: Exchange, identity: Identity) -> bool:
    """Whether this identity supervises: by a role of its token that its participant has now, and that may now."""
    member = exchange.store.get(Participant, identity.participant)
    if member is None or not member.active or identity.acting is not None:
        return False
    return bool(identity.roles & frozenset(member.roles) & _supervising(exchange))


def check_inspects(exchange: Exchange, identity: Identity) -> None:
    """Raise ``Refused`` for who does not supervise."""
    if not inspects(exchange, identity):
        needed = " or ".join(sorted(_supervising(exchange))) or "that may inspect, which no role does now"
        raise Refused([Reason("wrong_role", f"this needs the role {needed}")])


def _supervising(exchange: Exchange) -> frozenset[str]:
    """The roles that the rulebook in force lets inspect."""
    return frozenset(role.id for role in exchange.rulebook.roles.values() if "inspect" in role.may)


def acquainted(asking: Request, subject: str, agreements: Iterable[str], law: LawTable) -> bool:
    """Whether who asks may learn what is so for ``subject``: of a person only who has to do with it.

    That is the person itself, who represents it, who has one of these ``agreements`` with it, and whom it gave consent.
    A proposal makes nobody acquainted: anybody can write one.
    """
    if not subject.startswith(model.PERSON) or subject == asking.assignee:
        return True
    now = clock.now()
    if represents(law.participants.get(asking.assignee), law.participants.get(subject), now):
        return True
    for state in map(law.agreement, agreements):
        if state is not None and state.concluded_at is not None and subject in model.parties(state):
            return True
    purpose = asking.purpose or law.purpose_of(asking.dataset)
    return subject in law.consenting_subjects(replace(asking, purpose=purpose), now)
