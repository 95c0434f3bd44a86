"""The bus, the database or the exchange away: nothing is acknowledged, all is refused, and work goes on after."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from dmi_command.blueprints import SERVICES
from dmi_command.servers import free_port
from tests.stack_plugin import ServerStack, load_city

pytestmark = pytest.mark.timeout(300)

GARAGES = "urn:dmi:dataset:gemeente:garages"
DATASTREAM = "garages.centrum.occupancy"
HOUR = 3_600_000_000
STALE_SECONDS = 6.5
"""The law is stale five seconds after the last heartbeat, which came at most one second before."""
LAYERS = tuple(name for name in SERVICES if name != "exchange")


class City:
    """What the municipality does during an outage, over plain HTTP, so that headers can be looked at."""

    def __init__(self, stack: ServerStack) -> None:
        self.stack = stack
        with stack.participant("urn:dmi:participant:gemeente") as client:
            self.headers = {"Authorization": f"Bearer {client.token()}"}

    def hand_in(self, at: int) -> httpx.Response:
        """One observation at ``at`` (seconds since 1970)."""
        body = {
            "dataset": GARAGES,
            "datastream": [DATASTREAM],
            "phenomenon_time": [at * 1_000_000],
            "result": [3.0],
        }
        return self.post("/ingest/v1/batches", body)

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.stack.url}{path}", json=body, headers=self.headers, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.stack.url}{path}", headers=self.headers, timeout=30)

    def stored(self, first: int, last: int) -> list[str]:
        """The times between two moments (seconds since 1970) at which an observation is stored."""
        query = f"from={_text(first)}&to={_text(last)}&limit=1000"
        answer = self.get(f"/platform/v1/datastreams/{DATASTREAM}/observations?{query}")
        assert answer.status_code == 200, answer.text
        return [item["phenomenon_time"] for item in answer.json()["items"]]

    def check(self, service: str) -> dict[str, str]:
        """The readiness of one service, which must not be ready."""
        answer = httpx.get(f"{self.stack.url}/{service}/health/ready", timeout=20)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        checks: dict[str, str] = answer.json()["checks"]
        return checks


def _text(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _until(ask: Callable[[], httpx.Response], well: bool, seconds: float) -> httpx.Response:
    """The first answer that is a success, or with ``well`` false is none, within ``seconds``."""
    limit = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer.is_success == well:
            return answer
        assert time.monotonic() < limit, f"{answer.status_code} {answer.text[:300]}"
        time.sleep(0.1)


def _refused_for_now(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"


def _all_stored(city: City, moments: tuple[int, ...], seconds: float = 30) -> None:
    """Wait until exactly these observations are stored, each once."""
    wanted = [_text(at) for at in moments]
    limit = time.monotonic() + seconds
    while (found := sorted(city.stored(moments[0] - 1, moments[-1] + 1))) != wanted:
        assert time.monotonic() < limit, f"stored {found}, wanted {wanted}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, fleet_programs: None) -> Iterator[City]:
    """A fleet of its own, since these tests hurt it."""
    folder = tmp_path_factory.mktemp("outage")
    stack = ServerStack("server", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    try:
        stack.start()
        load_city(stack, HOUR)
        yield City(stack)
    finally:
        stack.stop()


def test_while_the_bus_is_away_nothing_is_acknowledged_and_all_goes_on_when_it_is_back(city: City) -> None:
    first, kafka = 1_610_000_000, city.stack.fleet.kafka
    assert kafka is not None
    assert city.hand_in(first).is_success
    kafka.kill()
    refused = [first + 60, first + 120]
    with ThreadPoolExecutor(len(refused)) as sensors:  # at once: each hears after nine seconds
        for answer in sensors.map(city.hand_in, refused):
            _refused_for_now(answer)
    assert "bus" in {name for name, state in city.check("ingest").items() if state != "ok"}
    kafka.start()
    city.stack.await_ready()
    for at in refused:
        _until(lambda moment=at: city.hand_in(moment), True, 45)  # type: ignore[misc]
    _all_stored(city, (first, *refused))


def test_while_the_database_is_away_nothing_is_answered_from_it_and_what_was_acknowledged_comes(
    city: City,
) -> None:
    first, postgres = 1_620_000_000, city.stack.fleet.postgres
    assert postgres is not None
    postgres.stop()
    accepted = []
    for number in range(5):
        answer = city.hand_in(first + 60 * number)
        if answer.is_success:  # the bus is durable: taking it needs no database
            accepted.append(first + 60 * number)
        else:
            _refused_for_now(answer)
    _refused_for_now(city.get(f"/platform/v1/latest?dataset={GARAGES}"))
    _refused_for_now(city.get("/exchange/v1/log"))
    assert city.check("platform")["store"] != "ok"
    postgres.start()
    city.stack.await_ready()
    _until(lambda: city.hand_in(first + 6000), True, 45)
    _all_stored(city, (*accepted, first + 6000))


def test_without_the_exchange_the_law_grows_stale_and_every_layer_refuses_until_it_is_back(
    city: City,
) -> None:
    city.stack.kill("exchange")
    killed = time.monotonic()
    asks: list[Callable[[], httpx.Response]] = [
        lambda: city.hand_in(1_630_000_000),
        lambda: city.get(f"/platform/v1/latest?dataset={GARAGES}"),
        lambda: city.get(f"/visualisation/v1/layers/{GARAGES}/features"),
        lambda: city.get("/support-centre/v1/scenarios"),
    ]
    for ask in asks:
        _refused_for_now(_until(ask, False, killed + STALE_SECONDS - time.monotonic()))
    for service in LAYERS:
        assert "the law is" in city.check(service)["law"]
    city.stack.restart("exchange")
    for ask in asks:
        _until(ask, True, 20)


def test_a_bus_that_was_emptied_while_all_run_gets_topics_and_law_again(city: City) -> None:
    first, kafka = 1_650_000_000, city.stack.fleet.kafka
    assert kafka is not None
    assert city.hand_in(first).is_success
    _all_stored(city, (first,))
    kafka.kill()
    shutil.rmtree(kafka.folder)
    kafka.start()
    _until(lambda: city.hand_in(first + 60), True, 60)
    city.stack.await_ready()
    # A service that starts now has nothing but the bus to learn the law from.
    city.stack.kill("platform")
    city.stack.restart("platform")
    _until(lambda: city.get(f"/platform/v1/latest?dataset={GARAGES}"), True, 20)
    _all_stored(city, (first, first + 60))


def test_a_token_shown_to_a_service_that_has_not_read_the_law_yet_is_not_called_wrong(city: City) -> None:
    city.stack.kill("ingest")
    _refused_for_now(city.hand_in(1_640_000_000))
    seen: set[int] = set()
    city.stack.spawn("ingest")
    limit = time.monotonic() + 30
    while 201 not in seen and time.monotonic() < limit:
        seen.add(city.hand_in(1_640_000_000).status_code)
    assert 201 in seen
    assert seen <= {201, 503}
