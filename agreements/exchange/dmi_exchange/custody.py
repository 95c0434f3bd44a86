"""Keys that the node keeps for participants who have no key store of their own; never in production."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmi_infra.errors import InputRefused
from dmi_infra.jose import SigningKey

_UNSAFE = re.compile(r"[^a-z0-9-]")


class Custody:
    """A folder of private keys, one file a participant (mode 0600)."""

    def __init__(self, folder: Path, hosting: bool) -> None:
        self._folder = folder
        self._hosting = hosting

    def path(self, participant: str) -> Path:
        """The file of a participant's key."""
        return self._folder / f"{_UNSAFE.sub('_', participant.lower().removeprefix('urn:dmi:'))}.json"

    def keeps(self, participant: str) -> bool:
        """Whether this node may sign for the participant."""
        return self._hosting and self.path(participant).exists()

    def own(self, participant: str) -> SigningKey:
        """The key of a participant that this node itself is; made at first use."""
        return SigningKey.load_or_create(self.path(participant))

    def sign(self, participant: str, document: Mapping[str, Any]) -> str:
        """Sign for a participant whose key is kept here; refused in production and for others' keys."""
        if not self.keeps(participant):
            raise InputRefused.of("hosted", "this node keeps no key of this participant; send a JWS instead")
        return SigningKey.load_or_create(self.path(participant)).sign_document(document)
