"""Two real stacks on one machine: found, negotiated, on the map, stopped within a second, nothing lost on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_command.client import Client
from dmi_command.demo.neighbour import CENTRE, CITY, LAYER_ACTIONS, SQUARE, Neighbour
from dmi_command.errors import AnswerRefused
from dmi_command.servers import free_port
from dmi_command.two import STACK, Node, two_nodes
from dmi_exchange.custody import Custody
from dmi_infra import clock, passes
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.jose import SigningKey
from tests.stack_plugin import BYTECODE

ROWS = 5
"""Rows of one moment that the neighbour measures."""
SECOND = 1_000_000


class Two:
    """Waterstad, which wants data, and Buurstad, which has it."""

    def __init__(self, folder: Path) -> None:
        more = {**BYTECODE, "DMI_FORECAST_SECONDS": "1"}
        self.here, self.there = two_nodes(folder, free_port(), free_port(), more)
        self.log = (folder / "log").open("ab")
        self.operator = Client(self.here.url, demo="operator")
        self.neighbour = Neighbour(self.there.url, self.there.folder)
        self._moment = 0

    def furnish(self) -> None:
        """Start both, and load what Buurstad offers."""
        self.start(self.here, self.there)
        self.neighbour.load()
        self._moment = clock.now() // SECOND * SECOND - 600 * SECOND
        soon(lambda: all(node["reachable"] for node in self.get("nodes")["items"]), 25)

    def start(self, *nodes: Node) -> None:
        for node in nodes:
            other = self.there if node is self.here else self.here
            node.start(other, self.log.fileno())
        for node in nodes:
            node.await_ready()

    def kill(self, node: Node) -> None:
        """``kill -9``."""
        assert node.process is not None
        os.kill(node.process.pid, signal.SIGKILL)
        node.process.wait()

    def close(self) -> None:
        self.neighbour.close()
        self.operator.close()
        self.here.stop()
        self.there.stop()
        self.log.close()

    def get(self, path: str) -> Any:
        return self.operator.get(f"/exchange/v1/{path}")

    def measure(self, times: int = 1) -> None:
        """Buurstad measures at the next seconds."""
        for _ in range(times):
            self._moment += SECOND
            self.neighbour.measure(self._moment)

    def begin(self, *constraints: dict[str, Any]) -> str:
        """A negotiation from Waterstad's interface, which wants these constraints too; its id there."""
        (found,) = self.operator.get("/exchange/v1/nodes/catalogue", node=self.there.url)["items"]
        offer = next(o for o in found["offers"] if any("process" in r["action"] for r in o["permission"]))
        for rule in offer["permission"] if constraints else ():
            rule["constraint"] = [*rule.get("constraint", ()), *constraints]
        body = {"provider": found["owner"], "dataset": found["dataset"], "offer": offer}
        return str(self.operator.post("/exchange/v1/negotiations", body)["id"])

    def sign(self) -> None:
        """Buurstad's officer signs what was asked for with other terms than those that it offers."""
        path = "/exchange/v1/negotiations"

        def waiting() -> list[dict[str, Any]]:
            return [one for one in self.neighbour.city.get(path)["items"] if one["state"] == "REQUESTED"]

        soon(lambda: bool(waiting()))
        (asked,) = waiting()
        document = self.neighbour.city.get(f"{path}/{asked['id']}/document")
        jws = Custody(self.there.folder / "keys", hosting=True).own(CITY).sign_document(document)
        self.neighbour.city.post(f"{path}/{asked['id']}/signature", {"jws": jws})

    def agreed(self, *constraints: dict[str, Any]) -> str:
        """An agreement that holds here and there."""
        mine = f"negotiations/{self.begin(*constraints)}"
        if constraints:
            self.sign()
        soon(lambda: self.get(mine)["state"] == "FINALIZED")
        agreement = str(self.get(mine)["agreement"])
        soon(lambda: any(a["id"] == agreement for a in self.get("agreements")["items"]))
        return agreement

    def transfer(self, agreement: str, form: str) -> str:
        """A transfer under an agreement; its address here."""
        body = {"provider": CITY, "agreement": agreement, "format": form}
        return f"transfers/{self.operator.post('/exchange/v1/transfers', body)['id']}"

    def theirs(self, agreement: str) -> dict[str, Any]:
        """The transfer of an agreement as Buurstad has it."""
        items = self.neighbour.city.get("/exchange/v1/transfers")["items"]
        found: dict[str, Any] = next(item for item in items if item["agreement"] == agreement)
        return found

    def counts(self) -> tuple[int, int]:
        """Observations of the square, here and there."""
        other = f"/platform/v1/datastreams/buurstad:{SQUARE}/observations"
        return len(self.operator.get(other, limit=10_000)["items"]), self.measured()

    def measured(self) -> int:
        """Observations of the square that Buurstad has."""
        own = f"/platform/v1/datastreams/{SQUARE}/observations"
        return len(self.neighbour.city.get(own, limit=10_000)["items"])

    def status(self, path: str) -> int:
        """What Waterstad answers its operator."""
        try:
            self.operator.get(path)
        except AnswerRefused as refused:
            return refused.status
        return 200

    def end(self, agreement: str) -> None:
        self.neighbour.city.post(f"/exchange/v1/agreements/{agreement}/end", {"reason": "genoeg"})


def soon(holds: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait until it holds; how long that took in seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.01)
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    made = Two(tmp_path_factory.mktemp("two"))
    try:
        made.furnish()
        yield made
    finally:
        made.close()


MAP = f"/visualisation/v1/layers/{CENTRE}/features"


def test_data_of_the_other_city_is_on_the_map_until_it_is_stopped_and_what_rests_on_it_is_marked(
    two: Two,
) -> None:
    two.measure(3)
    agreement = two.agreed()
    mine = two.transfer(agreement, "ServerSentEvents-PULL")
    soon(lambda: two.status(MAP) == 200 and len(two.operator.get(MAP)["features"]) >= ROWS)
    soon(lambda: two.counts() == (3, 3))
    two.measure()
    assert soon(lambda: two.counts() == (4, 4)) < 3.0
    crowd = "/support-centre/v1/crowd"
    soon(lambda: any(agreement in item["grounds"]["agreements"] for item in two.operator.get(crowd)["items"]))

    two.end(agreement)
    assert soon(lambda: two.status(MAP) == 403) < 1.0
    (item,) = two.operator.get(crowd)["items"]
    assert item["withdrawn"]
    assert item["withdrawal"]["agreement"] == agreement
    soon(lambda: two.get(mine)["state"] == "TERMINATED")
    assert "genoeg" in two.get(mine)["reason"]


@pytest.mark.parametrize("form", ["ServerSentEvents-PULL", "HttpData-PUSH"])
def test_suspending_and_resuming_loses_and_repeats_nothing(two: Two, form: str) -> None:
    agreement = two.agreed()
    mine = two.transfer(agreement, form)
    two.measure(3)
    soon(lambda: two.status(MAP) == 200 and two.counts()[0] == two.counts()[1])
    theirs = two.theirs(agreement)["id"]
    two.neighbour.city.post(f"/exchange/v1/transfers/{theirs}/suspend", {"reason": "onderhoud"})
    soon(lambda: two.get(mine)["state"] == "SUSPENDED")
    before = two.counts()[0]
    two.measure(4)
    soon(lambda: two.counts()[1] == before + 4)
    time.sleep(0.5)
    assert two.counts()[0] == before
    two.neighbour.city.post(f"/exchange/v1/transfers/{theirs}/start", {})
    soon(lambda: two.counts() == (before + 4, before + 4))
    two.measure(2)
    soon(lambda: two.counts() == (before + 6, before + 6))
    two.operator.post(f"/exchange/v1/{mine}/complete", {})
    soon(lambda: two.theirs(agreement)["state"] == "COMPLETED")
    _accounted(two, agreement, two.counts()[1] * ROWS)
    assert two.get(mine)["data"] == {"received": two.counts()[1] * ROWS, "not_taken": 0}
    two.end(agreement)


def test_a_pull_fetches_what_there_is_and_completes_with_what_was_sent_and_why(two: Two) -> None:
    before = two.measured()
    two.measure(2)
    agreement = two.agreed()
    soon(lambda: two.measured() == before + 2)
    mine = two.transfer(agreement, "HttpData-PULL")
    soon(lambda: two.get(mine)["state"] == "COMPLETED")
    soon(lambda: two.counts()[0] == two.counts()[1])
    _accounted(two, agreement, two.counts()[1] * ROWS)
    two.end(agreement)


def _accounted(two: Two, agreement: str, rows: int) -> None:
    """Buurstad's transfer shows its rows, each under a decision that stands in the log."""
    soon(lambda: all(item["log"] for item in _deliveries(two, agreement)))
    data = two.theirs(agreement)["data"]
    given = _deliveries(two, agreement)
    assert (data["sent"], data["sent_again"]) == (rows, 0)
    assert sum(item["rows"] for item in given) == rows
    numbers = [item["log"] for item in given]
    assert (data["log"]["first"], data["log"]["last"]) == (min(numbers), max(numbers))
    entries = two.neighbour.operator.get("/exchange/v1/log", limit=1000, after=data["log"]["first"] - 1)
    known = {entry["id"]: entry for entry in entries["items"]}
    for item in given:
        assert known[item["record"]]["agreements"][-1] == agreement
        assert known[item["record"]]["rows"] == item["rows"]


def _deliveries(two: Two, agreement: str) -> list[dict[str, Any]]:
    path = f"/exchange/v1/transfers/{two.theirs(agreement)['id']}/deliveries"
    items: list[dict[str, Any]] = two.neighbour.city.get(path, limit=1000)["items"]
    return items


def test_a_transfer_is_one_use_with_all_that_goes_along_and_its_positions_tell_nothing(two: Two) -> None:
    rare = {
        "leftOperand": "timeInterval", "operator": "gteq",
        "rightOperand": {"@value": "PT1H", "@type": "http://www.w3.org/2001/XMLSchema#duration"},
    }  # fmt: skip
    agreement = two.agreed(rare)
    body = {"provider": CITY, "agreement": agreement, "format": "HttpData-PULL", "own": True}
    mine = f"transfers/{two.operator.post('/exchange/v1/transfers', body)['id']}"
    soon(lambda: two.get(mine)["state"] == "STARTED" and two.get(mine)["data_address"])
    url = two.get(mine)["data_address"]["endpoint"]

    def pull(after: str) -> httpx.Response:
        token = two.operator.post(f"/exchange/v1/{mine}/token")["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(url, headers=headers, params={"after": after}, timeout=20)

    first = pull("")
    assert first.status_code == 200, first.text
    assert len(first.json()["features"]) > 1
    position = first.json()["cursor"]
    assert not re.search(r"\d:\d", position)
    two.measure()
    assert pull(position).status_code == 200
    # Begun anew, and behind a position that this node did not seal, it is another use, for which it is too early.
    for after in ("", "0:0"):
        assert pull(after).status_code == 403
    assert pull(position[:-2] + "xx").status_code == 400
    two.end(agreement)


def test_a_token_for_data_is_of_its_transfer_and_dead_when_the_agreement_is(two: Two) -> None:
    agreement = two.agreed()
    body = {"provider": CITY, "agreement": agreement, "format": "ServerSentEvents-PULL", "own": True}
    mine = f"transfers/{two.operator.post('/exchange/v1/transfers', body)['id']}"
    soon(lambda: two.get(mine)["state"] == "STARTED")
    base = f"{two.there.url}/exchange/dsp/data"
    theirs = two.theirs(agreement)["id"]

    def token() -> httpx.Response:
        key = Custody(two.here.folder / "keys", hosting=True).own(EXCHANGE_PARTICIPANT)
        url = f"{base}/{theirs}/token"
        signed = passes.sign_node(
            key, f"{two.here.url}/exchange", STACK, f"{two.there.url}/exchange/dsp", ("POST", url, b"{}"),
            int(time.time()),
        )  # fmt: skip
        headers = {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}
        return httpx.post(url, content=b"{}", headers=headers)

    given = token()
    assert given.status_code == 200, given.text
    assert given.json()["expires_in"] <= 60
    bearer = {"Authorization": f"Bearer {given.json()['access_token']}"}
    with httpx.stream("GET", f"{base}/{theirs}/stream", headers=bearer, timeout=10) as events:
        assert events.status_code == 200
        lines = events.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: data"
        two.end(agreement)
        begun = time.monotonic()
        assert next(line for line in lines if line == "event: end")
        assert time.monotonic() - begun < 1.0
    for path in (f"{theirs}/stream", theirs):
        assert httpx.get(f"{base}/{path}", headers=bearer).status_code in (403, 409)
    assert httpx.get(f"{base}/urn:uuid:other", headers=bearer).status_code == 401
    assert httpx.get(f"{base}/{theirs}").status_code == 401
    assert token().status_code in (403, 409)


@pytest.mark.parametrize("which", ["there", "here"])
def test_a_node_that_is_killed_during_a_negotiation_loses_nothing(two: Two, which: str) -> None:
    node: Node = getattr(two, which)
    mine = f"negotiations/{two.begin()}"
    two.kill(node)
    two.start(node)
    soon(lambda: two.status(f"/exchange/v1/{mine}") == 200 and two.get(mine)["state"] == "FINALIZED", 60)
    agreement = two.get(mine)["agreement"]
    soon(lambda: [a["state"] for a in two.get("agreements")["items"] if a["id"] == agreement] == ["active"])
    held = two.neighbour.city.get("/exchange/v1/agreements")["items"]
    assert [a["state"] for a in held if a["id"] == agreement] == ["active"]
    two.end(agreement)


CAMERAS = "urn:dmi:dataset:buurstad:cameras"
PURPOSE = "dmi:purpose:mobility"
SEEN = "urn:dmi:person:bram", "urn:dmi:person:els"


def _cameras(two: Two, person: SigningKey) -> str:
    """Buurstad counts persons under a legal task, and offers that; the agreement with Waterstad's layers."""
    city, operator = two.neighbour.city, two.neighbour.operator
    body = {"id": SEEN[0], "name": "Bram", "roles": ["dmi:role:resident"], "keys": [person.public]}
    operator.post("/exchange/v1/participants", body)
    entry = {
        "id": CAMERAS, "title": {"nl": "Camera's", "en": "Cameras"}, "purpose": PURPOSE, "personal": True,
        "basis": "dmi:basis:public-task", "layer": "points",
        "spatial": {"bbox": [5.24, 52.17, 5.29, 52.19], "name": {"nl": "Buurstad", "en": "Buurstad"}},
    }  # fmt: skip
    city.post("/exchange/v1/datasets", entry)
    terms = {"purpose": PURPOSE, "days": 30, "until": clock.to_text(clock.now() + 3600 * SECOND)}
    two.neighbour.conclude([*LAYER_ACTIONS, "dmi:export"], datasets=[CAMERAS], **terms)
    offered = {**terms, "actions": LAYER_ACTIONS}
    offer = {"dataset": CAMERAS, "template": "sensor-data", "parameters": offered}
    city.post("/exchange/v1/offers", offer)
    about = {"thing": "camera", "observed_property": "crowd_count", "unit": "{person}"}
    features = [
        {"id": "camera", "kind": "thing", "name": "Camera", "properties": {"mobile": True}},
        {"id": "camera.count", "kind": "datastream", "name": "Camera", "properties": about},
    ]
    _patient(lambda: city.post("/ingest/v1/features", {"dataset": CAMERAS, "features": features}))
    items = two.operator.get("/exchange/v1/nodes/catalogue", node=two.there.url)["items"]
    (found,) = [one for one in items if one["dataset"] == CAMERAS]
    wish = {"provider": CITY, "dataset": CAMERAS, "offer": found["offers"][0]}
    mine = f"negotiations/{two.operator.post('/exchange/v1/negotiations', wish)['id']}"
    soon(lambda: two.get(mine)["state"] == "FINALIZED")
    return str(two.get(mine)["agreement"])


def test_what_a_person_corrects_and_has_erased_is_corrected_and_erased_in_the_other_city_too(
    two: Two, tmp_path: Path
) -> None:
    key = SigningKey.load_or_create(tmp_path / "bram.json")
    agreement = _cameras(two, key)
    two.transfer(agreement, "ServerSentEvents-PULL")
    bram = Client(two.there.url, participant=SEEN[0], key=key)
    statement = _patient(lambda: bram.get(f"/exchange/v1/participants/{SEEN[0]}/statement"))
    bram.post(f"/exchange/v1/participants/{SEEN[0]}/signature", {"jws": key.sign_document(statement)})
    start = clock.now() // SECOND * SECOND - 300 * SECOND
    times = [start + number * SECOND for number in range(4)]
    batch = {
        "dataset": CAMERAS, "datastream": ["camera.count"] * 4, "phenomenon_time": times,
        "result": [1.0, 2.0, 3.0, 4.0], "subject": [SEEN[0], SEEN[0], SEEN[1], SEEN[1]],
        "longitude": [5.26] * 4, "latitude": [52.18] * 4,
    }  # fmt: skip
    two.neighbour.city.post("/ingest/v1/batches", batch)

    def there() -> list[float]:
        path = "/platform/v1/datastreams/buurstad:camera.count/observations"
        return [one["result"] for one in two.operator.get(path, limit=100)["items"]]

    soon(lambda: two.status("/platform/v1/datastreams/buurstad:camera.count/observations") == 200)
    soon(lambda: there() == [1.0, 2.0, 3.0, 4.0])
    wrong = [{"datastream": "camera.count", "time": clock.to_text(times[0]), "result": 1.5}]
    mine = "/exchange/v1/my-data"
    _patient(lambda: bram.post(f"{mine}/rectification", {"dataset": CAMERAS, "corrections": wrong}))
    soon(lambda: there() == [1.5, 2.0, 3.0, 4.0])
    (asked,) = bram.post(f"{mine}/erasure", {"datasets": [CAMERAS]})["items"]
    soon(lambda: there() == [3.0, 4.0])

    def told() -> dict[str, Any]:
        items = bram.get(f"{mine}/told")["items"]
        return next((one for one in items if one["request"] == asked["id"]), {})

    soon(lambda: told().get("outcome") == "done")
    layers = {one["service"]: one["rows"] for one in told()["carried_out"]}
    # A row that was on its way is erased once more when it comes.
    assert layers["platform"] >= 2
    assert there() == [3.0, 4.0]
    assert layers.keys() >= {"platform", "visualisation", "support-centre"}
    bram.close()
    two.end(agreement)


TRADE = "urn:dmi:dataset:buurstad:trade"


def test_what_is_offered_for_another_purpose_than_it_is_collected_for_comes_in_and_is_used_for_that(
    two: Two,
) -> None:
    city = two.neighbour.city
    entry = {
        "id": TRADE, "title": {"nl": "Handel", "en": "Trade"}, "purpose": PURPOSE, "layer": "points",
        "spatial": {"bbox": [5.24, 52.17, 5.29, 52.19], "name": {"nl": "Buurstad", "en": "Buurstad"}},
    }  # fmt: skip
    city.post("/exchange/v1/datasets", entry)
    two.neighbour.conclude(LAYER_ACTIONS, datasets=[TRADE])
    offered = {"actions": LAYER_ACTIONS, "purpose": "dmi:purpose:commercial"}
    city.post("/exchange/v1/offers", {"dataset": TRADE, "template": "sensor-data", "parameters": offered})
    about = {"thing": "shop", "observed_property": "crowd_count", "unit": "{person}"}
    place = {"type": "Point", "coordinates": [5.26, 52.18]}
    features = [
        {"id": "shop", "kind": "thing", "name": "Winkel", "geometry": place, "properties": {}},
        {"id": "shop.count", "kind": "datastream", "name": "Winkel", "properties": about},
    ]
    _patient(lambda: city.post("/ingest/v1/features", {"dataset": TRADE, "features": features}))
    moment = clock.now() // SECOND * SECOND
    batch = {"dataset": TRADE, "datastream": ["shop.count"], "phenomenon_time": [moment], "result": [7.0]}
    city.post("/ingest/v1/batches", batch)
    items = two.operator.get("/exchange/v1/nodes/catalogue", node=two.there.url)["items"]
    (found,) = [one for one in items if one["dataset"] == TRADE]
    wish = {"provider": CITY, "dataset": TRADE, "offer": found["offers"][0]}
    mine = f"negotiations/{two.operator.post('/exchange/v1/negotiations', wish)['id']}"
    soon(lambda: two.get(mine)["state"] == "FINALIZED")
    agreement = str(two.get(mine)["agreement"])
    transfer = two.transfer(agreement, "ServerSentEvents-PULL")
    soon(lambda: two.get(transfer)["data"] == {"received": 1, "not_taken": 0})
    shown = f"/visualisation/v1/layers/{TRADE}/features"
    soon(lambda: two.status(shown) == 200 and len(two.operator.get(shown)["features"]) == 1)
    layers = two.operator.get("/visualisation/v1/layers")["items"]
    assert [one["purpose"] for one in layers if one["id"] == TRADE] == [offered["purpose"]]
    two.end(agreement)
    soon(lambda: two.status(shown) == 403)
    with pytest.raises(AnswerRefused, match="ended"):
        two.operator.get(shown)


def _patient(ask: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The answer as soon as the law that it needs is known."""
    limit = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except AnswerRefused as refused:
            assert time.monotonic() < limit, refused
            time.sleep(0.05)


def test_the_commands_find_negotiate_and_fetch(two: Two) -> None:
    from typer.testing import CliRunner

    from dmi_command.cli import app

    def dmi(*words: str) -> str:
        result = CliRunner().invoke(app, ["dataspace", *words, "--url", two.here.url])
        assert result.exit_code == 0, result.output
        return result.stdout

    def listed(kind: str) -> dict[str, Any]:
        return {one["id"]: one["state"] for one in json.loads(dmi(kind, "--json"))["items"]}

    assert two.there.url in dmi("nodes")
    assert CENTRE in dmi("catalogue", two.there.url)
    before, transfers = listed("negotiations"), listed("transfers")
    made = json.loads(dmi("negotiate", two.there.url, CENTRE, "--json"))
    after = listed("negotiations")
    assert {each: after[each] for each in after.keys() - before.keys()} == {made["id"]: "FINALIZED"}
    soon(lambda: any(one["id"] == made["agreement"] for one in two.get("agreements")["items"]))
    flows = json.loads(dmi("transfer", made["id"], "--json"))["id"]
    soon(lambda: listed("transfers")[flows] == "STARTED")
    assert listed("transfers").keys() - transfers.keys() == {flows}
    two.end(made["agreement"])
