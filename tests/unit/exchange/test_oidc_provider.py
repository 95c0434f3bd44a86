"""An OpenID provider that hangs: nobody who begins to sign in holds a thread for it, except one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from dmi_exchange import oidc
from dmi_exchange.oidc import Provider
from dmi_exchange.settings import ExchangeSettings
from dmi_infra.errors import Unavailable

ISSUER = "https://provider.example"
LATE_SECONDS = 5.0


class Far:
    """A provider that answers when ``hold`` is set, and well unless it is ``away``."""

    def __init__(self) -> None:
        self.hold, self.asked, self.away = threading.Event(), 0, False
        settings = ExchangeSettings(oidc_issuer=ISSUER, oidc_client_id="dmi")
        self.provider = Provider(settings, httpx.MockTransport(self._answer))

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.hold.wait(LATE_SECONDS)
        if self.away:
            raise httpx.ReadTimeout("late")
        return httpx.Response(
            200,
            json={"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"},
        )

    def login(self) -> str:
        return self.provider.authorization_address("http://node/back", "s", "n", "v")

    def redeem(self) -> Any:
        return self.provider.redeem("made-up", "http://node/back", "n", "v")


def test_while_a_provider_hangs_one_waits_for_it_and_a_failure_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oidc, "FAILED_SECONDS", 0.3)
    far = Far()
    far.away = True
    far.hold.set()
    for _ in range(3):
        with pytest.raises(Unavailable):
            far.login()
    assert far.asked == 1
    time.sleep(0.4)
    far.hold.clear()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(far.login)
        while far.asked < 2:
            time.sleep(0.01)
        begun = time.monotonic()
        others = [pool.submit(far.login) for _ in range(8)]
        assert all(isinstance(one.exception(), Unavailable) for one in others)
        assert time.monotonic() - begun < oidc.ASKED_SECONDS
        far.away = False
        far.hold.set()
        assert first.result().startswith(f"{ISSUER}/a?")
    assert far.login().startswith(f"{ISSUER}/a?")
    assert far.asked == 2


def test_of_a_provider_that_answers_all_wait_for_the_first_answer() -> None:
    far = Far()
    threading.Timer(oidc.ASKED_SECONDS / 5, far.hold.set).start()
    with ThreadPoolExecutor(8) as pool:
        assert all(one.startswith(ISSUER) for one in pool.map(lambda _: far.login(), range(8)))
    assert far.asked == 1


def test_made_up_codes_hold_a_share_of_the_threads() -> None:
    far = Far()
    far.hold.set()
    far.login()
    far.hold.clear()
    with ThreadPoolExecutor(2 * oidc.REDEEMED_AT_ONCE) as pool:
        waiting = [pool.submit(far.redeem) for _ in range(oidc.REDEEMED_AT_ONCE)]
        while far.asked < 1 + oidc.REDEEMED_AT_ONCE:
            time.sleep(0.01)
        with pytest.raises(Unavailable, match="sign-ins"):
            far.redeem()
        far.hold.set()
        assert all(one.exception() is not None for one in waiting)


def test_an_answer_with_text_that_is_none_is_as_one_that_cannot_be_read() -> None:
    settings = ExchangeSettings(oidc_issuer=ISSUER, oidc_client_id="dmi")
    told = b'{"issuer": "%s", "authorization_endpoint": "https://x/\\ud800"}' % ISSUER.encode()
    provider = Provider(settings, httpx.MockTransport(lambda _request: httpx.Response(200, content=told)))
    with pytest.raises(Unavailable, match="cannot be read"):
        provider.authorization_address("http://node/back", "s", "n", "v")
