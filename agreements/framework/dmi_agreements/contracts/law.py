"""Events on the law topic. Each carries the whole new state of one object, so the topic can be compacted."""

from __future__ import annotations

from typing import Any

import msgspec

from dmi_agreements.contracts.observations import Micros


class Participant(msgspec.Struct, frozen=True, omit_defaults=True, tag="participant", tag_field="type"):
    """An organisation or a resident; ``rulebook`` is the version it signed, ``None`` before it signs."""

    id: str
    name: str
    roles: list[str]
    keys: list[dict[str, Any]] = []
    """Public keys as JWKs, each with a ``kid``."""
    rulebook: str | None = None
    active: bool = True


class Dataset(msgspec.Struct, frozen=True, omit_defaults=True, tag="dataset", tag_field="type"):
    """A dataset in the catalogue.

    ``basis`` is the legal basis of personal data (GDPR art. 6(1)). Under consent, which is assumed when none
    is stated, each row needs the consent of its subject; under another basis the agreements alone decide.
    """

    id: str
    owner: str
    title: dict[str, str]
    description: dict[str, str] = {}
    personal: bool = False
    basis: str = ""
    purpose: str = "dmi:purpose:public-task"
    """What the data is collected for; the layers themselves work under this purpose and no other."""
    category: str = ""
    licence: str = ""
    source: str = ""
    layer: str = ""
    """How visualisation draws it: ``points``, ``areas``, ``vehicles``, or empty for not at all."""
    withdrawn: bool = False

    @property
    def needs_consent(self) -> bool:
        """Whether each row needs the consent of its subject."""
        return self.personal and self.basis in ("", "dmi:basis:consent")


class AgreementState(msgspec.Struct, frozen=True, omit_defaults=True, tag="agreement", tag_field="type"):
    """An agreement or a consent: the signed ODRL document and whether it is still in force."""

    id: str
    document: dict[str, Any]
    state: str
    """``proposed``, ``active`` or ``ended``."""
    signatures: dict[str, str] = {}
    """Detached JWS over the canonical document, by participant id."""
    concluded_at: Micros | None = None
    ended_at: Micros | None = None
    ended_by: str | None = None
    end_reason: str | None = None


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """Shows that the law is being published; a law table without a recent one refuses everything."""

    id: str
    at: Micros


LawEvent = Participant | Dataset | AgreementState | Heartbeat
