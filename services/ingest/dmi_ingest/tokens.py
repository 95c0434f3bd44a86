"""Access tokens that were verified a moment ago: checking a signature costs more than taking an observation."""

from __future__ import annotations

import time
from typing import Final

from dmi_infra.identity import Authenticator, Identity

SECONDS: Final = 1.0
"""How long a verified token is believed: so much later than its expiry it may still pass, no more."""
ENTRIES: Final = 1000


class RememberingAuthenticator(Authenticator):
    """Verifies a token once a second. Membership and rights are still asked of the law at each request."""

    def __init__(self, verify: Authenticator) -> None:
        self._verify = verify
        self._recent: dict[str, tuple[float, Identity]] = {}

    def __call__(self, token: str) -> Identity:
        """See ``Authenticator``; a token that does not hold is never remembered."""
        now = time.monotonic()
        known = self._recent.get(token)
        if known is not None and now - known[0] < SECONDS:
            return known[1]
        identity = self._verify(token)
        if len(self._recent) >= ENTRIES:
            self._recent.clear()
        self._recent[token] = (now, identity)
        return identity
