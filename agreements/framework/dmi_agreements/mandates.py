"""Mandates: who may act in the name of whom, for what and until when; in chains that the rulebook limits.

A mandate is given by a mandator to a mandatary. One that is given ``onward`` lets the mandatary give part of
it to a third: the ``parent`` links them, and the first mandator is in whose name the last mandatary acts.
Every link of a chain must cover a request; one that ended, or cannot be read, refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import Mandate, Participant
from dmi_agreements.decision import Reason, Request
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.rulebook import Rulebook

CHAIN_LIMIT: Final = "dmi:limit:mandate-chain"
TERM_LIMIT: Final = "dmi:limit:mandate-term"
DAY: Final = 86_400_000_000
LONGEST_LIST: Final = 200
MOMENT_RULE: Final = "must be RFC 3339 with an offset, for example 2027-03-01T00:00:00Z"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MandateTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mandate says, as its document is read. Moments are RFC 3339 with an offset; ``until`` is excluded."""

    uid: str
    type: Literal["dmi:Mandate"]
    mandator: str
    mandatary: str
    actions: list[str]
    datasets: list[str]
    purposes: list[str]
    begin: str = msgspec.field(name="from")
    until: str = ""
    onward: int = 0
    """How many further links may follow this one."""
    parent: str | None = None
    rulebook: str = msgspec.field(name="dmi:rulebook", default="")

    @property
    def period(self) -> tuple[int, int]:
        """From and until in microseconds UTC; raises ``MandateUnreadable``."""
        return _micros("from", self.begin), _micros("until", self.until)


class MandateUnreadable(ValueError):
    """A document that is no mandate: which ``field`` breaks which ``rule``; without a field the whole does."""

    def __init__(self, rule: str, field: str = "") -> None:
        super().__init__(f"{field}: {rule}" if field else rule)
        self.field = field
        self.rule = rule


def _micros(field: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise MandateUnreadable(MOMENT_RULE, field) from exc
    if moment.tzinfo is None:
        raise MandateUnreadable(MOMENT_RULE, field)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def read_mandate(document: Mapping[str, Any]) -> MandateTerms:
    """The terms of a document; raises ``MandateUnreadable``."""
    try:
        terms = msgspec.convert(document, MandateTerms, strict=True)
    except (msgspec.ValidationError, TypeError) as exc:
        raise MandateUnreadable(str(exc)) from exc
    begin, until = terms.period
    for name in ("actions", "datasets", "purposes"):
        if not 1 <= len(getattr(terms, name)) <= LONGEST_LIST:
            raise MandateUnreadable(f"must have 1 to {LONGEST_LIST} items", name)
    if begin >= until:
        raise MandateUnreadable("must lie after from", "until")
    if terms.onward < 0:
        raise MandateUnreadable("must be 0 or more", "onward")
    return terms


def longest_chain(rulebook: Rulebook) -> int:
    """Links that a chain may have; one where the rulebook does not say."""
    limit = rulebook.limits.get(CHAIN_LIMIT)
    return 1 if limit is None or limit.maximum is None else limit.maximum


def longest_term(rulebook: Rulebook) -> int | None:
    """Microseconds for which a mandate may hold; ``None`` where the rulebook does not say."""
    limit = rulebook.limits.get(TERM_LIMIT)
    return None if limit is None or limit.maximum is None else limit.maximum * DAY


class Link(msgspec.Struct, frozen=True):
    """A mandate with its terms, or the fault why it cannot be read."""

    state: Mandate
    terms: MandateTerms | None
    fault: str = ""


def link_of(mandate: Mandate) -> Link:
    """A mandate, read."""
    try:
        return Link(mandate, read_mandate(mandate.document))
    except MandateUnreadable as exc:
        return Link(mandate, None, str(exc))


def chain_of(identifier: str, find: Callable[[str], Link | None], longest: int) -> list[Link] | Reason:
    """The links from the mandate of this id up to the first, each given on by right; else why it is no chain."""
    links: list[Link] = []
    wanted: str | None = identifier
    while wanted is not None:
        link = find(wanted)
        if link is None:
            return Reason("no_mandate", f"there is no mandate {wanted[:200]}")
        if link.terms is None:
            return Reason("no_mandate", f"the mandate {wanted} cannot be read: {link.fault}", wanted)
        if links:
            below = links[-1].terms
            assert below is not None
            if link.terms.mandatary != below.mandator or link.terms.onward < len(links):
                return Reason("no_mandate", f"{wanted} does not let its mandatary give it on", wanted)
        links.append(link)
        if len(links) > longest:
            return Reason("no_mandate", f"a chain of mandates has at most {longest} links", identifier)
        wanted = link.terms.parent
    return links


class Mandates:
    """All mandates of the law, by id."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}

    def apply(self, event: Mandate) -> Change:
        """Take in a state; an ended mandate stays ended."""
        before = self._links.get(event.id)
        if before is not None and (before.state == event or before.state.state == "ended"):
            return Change("mandate", event.id, False)
        after = self._links[event.id] = link_of(event)
        if event.state == "ended":
            return Change("mandate", event.id, True, ended=(event.id,), datasets=_datasets(before or after))
        return Change("mandate", event.id, True, started=(event.id,), datasets=_datasets(after))

    def find(self, identifier: str) -> Link | None:
        """One mandate."""
        return self._links.get(identifier)

    def failing(
        self, request: Request, now: int, participants: Mapping[str, Participant], rulebook: Rulebook
    ) -> Reason | None:
        """Why ``request`` is outside of the mandate that it names; ``None`` when every link covers it."""
        chain = chain_of(request.mandate, self.find, longest_chain(rulebook))
        if isinstance(chain, Reason):
            return chain
        first, last = chain[-1].terms, chain[0].terms
        assert first is not None
        assert last is not None
        if (first.mandator, last.mandatary) != (request.assignee, request.actor):
            detail = f"{request.mandate} does not let {request.actor} act for {request.assignee}"
            return Reason("no_mandate", detail, request.mandate)
        if first.mandator.startswith(PERSON):
            # Its consents and rights would not reach what such a mandate gives.
            return Reason(
                "no_mandate", f"{first.mandator} is a person, who gives no mandate", request.mandate
            )
        for link in chain:
            reason = _uncovered(link, request, now, participants, rulebook)
            if reason is not None:
                return reason
        return None


def _uncovered(
    link: Link, request: Request, now: int, participants: Mapping[str, Participant], rulebook: Rulebook
) -> Reason | None:
    terms, identifier = link.terms, link.state.id
    assert terms is not None
    if link.state.state != "active":
        return Reason(
            "ended", f"the mandate {identifier} has been ended", identifier, moment=link.state.ended_at
        )
    begin, until = terms.period
    if now < begin:
        return Reason("not_yet", f"the mandate {identifier} has not begun", identifier, moment=begin)
    if now >= until:
        return Reason("expired", f"the mandate {identifier} has expired", identifier, moment=until)
    for name, asked in (("actions", request.action), ("datasets", request.dataset)):
        if asked not in getattr(terms, name):
            return Reason(
                "outside_mandate", f"{asked} is not among the {name} of the mandate {identifier}", identifier
            )
    if not any(rulebook.is_a(request.purpose, purpose) for purpose in terms.purposes):
        detail = f"{request.purpose or 'no purpose'} is not among the purposes of the mandate {identifier}"
        return Reason("outside_mandate", detail, identifier)
    for party in (terms.mandator, terms.mandatary):
        known = participants.get(party)
        # A machine has signed nothing: who gave it the mandate has, and must be the one that it belongs to.
        machine = known is not None and party == terms.mandatary and known.machine_of == terms.mandator
        if known is None or not known.active or not (machine or known.rulebook in rulebook.accepted):
            return Reason("inactive_participant", f"{party} is not, or no longer, a member", identifier)
    return None


def _datasets(link: Link) -> tuple[str, ...]:
    return tuple(sorted(link.terms.datasets)) if link.terms is not None else ()
