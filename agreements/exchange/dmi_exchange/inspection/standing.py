"""How each participant stands: what it contributes, the measured quality of its data, and its agreements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import msgspec

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.contracts.record import Quality
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.inspection.findings import Finding, findings
from dmi_exchange.transactions.commons import Share
from dmi_infra.errors import NotFound
from dmi_infra.identity import EXCHANGE_PARTICIPANT


@dataclass(frozen=True, slots=True)
class Standing:
    """One participant. ``share`` is ``None`` for one that left; ``quality`` holds what was measured, by dataset."""

    participant: Participant
    share: Share | None
    datasets: tuple[Dataset, ...]
    quality: Mapping[str, Quality]
    running: tuple[AgreementState, ...]
    findings: tuple[Finding, ...]

    @property
    def measured(self) -> Quality | None:
        """All its data taken together; ``None`` when nothing of it was measured."""
        found = list(self.quality.values())
        return reduce(_together, found) if found else None


class Inspection:
    """What a supervising body looks at. ``shares`` tells everyone's part in the commons."""

    def __init__(self, exchange: Exchange, shares: Callable[[], Iterable[Share]]) -> None:
        self._exchange = exchange
        self._shares = shares

    def all(self) -> list[Standing]:
        """Every organisation that takes part, or did; no persons, who are nobody's to look up."""
        store = self._exchange.store
        members = [
            one
            for one in store.find(Participant)
            # The exchange itself takes part in nothing: it has no share, as one that left.
            if one.id.startswith(model.ORGANISATION) and one.id != EXCHANGE_PARTICIPANT
        ]
        return self._standings(members, findings(self._exchange, mend=False))

    def one(self, identifier: str) -> Standing:
        """One organisation; raises ``NotFound``."""
        if not identifier.startswith(model.ORGANISATION):
            raise NotFound("no participant has this id")
        member = self._exchange.participant(identifier)
        return self._standings([member], self.findings(identifier))[0]

    def findings(self, party: str | None = None) -> list[Finding]:
        """What the review found about agreements, of one party or all, with the smallest change of each."""
        return findings(self._exchange, party)

    def _standings(self, members: Sequence[Participant], found: Sequence[Finding]) -> list[Standing]:
        store = self._exchange.store
        parts = {share.participant: share for share in self._shares()}
        datasets = [one for one in store.find(Dataset) if not one.withdrawn]
        measured = store.catalogue.quality([one.id for one in datasets])
        running = [
            one for one in store.find(AgreementState) if one.state == "active" and not model.is_consent(one)
        ]
        made = []
        for member in members:
            own = tuple(one for one in datasets if one.owner == member.id)
            made.append(
                Standing(
                    member,
                    parts.get(member.id),
                    own,
                    {one.id: measured[one.id] for one in own if one.id in measured},
                    tuple(one for one in running if member.id in model.parties(one)),
                    tuple(one for one in found if member.id in model.parties(one.agreement)),
                )
            )
        return sorted(made, key=lambda one: (-len(one.findings), one.participant.name, one.participant.id))


def _together(left: Quality, right: Quality) -> Quality:
    newest = [each for each in (left.newest, right.newest) if each is not None]
    return msgspec.structs.replace(
        left,
        dataset="",
        at=min(left.at, right.at),
        seconds=max(left.seconds, right.seconds),
        datastreams=left.datastreams + right.datastreams,
        newest=max(newest, default=None),
        rows=left.rows + right.rows,
        missing=left.missing + right.missing,
        good=left.good + right.good,
        delivering=left.delivering + right.delivering,
    )
