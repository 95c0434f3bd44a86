"""A token is believed for a moment after it was verified, and no longer."""

from __future__ import annotations

from typing import cast

import pytest

from dmi_infra.errors import Unauthenticated
from dmi_infra.identity import Authenticator, Identity
from dmi_ingest import tokens


def test_a_token_is_verified_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [100.0]
    asked: list[str] = []

    def verify(token: str) -> Identity:
        asked.append(token)
        if len(asked) > 1:
            raise Unauthenticated("expired")
        return Identity(token, token, frozenset())

    monkeypatch.setattr(tokens.time, "monotonic", lambda: moment[0])
    remembering = tokens.RememberingAuthenticator(cast(Authenticator, verify))
    assert remembering("t") == remembering("t")
    assert asked == ["t"]
    moment[0] += tokens.SECONDS
    with pytest.raises(Unauthenticated):
        remembering("t")
