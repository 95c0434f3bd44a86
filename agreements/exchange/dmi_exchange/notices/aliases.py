"""What a person is called where rows name nobody: a name that leads to nobody there, and is another one on each node.

So is it for each participant of this node: what services give here bears no persons at all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from dmi_agreements.contracts.law import Participant
from dmi_exchange.store import Store
from dmi_exchange.tables import secret
from dmi_infra.cursors import kept_key

_ALIAS: Final = re.compile(r"urn:dmi:person:alias-[0-9a-f]{40}", re.ASCII)


def is_alias(name: object) -> bool:
    """Whether this may stand for a person in what comes from another node."""
    return isinstance(name, str) and _ALIAS.fullmatch(name) is not None


class Aliases:
    """Names of persons for other nodes, by a key that never leaves the store (GDPR art. 4(5))."""

    def __init__(self, engine: sa.Engine, store: Store) -> None:
        self._key = kept_key(engine, secret)
        self._store = store

    def of(self, recipient: str) -> Callable[[str], str]:
        """The names that persons have on the node of a recipient: one for all its members, who share what it keeps."""
        found = self._store.get(Participant, recipient)
        home = found.home if found is not None and found.home else recipient

        def alias(person: str) -> str:
            about = f"dmi-alias-v1\n{home}\n{person}".encode()
            return f"urn:dmi:person:alias-{hmac.new(self._key, about, hashlib.sha256).hexdigest()[:40]}"

        return alias
