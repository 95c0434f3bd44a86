"""Who speaks in a request of the protocol: the participant of the access token."""

from __future__ import annotations

from dmi_infra.http.access import Caller


async def token_door(identity: Caller) -> str:
    """The participant that the bearer token proves; it must be a member."""
    return identity.participant
