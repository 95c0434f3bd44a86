"""The support centre as a whole on the embedded bus: routes answer, and a stop is visible at once."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_agreements.contracts.envelope import Envelope, decode, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import Dataset, Heartbeat, LawEvent, Participant
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.results import Measure
from dmi_infra import clock
from dmi_infra.bus import Message, open_bus
from dmi_infra.identity import Authenticator, Identity
from dmi_infra.service import Service
from dmi_support_centre.app import build
from dmi_support_centre.model import MINUTE
from dmi_support_centre.settings import SupportCentreSettings
from tests.unit.infra.fakes import eventually
from tests.unit.support_centre.laws import GARAGES, OWNER, STACK, agreement_of

CROWD = {"A": 20.0, "B": 40.0, "C": 60.0, "D": 80.0, "E": 100.0}


class Known(Authenticator):
    """Whoever comes with whatever token is this one, and its keys hold."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def __call__(self, token: str) -> Identity:
        return self._identity

    def check_keys(self, identity: Identity) -> None:
        return None


class City:
    """A running support centre, and the hands of the exchange and the platform."""

    def __init__(self, folder: Path) -> None:
        self.bus = open_bus(f"embedded:///{folder / 'bus.db'}")
        self.bus.create_topics()
        self._exchange, self._platform = self.bus.publisher("exchange"), self.bus.publisher("platform")
        self._stopping = threading.Event()
        self._heart = threading.Thread(target=self._beat)
        self._heart.start()
        self.member(OWNER, "dmi:role:municipality")
        self.member(STACK, "dmi:role:operator")
        self.law(Dataset(GARAGES, OWNER, {"nl": "Drukte"}))
        self.service: Service = build(SupportCentreSettings(data_dir=folder, forecast_seconds=1.0), self.bus)
        person = Identity(OWNER, "Fatima", frozenset({"dmi:role:municipality"}))
        self.service.runtime.authenticate = Known(person)
        self.service.start()

    def member(self, identifier: str, role: str) -> None:
        self.law(Participant(identifier, identifier, [role], rulebook="1.0.0"))

    def law(self, event: LawEvent) -> None:
        self._exchange.publish("dmi.agreements.v1", [Message(event.id, encode(event), _envelope())])

    def data(self, topic: str, payload: object) -> None:
        self._platform.publish(topic, [Message("k", encode(payload), _envelope())])

    def ask(
        self, path: str, method: str = "GET", signed: bool = True, body: Any = None, tag: str | None = None
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.service.app)
            headers = {"authorization": "Bearer x"} if signed else {}
            headers |= {} if tag is None else {"if-match": tag}
            async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
                return await client.request(method, path, headers=headers, json=body)

        return asyncio.run(send())

    def until(self, path: str, holds: Any, seconds: float = 30.0) -> Any:
        """Ask until the answer holds what is wanted."""
        end = time.monotonic() + seconds
        while True:
            answer = self.ask(path).json()
            if holds(answer):
                return answer
            assert time.monotonic() < end, answer
            time.sleep(0.05)

    def close(self) -> None:
        self.service.stop()
        self._stopping.set()
        self._heart.join()
        self.bus.close()

    def _beat(self) -> None:
        while not self._stopping.is_set():
            self.law(Heartbeat("urn:dmi:heartbeat", clock.now()))
            self._stopping.wait(0.5)


def _envelope() -> Envelope:
    return Envelope(str(uuid.uuid4()), "s", "t", clock.to_text(clock.now()))


@contextmanager
def opened(folder: Path) -> Iterator[City]:
    made = City(folder)
    try:
        # Until the law has been heard every question is answered with 503.
        made.until("/v1/rules", lambda answer: "items" in answer)
        yield made
    finally:
        made.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One city for all that is refused and changes nothing."""
    with opened(tmp_path_factory.mktemp("city")) as made:
        yield made


def crowd(city: City) -> None:
    # What comes in before the agreement is refused, and does not come again.
    eventually(lambda: city.service.runtime.law.table.agreement(agreement_of(1).id) is not None, 30)
    about = {
        "effective_width": 2.0,
        "los_capacity": CROWD,
        "interval_s": 60,
        "observed_property": "crowd_count",
    }
    stream = Feature("c.plein.crowd_count", "datastream", "Plein", None, {**about, "thing": "c.plein"})
    city.data("dmi.features.v1", FeatureBatch(GARAGES, [Feature("c.plein", "thing", "Plein"), stream]))
    now = clock.now()
    times = [now - minutes * MINUTE for minutes in (3, 2, 1)]
    rows = [stream.id] * 3
    batch = ObservationBatch(GARAGES, rows, times, [95.0] * 3, observed_property=["crowd_count"] * 3)
    city.data("dmi.observations.harmonised.v1", batch)


def test_from_counts_to_a_published_measure_and_a_stop_that_takes_all_of_it_back(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    shown = city.until("/v1/crowd", lambda answer: answer.get("items"))["items"][0]
    assert (shown["level"], shown["flow"], shown["withdrawn"]) == ("E", 95.0, False)
    [measure] = city.until("/v1/measures?state=proposed", lambda answer: answer["items"])["items"]
    approved = city.ask(f"/v1/measures/{measure['id']}/approve", "POST", body={})
    assert (approved.status_code, approved.json()["state"]) == (200, "published")
    assert len(city.ask("/v1/measures/feed", signed=False).json()["items"]) == 1
    ended = agreement_of(1, state="ended")
    stopped = time.monotonic()
    city.law(ended)
    shown = city.until("/v1/crowd", lambda answer: answer["items"][0]["withdrawn"])["items"][0]
    assert time.monotonic() - stopped < 1.0
    assert (shown["level"], shown["flow"]) == (None, None)
    assert shown["withdrawal"]["agreement"] == ended.id
    assert city.ask("/v1/measures/feed", signed=False).json()["items"] == []
    city.until(f"/v1/measures/{measure['id']}", lambda answer: answer["state"] == "withdrawn")


def test_the_feed_tells_nothing_while_the_law_is_not_known(city: City) -> None:
    """Advice whose ground has ended would stay in it; nobody can tell then which that is."""
    assert city.ask("/v1/measures/feed", signed=False).status_code == 200
    city.service.runtime.law.table.poison("an event of another version")
    other, feed = city.ask("/v1/measures"), city.ask("/v1/measures/feed", signed=False)
    assert (feed.status_code, feed.headers["content-type"]) == (503, "application/problem+json")
    assert "items" not in feed.json()
    assert [feed.json()[name] for name in ("type", "detail")] == [
        other.json()[name] for name in ("type", "detail")
    ]


def test_a_subscriber_that_takes_the_call_and_never_answers_delays_nothing_on_the_bus(city: City) -> None:
    told = city.bus.replay("visualisation", ["dmi.measures.v1"])

    def states(wanted: str, seconds: float) -> list[str]:
        """The states that the bus was told of, until the wanted one."""
        found: list[str] = []
        end = time.monotonic() + seconds
        while wanted not in found and time.monotonic() < end:
            found += [decode(one.message.value, Measure).state for one in told.poll(0.1)]
        return found

    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        address = {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/measures"}
        assert city.ask("/v1/subscriptions", "POST", body=address).status_code == 201
        city.law(agreement_of(1))
        crowd(city)
        [measure] = city.until("/v1/measures?state=proposed", lambda answer: answer["items"])["items"]
        city.ask(f"/v1/measures/{measure['id']}/approve", "POST", body={})
        calling, _ = silent.accept()
        with calling:
            assert "published" in states("published", 3)
            city.law(agreement_of(1, state="ended"))
            assert "withdrawn" in states("withdrawn", 3)
            calling.settimeout(1)
            assert b"POST /measures" in calling.recv(65_536)
            [subscription] = city.ask("/v1/subscriptions").json()["items"]
            assert subscription["waiting"] >= 1, "the call still waits for its answer"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/scenarios/none", None, 404),
        ("DELETE", "/v1/scenarios/none", None, 404),
        ("GET", "/v1/scenarios?limit=101", None, 400),
        ("GET", "/v1/scenarios?cursor=yesterday", None, 400),
        ("GET", "/v1/scenarios/none/result?version=0", None, 400),
        ("GET", "/v1/scenarios/none/result", None, 404),
        ("GET", "/v1/scenarios/none/export?format=csv", None, 404),
        ("GET", "/v1/scenarios/compare?id=none&id=other", None, 404),
        ("POST", "/v1/scenarios/none/edits", {"type": "redevelop", "area": {}, "mix": {"green": 1}}, 404),
        ("POST", "/v1/scenarios/none/renew", None, 404),
        ("POST", "/v1/scenarios/none/recompute", None, 404),
        ("POST", "/v1/scenarios", {"title": ""}, 400),
        ("POST", "/v1/scenarios", {"title": "nothing known yet"}, 409),
        ("POST", "/v1/measures/none/approve", {}, 404),
        ("POST", "/v1/rules", {"type": "garage"}, 400),
        ("POST", "/v1/subscriptions", {"url": "ftp://x"}, 400),
        ("POST", "/v1/rules/none/automatic", {"until": None}, 404),
        ("GET", "/v1/scenarios/none/merge?with=other", None, 404),
        ("POST", "/v1/scenarios/none/merge", {"with": "x", "choices": {"a": "neither"}}, 400),
        ("GET", "/v1/scenarios/none/export?format=xlsx", None, 400),
        ("POST", "/v1/scenarios/none/restore", {"version": 0}, 400),
        ("DELETE", "/v1/subscriptions/none", None, 404),
        ("POST", "/v1/forecasts/recompute", {}, 404),
    ],
)
def test_what_cannot_be_is_answered_with_a_problem(
    untouched: City, method: str, path: str, body: Any, status: int
) -> None:
    answer = untouched.ask(path, method, body=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_rule_changes_only_in_what_is_named_and_no_longer_publishes_by_itself(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    city.until("/v1/rules", lambda answer: answer.get("items"))
    path = "/v1/rules/crowd-busy"
    first = city.ask(path)
    before, tag = first.json(), first.headers["etag"]
    assert (tag, before["version"]) == ('"1"', 1)
    until = clock.to_text(clock.now() + 60 * MINUTE)
    allowed = city.ask(f"{path}/automatic", "POST", body={"until": until}, tag=tag)
    assert (allowed.json()["automatic"], allowed.headers["etag"]) == (True, '"2"')
    changed = city.ask(path, "PATCH", body={"threshold": "B", "duration_min": 45}, tag='"2"')
    shown = changed.json()
    assert (shown["threshold"], shown["duration_min"], shown["automatic"]) == ("B", 45, False)
    assert (shown["version"], changed.headers["etag"]) == (3, '"3"')
    names = ("threshold", "duration_min", "changed_at", "changed_by", "version")
    assert {k: v for k, v in shown.items() if k not in names} == {
        k: v for k, v in before.items() if k not in names
    }
    for wrong, field in (
        ({"duration_min": 4}, "duration_min"), ({"threshold": "Z"}, "threshold"), ({"full_share": 0.5}, "body"),
        ({"id": "x"}, "id"), ({"type": "garage"}, "type"), ({"automatic": {"until": until}}, "automatic"),
        ({"version": 7}, "body"),
    ):  # fmt: skip
        answer = city.ask(path, "PATCH", body=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["errors"][0]["field"] == field
    assert city.ask("/v1/rules/none", "PATCH", body={}).status_code == 404
    assert city.ask("/v1/rules/none").status_code == 404
    restored = {"threshold": before["threshold"], "duration_min": before["duration_min"]}
    assert city.ask(path, "PATCH", body=restored, tag='"3"').status_code == 200


def test_no_change_of_a_rule_is_lost_to_one_that_did_not_see_it(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    city.until("/v1/rules", lambda answer: answer.get("items"))
    path = "/v1/rules/crowd-busy"
    until = clock.to_text(clock.now() + 60 * MINUTE)
    rule = {"type": "crowd", "id": "crowd-busy", "place": "*", "threshold": "C"}
    mine = city.ask(path).headers["etag"]
    assert city.ask(path, "PATCH", body={"duration_min": 45}, tag=mine).status_code == 200
    writes: list[tuple[str, str, Any]] = [
        (path, "PATCH", {"threshold": "B"}), (f"{path}/automatic", "POST", {"until": until}),
        ("/v1/rules", "POST", rule),
    ]  # fmt: skip
    for address, method, body in writes:
        for tag, status, code in (
            (mine, 412, "moved-on"), ('W/"2"', 412, "moved-on"), ('"9", "8"', 412, "moved-on"),
            (None, 428, "version-not-stated"), ("2", 400, "invalid-input"),
        ):  # fmt: skip
            answer = city.ask(address, method, body=body, tag=tag)
            assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dmi:problem:{code}")
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["errors"][0]["field"] == "If-Match"
            assert answer.json()["title"] != "Refused"
    kept = city.ask(path).json()
    assert (kept["threshold"], kept["duration_min"], kept["automatic"], kept["version"]) == (
        "E",
        45,
        False,
        2,
    )
    answer = city.ask(path, "PATCH", body={"threshold": "B"}, tag='"1", "2"')
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert city.ask(path, "PATCH", body={"threshold": "E"}, tag="*").status_code == 200
    new = {**rule, "id": "new"}
    assert city.ask("/v1/rules", "POST", body=new, tag='"1"').status_code == 412
    assert city.ask("/v1/rules", "POST", body=new).headers["etag"] == '"1"'


def test_stopping_a_rule_needs_no_version(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    city.until("/v1/rules", lambda answer: answer.get("items"))
    path = "/v1/rules/crowd-busy"
    until = clock.to_text(clock.now() + 60 * MINUTE)
    assert city.ask(f"{path}/automatic", "POST", body={"until": until}, tag='"1"').json()["automatic"]
    assert city.ask(f"{path}/automatic", "POST", body={"until": None}, tag='"1"').status_code == 412
    assert city.ask(path).json()["automatic"]
    stopped = city.ask(f"{path}/automatic", "POST", body={"until": None})
    assert (stopped.json()["automatic"], stopped.headers["etag"]) == (False, '"3"')


def test_a_rule_is_automatic_by_someone_until_a_moment_and_not_longer(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    city.until("/v1/rules", lambda answer: answer.get("items"))
    until = clock.to_text(clock.now() + 60 * MINUTE)
    shown = city.ask("/v1/rules/crowd-busy/automatic", "POST", body={"until": until}, tag='"1"').json()
    assert (shown["automatic"], shown["decided_by"], shown["until"]) == (True, OWNER, until)
    for wrong in (clock.to_text(clock.now() - MINUTE), "2099-01-01T00:00:00Z", "tomorrow"):
        answer = city.ask("/v1/rules/crowd-busy/automatic", "POST", body={"until": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "until")
    city.ask("/v1/rules/crowd-busy/automatic", "POST", body={"until": None})
    [rule] = city.ask("/v1/rules").json()["items"]
    assert (rule["automatic"], rule["until"]) == (False, None)


def test_nobody_takes_a_rule_over_by_moving_it_to_a_place_without_rights(city: City) -> None:
    city.law(agreement_of(1))
    crowd(city)
    city.until("/v1/crowd", lambda answer: answer.get("items"))
    city.until("/v1/rules", lambda answer: answer.get("items"))
    path, before = "/v1/rules/crowd-busy", city.ask("/v1/rules").json()
    moved = {"type": "crowd", "id": "crowd-busy", "place": "nowhere"}
    for place in ("nowhere", "*"):
        answer = city.ask("/v1/rules", "POST", body={"type": "garage", "id": "x", "place": place, "hub": "h"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "place")
    answer = city.ask(path, "PATCH", body={"place": "nowhere"}, tag='"1"')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "place")
    other = {"type": "garage", "id": "crowd-busy", "place": "c.plein", "hub": "h"}
    answer = city.ask("/v1/rules", "POST", body=other, tag='"1"')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "type")
    city.law(agreement_of(1, state="ended"))
    city.until("/v1/crowd", lambda answer: answer["items"][0]["withdrawn"])
    stranger = Identity(STACK, "Vreemd", frozenset({"dmi:role:operator"}))
    city.service.runtime.authenticate = Known(stranger)
    # What it would become is not about anybody's data; what it is, is.
    for method, address, body in (
        ("PATCH", path, {"place": "nowhere", "threshold": "F"}), ("POST", "/v1/rules", moved),
        ("PATCH", path, {"threshold": "F"}), ("POST", f"{path}/automatic", {"until": None}),
    ):  # fmt: skip
        answer = city.ask(address, method, body=body, tag='"1"')
        assert answer.status_code == 403, (method, body, answer.text)
    assert city.ask("/v1/rules").json() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"zone": "Europe"}, "zone"), ({"zone": "A" * 5000}, "zone"), ({"quiet_min": 10**30}, "quiet_min"),
        ({"oldest_forecast_min": 2**70}, "oldest_forecast_min"), ({"hub": "h" * 2**19}, "hub"),
        ({"automatic": {"until": "2099-01-01T00:00:00Z"}}, "automatic.until"),
    ],
)  # fmt: skip
def test_a_rule_beyond_its_bounds_is_refused_by_field_and_rule(
    untouched: City, change: dict[str, Any], field: str
) -> None:
    answer = untouched.ask(
        "/v1/rules", "POST", body={"type": "garage", "id": "r", "place": "*", "hub": "h", **change}
    )
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], bool(error["rule"])) == (field, True)
    assert len(answer.text) < 1000


def test_only_the_feed_and_the_coefficients_are_for_everyone(city: City) -> None:
    open_paths = [
        path
        for path in (
            "/v1/forecasts",
            "/v1/crowd",
            "/v1/scenarios",
            "/v1/measures",
            "/v1/rules",
            "/v1/subscriptions",
        )
        if city.ask(path, signed=False).status_code != 401
    ]
    assert open_paths == []
    assert city.ask("/v1/measures/feed", signed=False).status_code == 200
    assert len(city.ask("/v1/coefficients", signed=False).json()["items"]) == 9
