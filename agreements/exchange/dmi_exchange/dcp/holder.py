"""This node as a holder: the credentials in its folder, tokens that open them, and presentations of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from dmi_exchange.dcp import messages
from dmi_exchange.dcp.credentials import ENVELOPE, PARTICIPANT, subject_of, types_of, within_term
from dmi_exchange.dsp.client import Unreachable
from dmi_infra import claims, clock, jose, tickets
from dmi_infra.errors import Unauthenticated

log = structlog.get_logger("exchange")

TICKET: Final = "dcp-access"
LARGEST_CREDENTIAL: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """A credential, and what it says."""

    token: str
    says: Mapping[str, Any]

    def fits(self, scope: str) -> bool:
        """Whether a scope asks for it."""
        if scope.startswith(messages.BY_TYPE):
            return scope.removeprefix(messages.BY_TYPE) in types_of(self.says)
        return scope.removeprefix(messages.BY_ID) == self.says.get("id")


class Holder:
    """Shows credentials of this node's DID. Each participant has its own: a token opens those of one alone.

    The folder is read each time, so that a credential is renewed by putting a file there.
    """

    def __init__(
        self,
        key: jose.SigningKey,
        did: str,
        folder: Path | None,
        keys: Callable[[], Iterable[Mapping[str, Any]]],
        use_once: Callable[[str, int], bool],
    ) -> None:
        self.did = did
        self._key = key
        self._folder = folder
        self._keys = keys
        self._use_once = use_once

    def introduce(self, participant: str, audience: str) -> str:
        """A Self-Issued ID token for another node, which may see the credentials of ``participant`` once.

        Raises ``Unreachable`` when there are none that hold now: the other side would refuse.
        """
        if not any(self._held(participant)):
            raise Unreachable(f"this node holds no credential that names {participant} and is in force")
        now = clock.seconds()
        content = {"audience": audience, "participant": participant}
        ticket = tickets.sign_ticket(self._key, TICKET, content, int(now), claims.SELF_SECONDS)
        return claims.sign_self(self._key, self.did, audience, int(now), token=ticket)

    def ask(self, audience: str, token: str) -> str:
        """A Self-Issued ID token that gives a holder the access token back that it made."""
        return claims.sign_self(self._key, self.did, audience, int(clock.seconds()), token=token)

    def present(self, audience: str, token: str, scopes: list[str]) -> list[str]:
        """Presentations for ``audience`` of what the scopes ask for and ``token`` opens; none when nothing fits."""
        try:
            read = tickets.verify_ticket(self._keys(), TICKET, token)
        except Unauthenticated as exc:
            raise Unauthenticated("the access token was not given by this node, or has expired") from exc
        if read["content"].get("audience") != audience:
            raise Unauthenticated("the access token was given to another")
        if not self._use_once(f"{TICKET} {read['jti']}", int(read["exp"]) * 1_000_000):
            raise Unauthenticated("this access token has been used before")
        found = self._held(str(read["content"].get("participant")))
        shown = [held.token for held in found if any(held.fits(scope) for scope in scopes)]
        if not shown:
            return []
        presentation = {
            "@context": [messages.VC_CONTEXT],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": [
                {
                    "@context": messages.VC_CONTEXT,
                    "id": f"{ENVELOPE}{credential}",
                    "type": "EnvelopedVerifiableCredential",
                }
                for credential in shown[: messages.MOST]
            ],
        }
        return [claims.sign_presentation(self._key, self.did, audience, int(clock.seconds()), presentation)]

    def _held(self, participant: str) -> Iterator[Held]:
        for file in sorted(self._folder.glob("*.jwt")) if self._folder is not None else ():
            try:
                if file.stat().st_size > LARGEST_CREDENTIAL:
                    raise Unauthenticated("the file is too large for a credential")
                token = file.read_text(encoding="ascii").strip()
                says = claims.unverified(token)
                subject = subject_of(says)
                within_term(says, clock.now())
            except (OSError, UnicodeDecodeError, Unauthenticated) as exc:
                log.warning("a credential of this node is not shown", file=file.name, reason=str(exc))
                continue
            if (subject.get("id"), subject.get(PARTICIPANT)) == (self.did, participant):
                yield Held(token, says)
