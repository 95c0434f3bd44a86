"""Two nodes that know each other, A the consumer and B the provider; each can be stopped and started again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dmi_agreements.contracts.law import AgreementState
from dmi_command.servers import free_port
from dmi_infra import clock
from tests.conformance.dsp.city import City
from tests.conformance.dsp.conftest import listening
from tests.unit.exchange.fakes import HERE

CITY, STACK = "urn:dmi:participant:gemeente", "urn:dmi:participant:stack"
OWNER, KEEPER = "urn:dmi:participant:buurstad", "urn:dmi:participant:buurstad-stack"
GARAGES = "urn:dmi:dataset:buurstad:garages"
CAMERAS = "urn:dmi:dataset:buurstad:cameras"
MOBILITY = "dmi:purpose:mobility"
TERMS = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:process", "dmi:read", "dmi:display"]}


class Pair:
    """A, the consumer, and B, the provider, which may be down for a while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = free_port(), free_port()
        self._running: dict[str, ExitStack] = {}
        self.a = City(f"http://127.0.0.1:{self._ports[0]}", folder / "a", {})
        self.b = City(f"http://127.0.0.1:{self._ports[1]}", folder / "b", {})

    def up(self, name: str) -> None:
        """Start a node, or start it again."""
        me, other = (self.a, self.b) if name == "a" else (self.b, self.a)
        settings = {"stack_participant": STACK if name == "a" else KEEPER, **self.knowing(me, other)}
        self._running[name] = ExitStack()
        self._running[name].enter_context(listening(me.folder, int(me.url.rsplit(":", 1)[1]), **settings))

    def knowing(self, _me: City, other: City) -> dict[str, Any]:
        """The settings by which a node knows the other one: its keys."""
        return {"dsp_nodes": ({"url": other.url},)}

    def down(self, name: str) -> None:
        """Stop a node."""
        self._running.pop(name).close()

    def close(self) -> None:
        for name in list(self._running):
            self.down(name)

    def catalogue(self) -> Any:
        """What B offers, as A's interface shows it."""
        return self.a.well("GET", f"/v1/nodes/catalogue?node={self.b.url}", CITY)["items"]

    def begin(self, who: str = STACK, dataset: str = GARAGES) -> str:
        """A negotiation about data of B from A's interface; its id there."""
        (item,) = [entry for entry in self.catalogue() if entry["dataset"] == dataset]
        body = {"provider": item["owner"], "dataset": dataset, "offer": item["offers"][0]}
        return str(self.a.well("POST", "/v1/negotiations", who, body)["id"])

    def agreed(self, who: str = STACK) -> str:
        """An agreement that holds in both nodes; its id."""
        mine = self.a.until(f"/v1/negotiations/{self.begin(who)}", who, "FINALIZED")
        soon(lambda: state(self.a, mine["agreement"]) == "active")
        return str(mine["agreement"])


def offer_cameras(city: City) -> None:
    """Offer data about persons on another basis than consent."""
    entry = {
        "id": CAMERAS, "title": {"nl": "Camera's", "en": "Cameras"}, "purpose": MOBILITY, "spatial": HERE,
        "personal": True, "basis": "dmi:basis:public-task",
    }  # fmt: skip
    until = clock.to_text(clock.now() + 86_400_000_000)
    terms = {**TERMS, "purpose": MOBILITY, "days": 30, "until": until}
    city.well("POST", "/v1/datasets", OWNER, entry)
    city.well(
        "POST", "/v1/offers", OWNER, {"dataset": CAMERAS, "template": "sensor-data", "parameters": terms}
    )


def soon(holds: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait until it holds; how long that took in seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.005)
    return time.monotonic() - begun


def state(city: City, agreement: str) -> str | None:
    found = city.law().get(AgreementState, agreement)
    return None if found is None else found.state


@contextmanager
def furnished(folder: Path, kind: type[Pair] = Pair) -> Iterator[Pair]:
    """Both up, with members, and what B offers."""
    made = kind(folder)
    try:
        made.up("a")
        made.up("b")
        made.a.admit(CITY, STACK)
        made.b.admit(OWNER, KEEPER)
        entry = {
            "id": GARAGES,
            "title": {"nl": "Garages", "en": "Garages"},
            "purpose": TERMS["purpose"],
            "spatial": HERE,
        }
        offer = {"dataset": GARAGES, "template": "sensor-data", "parameters": TERMS}
        made.b.well("POST", "/v1/datasets", OWNER, entry)
        made.b.well("POST", "/v1/offers", OWNER, offer)
        soon(lambda: all(node["reachable"] for node in made.a.well("GET", "/v1/nodes", CITY)["items"]))
        yield made
    finally:
        made.close()
