"""A node as its participants use it: requests with tokens of anybody, and members with keys."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from dmi_exchange.custody import Custody
from dmi_exchange.store import Store
from dmi_infra import clock, jose
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT
from dmi_infra.sql import open_engine

ROLES = {
    "urn:dmi:participant:gemeente": "dmi:role:municipality",
    "urn:dmi:participant:buurstad": "dmi:role:municipality",
    "urn:dmi:participant:leverancier": "dmi:role:vendor",
    "urn:dmi:participant:derde": "dmi:role:vendor",
    "urn:dmi:participant:stack": "dmi:role:operator",
    "urn:dmi:participant:buurstad-stack": "dmi:role:operator",
    "urn:dmi:person:bram": "dmi:role:resident",
}


@dataclass
class City:
    """A node with a dataset on offer."""

    url: str
    folder: Path
    offer: dict[str, Any]
    keys: dict[str, jose.SigningKey] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str | None, json: Any = None) -> httpx.Response:
        """One request with a token of ``who``."""
        headers = {} if who is None else {"Authorization": f"Bearer {self.token(who)}"}
        return httpx.request(method, f"{self.url}/exchange{path}", headers=headers, json=json, timeout=10)

    def token(self, who: str) -> str:
        key = Custody(self.folder / "keys", hosting=True).own(EXCHANGE_PARTICIPANT)
        now = clock.now() // 1_000_000
        issuer = f"{self.url}/exchange"
        return key.sign_token(jose.access_claims(issuer, AUDIENCE, who, "x", [ROLES[who]], now))

    def well(self, method: str, path: str, who: str, json: Any = None) -> Any:
        answer = self.ask(method, path, who, json)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def until(self, path: str, who: str, state: str) -> Any:
        """The process once it is in this state."""
        end = time.monotonic() + 10
        while (found := self.well("GET", path, who))["state"] != state:
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def law(self) -> Store:
        return Store(open_engine(f"sqlite:///{(self.folder / 'exchange.db').absolute()}", "exchange"))

    def key(self, who: str) -> jose.SigningKey:
        """The key that the node keeps for a participant, made at the first use."""
        return Custody(self.folder / "keys", hosting=True).own(who)

    def admit(self, who: str, operator: str, key: jose.SigningKey | None = None) -> None:
        """A member that has signed the rulebook; with ``key`` one that keeps its own."""
        end = time.monotonic() + 10
        while self.ask("GET", "/v1/datasets", operator).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)
        public = (key or self.key(who)).public
        body = {"id": who, "name": who, "roles": [ROLES[who]], "keys": [public]}
        self.well("POST", "/v1/participants", operator, body)
        path = f"/v1/participants/{who}"
        while (statement := self.ask("GET", f"{path}/statement", who)).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)
        signed = {"jws": key.sign_document(statement.json())} if key else {"hosted": True}
        while self.ask("POST", f"{path}/signature", who, signed).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)
        while self.ask("GET", "/v1/datasets", who).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)
