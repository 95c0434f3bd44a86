"""Takes notices of other nodes: what a person asked there is carried out here, on what came from there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, Participant, SubjectRequest
from dmi_agreements.contracts.observations import Micros, within_bounds
from dmi_agreements.duties import DAY
from dmi_agreements.rights import ERASURE, OBJECTION, RECTIFICATION
from dmi_exchange import model
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import Steps
from dmi_exchange.flow.inflow import named
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata.done import complete
from dmi_exchange.notices.aliases import is_alias
from dmi_exchange.notices.model import Notice, notice_id
from dmi_exchange.notices.store import Notices
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import Conflict, InputRefused, NotFound

RIGHTS: Final = (ERASURE, RECTIFICATION, OBJECTION)
AHEAD: Final[Micros] = 60_000_000
"""How far the clock of another node may be ahead of this one's."""
CORRECTIONS: Final = 1000
MOST_A_DAY: Final = 100
"""New requests of one person for one right about one dataset; the other node tells those beyond it again later."""
MOST_OF_A_NODE: Final = 1000
"""New requests about one dataset from its node within a day, of whomever: it makes the names of its persons itself."""


class _Correction(msgspec.Struct, frozen=True):
    datastream: str
    time: str
    result: float | None


class _Said(msgspec.Struct, frozen=True):
    id: str
    right: str
    dataset: str
    person: str
    until: str
    state: str = "active"
    purpose: str = ""
    corrections: list[_Correction] = []


class Taking:
    """Judges a notice and makes it a request of this node's own law, by which every layer hears of it."""

    def __init__(
        self, exchange: Exchange, steps: Steps, notices: Notices, purpose_of: Callable[[str], str]
    ) -> None:
        self._exchange = exchange
        self._steps = steps
        self._notices = notices
        self._purpose_of = purpose_of

    def take(self, identifier: str, peer: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What came of a notice so far; the same one again changes nothing. Raises ``NotFound`` for anybody
        but the provider of the negotiation, and for data that is not under its agreement."""
        process = self._steps.visible("negotiation", identifier, peer)
        said = _read(body.get("notice"))
        self._require(process, peer, body.get("agreementId"), said.dataset)
        until = _moment("notice.until", said.until)
        if until > clock.now() + AHEAD:
            raise InputRefused.of("notice.until", "must not lie in the future", said.until)
        if not is_alias(said.person) or self._exchange.store.get(Participant, said.person) is not None:
            raise InputRefused.of("notice.person", "must be the name under which the rows came", said.person)
        asked = SubjectRequest(
            f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{peer} {said.id}')}", said.person, said.right,
            said.dataset, clock.now(), state=said.state, purpose=said.purpose,
            corrections=self._corrections(said.corrections, peer), made_by=peer, measured_until=until,
        )  # fmt: skip
        kept = self._keep(asked)
        self._inform(kept, process)
        done = self._exchange.store.carried_out([kept.id]).get(kept.id, [])
        told, purpose = [one.service for one in done], self._purpose_of(said.dataset)
        return {
            "@type": "urn:dmi:SubjectNoticeAnswer",
            "complete": complete(kept, purpose, told, self._exchange.rulebooks),
            "carriedOut": [{"service": one.service, "rows": one.rows, "at": to_text(one.at)} for one in done],
        }

    def _require(self, process: Process, peer: str, agreement: object, dataset: str) -> None:
        """Raise ``NotFound`` unless the dataset came from this very peer under this very agreement."""
        known = self._exchange.store.get(AgreementState, process.agreement_id) if agreement else None
        entry = self._exchange.store.get(Dataset, dataset)
        ours = known is not None and process.role == "consumer" and agreement == process.agreement_id
        theirs = entry is not None and entry.owner == peer
        if (
            known is None
            or entry is None
            or not ours
            or not theirs
            or dataset not in model.targets(known.document)
        ):
            raise NotFound("no data of yours was received under this agreement")
        if not entry.personal:
            raise InputRefused.of("notice.dataset", "holds no personal data", dataset)

    @staticmethod
    def _corrections(said: Sequence[_Correction], peer: str) -> list[Correction]:
        return [
            Correction(
                named(peer, one.datastream),
                _moment(f"notice.corrections.{place}.time", one.time),
                _result(f"notice.corrections.{place}.result", one.result),
            )
            for place, one in enumerate(said)
        ]

    def _keep(self, asked: SubjectRequest) -> SubjectRequest:
        """The request as this node has it; what an objection was, it may end, and nothing else changes."""
        known = self._exchange.store.get(SubjectRequest, asked.id)
        if known is not None and (known.state == asked.state or known.state == "ended"):
            _same(known, asked)
            return known
        if known is None:
            self._require_room(asked)

        def decide(found: SubjectRequest | None) -> SubjectRequest:
            if found is None:
                return asked
            _same(found, asked)
            if found.state == "ended":
                return found
            return msgspec.structs.replace(
                found,
                state="ended",
                ended_at=clock.now(),
                ended_by=asked.made_by,
                end_reason="ended at its source",
            )

        return self._exchange.settle(SubjectRequest, asked.id, decide)

    def _require_room(self, asked: SubjectRequest) -> None:
        """Raise ``Conflict`` where a person, or its node, asked so often of late; the other node tells it again later.

        Of each for each right by itself: what others correct must hold up nobody's erasure.
        """
        room, since, dataset = self._exchange.store.room, clock.now() - DAY, asked.dataset
        if room.asked_since(asked.person, asked.right, dataset, since) >= MOST_A_DAY:
            rule = f"{MOST_A_DAY} of this person about this were taken within a day: tell it again later"
            raise Conflict.of("notice.dataset", rule, dataset)
        if room.asked_by(asked.made_by, asked.right, dataset, since) >= MOST_OF_A_NODE:
            rule = f"{MOST_OF_A_NODE} of this node about this were taken within a day: tell it again later"
            raise Conflict.of("notice.dataset", rule, dataset)

    def _inform(self, kept: SubjectRequest, process: Process) -> None:
        """The participant of this node that holds the agreement reads it too: a program of its own may have fetched."""
        now = clock.now()
        self._notices.add(
            Notice(
                id=notice_id(kept.id, kept.state, kept.dataset, process.owner), cause=kept.id, person=kept.person,
                right=kept.right, dataset=kept.dataset, recipient=process.owner, made_at=now, until=kept.until,
                state=kept.state, agreements=[process.agreement_id], purpose=kept.purpose,
                corrections=kept.corrections, told_at=now,
            ),
            None,
        )  # fmt: skip


def _same(known: SubjectRequest, asked: SubjectRequest) -> None:
    about = ("person", "right", "dataset", "purpose", "corrections", "made_by", "measured_until")
    for name in about:
        # Corrections that are carried out are forgotten.
        forgotten = name == "corrections" and not known.corrections
        if getattr(known, name) != getattr(asked, name) and not forgotten:
            raise Conflict.of("notice.id", f"is that of another request: {name} differs", known.id)


def _read(given: object) -> _Said:
    try:
        said = msgspec.convert(given, _Said)
    except msgspec.ValidationError as exc:
        raise InputRefused.of("notice", str(exc)) from exc
    if said.right not in RIGHTS:
        raise InputRefused.of("notice.right", f"must be one of {', '.join(RIGHTS)}", said.right)
    if said.state != "active" and (said.right, said.state) != (OBJECTION, "ended"):
        raise InputRefused.of("notice.state", "must be active; an objection alone can be ended", said.state)
    if (said.right == RECTIFICATION) != bool(said.corrections) or len(said.corrections) > CORRECTIONS:
        rule = f"stand in a rectification, at most {CORRECTIONS}, and in nothing else"
        raise InputRefused.of("notice.corrections", rule)
    if not said.id or len(said.id) > 200 or len(said.purpose) > 200:
        raise InputRefused.of("notice.id", "must have 1 to 200 characters")
    return said


def _moment(field: str, text: str) -> Micros:
    try:
        return clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of(field, "must be a time in RFC 3339 with an offset", text) from exc


def _result(field: str, value: float | None) -> float | None:
    if value is not None and not within_bounds(value):
        raise InputRefused.of(field, "must lie between -10^18 and 10^18", str(value))
    return value
