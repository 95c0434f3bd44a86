"""A participant that only a test knows, with a dataset of its own: what it does harms nothing of the demonstration."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from dmi_command.client import Client
from dmi_infra.jose import TOKEN_SECONDS, SigningKey
from tests.stack_plugin import Stack

LAYERS = "urn:dmi:participant:stack"
ACTIONS = ["dmi:process", "dmi:read", "dmi:display", "dmi:analyse", "dmi:publish", "dmi:export"]


HERE = {"bbox": [5.05, 52.07, 5.15, 52.13], "name": {"nl": "Hier", "en": "Here"}}
"""Where the data of newcomers is about: no entry of the catalogue goes without a place."""


RENEWED_AFTER = TOKEN_SECONDS / 2


@dataclass
class Newcomer:
    """A signed-in participant; ``renews`` its token by itself, as sessions of tests last longer than one."""

    id: str
    slug: str
    url: str
    token: str
    key: SigningKey
    renews: bool = True
    _since: float = field(default_factory=time.monotonic, init=False)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to one request in its name, whatever its status."""
        if self.renews and time.monotonic() - self._since > RENEWED_AFTER:
            with Client(self.url, participant=self.id, key=self.key) as client:
                self.token, self._since = client.token(), time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=60, **options)

    def dataset(self, name: str) -> str:
        """The id of a dataset in its own name space."""
        return f"urn:dmi:dataset:{self.slug}:{name}"


def join(stack: Stack, slug: str, roles: list[str]) -> Newcomer:
    """Admit a participant, sign the rulebook with its own key, and wait until every service knows it."""
    identifier, key = f"urn:dmi:participant:{slug}", SigningKey.generate()
    with stack.demo("operator") as operator:
        operator.post(
            "/exchange/v1/participants",
            {"id": identifier, "name": slug, "roles": roles, "keys": [key.public]},
        )
    with Client(stack.url, participant=identifier, key=key) as client:
        statement = client.get(f"/exchange/v1/participants/{identifier}/statement")
        client.post(
            f"/exchange/v1/participants/{identifier}/signature", {"jws": key.sign_document(statement)}
        )
        made = Newcomer(identifier, slug, stack.url, client.token(), key)
    for path in (
        "/platform/v1/rejects",
        "/ingest/v1.1",
        "/visualisation/v1/layers",
        "/support-centre/v1/rules",
    ):
        _await(lambda path=path: made.ask("GET", path).status_code == 200 or _roles(made, path))  # type: ignore[misc]
    return made


def publish(stack: Stack, owner: Newcomer, name: str, **more: Any) -> str:
    """Enter a dataset and agree with the layers that they may work with it; returns its id."""
    identifier = owner.dataset(name)
    body = {
        "id": identifier,
        "title": {"nl": name, "en": name},
        "layer": "points",
        "spatial": HERE,
        "licence": "CC0-1.0",
        **more,
    }
    assert owner.ask("POST", "/exchange/v1/datasets", json=body).status_code == 201
    agree(stack, owner, LAYERS, identifier, ACTIONS)
    return identifier


def agree(stack: Stack, owner: Newcomer, assignee: str, dataset: str, actions: list[str], **more: Any) -> str:
    """An agreement that both sides have signed and that the services know; returns its id."""
    parameters = {
        "assigner": owner.id, "assignee": assignee, "datasets": [dataset], "purpose": "dmi:purpose:any",
        "actions": actions, **more,
    }  # fmt: skip
    draft = {"template": "sensor-data", "parameters": parameters}
    document = owner.ask("POST", "/exchange/v1/agreements/draft", json=draft).json()
    jws = owner.key.sign_document(document)
    proposed = owner.ask("POST", "/exchange/v1/agreements", json={"document": document, "jws": jws})
    assert proposed.status_code == 201, proposed.text
    identifier: str = proposed.json()["id"]
    if assignee == LAYERS:
        with stack.demo("operator") as operator:
            operator.post(f"/exchange/v1/agreements/{identifier}/signature", {"hosted": True})
    time.sleep(0.3)  # the services hear of it within milliseconds
    return identifier


def _roles(made: Newcomer, path: str) -> bool:
    return "role" in made.ask("GET", path).text


def _await(met: Any) -> None:
    until = time.monotonic() + 5
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)
