"""How much somebody asked, proposed or consented to lately: what limits look at. Every service holds each of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_exchange import model
from dmi_exchange.tables import law
from dmi_infra.sql import reading

T = TypeVar("T", AgreementState, SubjectRequest)

_AGREEMENT, _REQUEST = (kind.__struct_config__.tag for kind in (AgreementState, SubjectRequest))


class Room:
    """Reads of the law by who made it; each costs as much as is found, not as there is."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def asked_since(self, person: str, right: str, dataset: str, since: Micros) -> int:
        """How often a person exercised one right about a dataset, or ended it, since a moment."""
        query = sa.select(sa.func.count()).where(
            law.c.type == _REQUEST,
            law.c.party_a == person,
            law.c.party_b == dataset,
            law.c.changed_at >= since,
            law.c.body.contains(f'"right":"{right}"', autoescape=True),
        )
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one()

    def asked_by(self, peer: str, right: str, dataset: str, since: Micros) -> int:
        """How many requests of persons about a dataset came from another node, or ended there, since a moment."""
        about = (
            law.c.type == _REQUEST,
            law.c.party_b == dataset,
            law.c.changed_at >= since,
            _holding("right", right),
        )
        found = self._find(SubjectRequest, *about, _holding("made_by", peer))
        return sum(1 for one in found if (one.made_by, one.right) == (peer, right))

    def proposals(self, party: str, since: Micros, enough: int) -> int:
        """How many proposals a party signed that are open, or were made since a moment and came to nothing.

        Less than ``enough`` where it has not so many agreements at all, which costs next to nothing.
        """
        about = law.c.type == _AGREEMENT, sa.or_(law.c.party_a == party, law.c.party_b == party)
        with reading(self._engine) as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(law).where(*about)).scalar_one()
        if total < enough:
            return 0
        lately = sa.or_(law.c.changed_at >= since, _holding("state", "proposed"))
        found = self._find(AgreementState, *about, lately)
        return sum(1 for one in found if one.concluded_at is None and party in one.signatures)

    def consents(self, person: str) -> list[AgreementState]:
        """The consents of a person that stand."""
        about = law.c.type == _AGREEMENT, law.c.party_a == person, _holding("state", "active")
        return [one for one in self._find(AgreementState, *about) if one.state == "active"]

    def consented_since(self, person: str, since: Micros) -> int:
        """How many consents a person gave since a moment, whatever became of them."""
        about = law.c.type == _AGREEMENT, law.c.party_a == person, law.c.changed_at >= since
        found = self._find(AgreementState, *about)
        return sum(1 for one in found if model.is_consent(one) and (one.concluded_at or 0) >= since)

    def _find(self, kind: type[T], *where: sa.ColumnElement[bool]) -> Iterator[T]:
        with reading(self._engine) as connection:
            bodies = connection.execute(sa.select(law.c.body).where(*where)).scalars().all()
        return (msgspec.json.decode(body, type=kind) for body in bodies)


def _holding(name: str, value: Any) -> sa.ColumnElement[bool]:
    """Bodies in which this stands somewhere; who reads them looks whether it stands in its place."""
    return law.c.body.contains(f'"{name}":"{value}"', autoescape=True)
