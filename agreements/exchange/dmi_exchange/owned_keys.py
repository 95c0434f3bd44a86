"""Public keys: taken in when of a kind that we verify with, each of one owner for ever, and what they proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.keys import find
from dmi_exchange.store import Store
from dmi_infra import clock, jose
from dmi_infra.errors import Conflict, InputRefused


def checked_key(key: Mapping[str, Any], field: str) -> dict[str, Any]:
    """A public key as it is kept; raises ``InputRefused`` of ``field``."""
    try:
        return jose.check_public_key(key)
    except ValueError as exc:
        raise InputRefused.of(field, str(exc)) from exc


def pin(store: Store, key: Mapping[str, Any], owner: str, field: str) -> None:
    """Raise ``Conflict`` when somebody else has, or ever had, this key; call it under ``Exchange.keys_settle``.

    A key names its owner: one that two have would let each speak as the other.
    """
    for known in store.find(Participant):
        if known.id != owner and any(each.get("kid") == key["kid"] for each in known.keys):
            raise Conflict.of(field, "this key belongs to somebody else", str(key["kid"]))


def living_key(store: Store, owner: str, kid: str) -> Mapping[str, Any] | None:
    """The key of this name that somebody has, when it counts now."""
    known = store.get(Participant, owner)
    return None if known is None else find(known.keys, kid, clock.seconds())


def check_unrevoked(store: Store, proposal: AgreementState, signer: str) -> None:
    """Raise ``Conflict`` when a key under a proposal was revoked since it signed; ``signer`` signs anew.

    Else who stole it would still conclude by it. One that was only replaced has proved what it signed in its time.
    """
    for party, jws in proposal.signatures.items():
        known = store.get(Participant, party)
        keys = [key for key in (known.keys if known else ()) if "revoked" not in key]
        try:
            if party != signer:
                jose.verify_document(proposal.document, jws, keys)
        except jose.SignatureInvalid as exc:
            rule = "the key under an earlier signature was revoked: whose it is has to sign again"
            raise Conflict.of("state", rule, party) from exc
