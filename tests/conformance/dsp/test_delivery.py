"""Nothing is lost, nothing happens twice, and nothing hangs without a reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_command.servers import free_port
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Processes
from dmi_infra import clock
from dmi_infra.sql import open_engine
from tests.conformance.dsp.conftest import listening
from tests.conformance.dsp.counterpart import Counterpart
from tests.conformance.dsp.published import Schemas
from tests.conformance.dsp.talk import Talk


def _offer(dataset: str) -> str:
    return f"CD123:{dataset}:456"


def _as_consumer(other: Counterpart, node: str, dataset: str) -> Talk:
    return Talk(other, node, "negotiation", "consumer", dataset, _offer(dataset))


def _kept(folder: Path, pid: str, wanted: Any) -> Process:
    """The process as the node keeps it, once it is as wanted."""
    engine = open_engine(f"sqlite:///{folder / 'exchange.db'}", "exchange")
    try:
        until = time.monotonic() + 10
        while not wanted(found := Processes(engine).get(pid)):
            assert time.monotonic() < until, found
            time.sleep(0.02)
        return found
    finally:
        engine.dispose()


def _begin(node: str, address: str, dataset: str = "ACNC0201") -> str:
    body = {
        "datasetId": dataset,
        "offerId": f"offer{dataset}",
        "providerId": "x",
        "connectorAddress": address,
    }
    answer = httpx.post(f"{node}/exchange/tck/negotiations", json=body)
    assert answer.status_code == 200
    return str(answer.json()["consumerPid"])


def test_every_message_of_a_consumer_sent_again_is_acknowledged_and_changes_nothing(
    node: str, other: Counterpart
) -> None:
    talk = _as_consumer(other, node, "ACN0103")
    sent = [("request", talk.send("request"))]
    for word, answer in (("accepted", "agreement"), ("verification", "finalized")):
        talk.expect("offer" if word == "accepted" else "agreement") if word == "accepted" else None
        sent.append((word, talk.send(word)))
        talk.expect(answer)
    talk.state("FINALIZED")
    for word, message in sent:
        where = talk.base if word == "request" else f"{talk.base}/{talk.theirs}"
        answer = other.say(f"{where}/{talk.words[word][1]}", message)
        assert answer.status_code == (201 if word == "request" else 200)
        assert answer.json()["state"] == "FINALIZED"
        assert answer.json()["providerPid"] == talk.theirs
    other.silent(0.6)


def test_every_message_of_a_provider_sent_again_is_acknowledged_and_changes_nothing(
    node: str, other: Counterpart
) -> None:
    talk = Talk(other, node, "negotiation", "provider", "ACNC0101", "offerACNC0101")
    talk.play("! go, < request")
    sent = []
    for word, answer in (("offer", "accepted"), ("agreement", "verification"), ("finalized", "")):
        sent.append((word, talk.send(word)))
        if answer:
            talk.expect(answer)
    for word, message in sent:
        answered = other.say(f"{talk.base}/{talk.theirs}/{talk.words[word][1]}", message)
        assert answered.json()["state"] == "FINALIZED"
    other.silent(0.6)


def test_a_second_start_after_a_suspension_is_no_repeat_even_without_an_id(
    node: str, other: Counterpart
) -> None:
    talk = Talk(other, node, "transfer", "provider", "ATPC0101")
    talk.play("! go, < request")
    for word, state in (("start", "STARTED"), ("suspension", "SUSPENDED"), ("start", "STARTED")):
        message = talk.message(word)
        del message["@id"]
        talk.send(word, message)
        talk.state(state)
    talk.send(word, message)  # in the state that it led to, it is one
    talk.state("STARTED")


def test_another_request_under_the_same_id_is_refused(node: str, other: Counterpart) -> None:
    talk = _as_consumer(other, node, "ACN0202")
    talk.send("request")
    changed = {**talk.message("request"), "callbackAddress": other.address}
    del changed["providerPid"]
    answer = other.say(f"{talk.base}/request", changed)
    assert answer.status_code == 400
    assert answer.json()["providerPid"] == talk.theirs


def test_ids_of_another_process_and_messages_of_the_own_side_are_refused(
    node: str, other: Counterpart
) -> None:
    talk = _as_consumer(other, node, "ACN0302")
    talk.play("> request, < offer")
    address = f"{talk.base}/{talk.theirs}/events"
    for wrong in ({"consumerPid": "urn:uuid:other"}, {"providerPid": "urn:uuid:other"}):
        assert other.say(address, {**talk.message("accepted"), **wrong}).status_code == 400
    for word in ("offer", "agreement", "finalized"):
        answer = other.say(f"{talk.base}/{talk.theirs}/{talk.words[word][1]}", talk.message(word))
        assert answer.status_code == 400
        assert "not a message of the consumer" in answer.json()["reason"][0]
    talk.state("OFFERED")


@pytest.mark.parametrize("message", [None, [], 1, {}, {"@type": "ContractRequestMessage"}])
def test_what_is_no_message_is_refused_with_its_places(node: str, schemas: Schemas, message: object) -> None:
    answer = httpx.post(f"{node}/exchange/dsp/negotiations/request", json=message)
    assert answer.status_code == 400
    assert schemas.check(answer.json())["@type"] == "ContractNegotiationError"
    assert answer.json()["reason"]


def test_what_is_no_json_is_refused_in_the_protocols_words(node: str, schemas: Schemas) -> None:
    for path, kind in (("negotiations/request", "ContractNegotiationError"), ("transfers/request", "TransferError"),
                       ("catalog/request", "CatalogError")):  # fmt: skip
        answer = httpx.post(
            f"{node}/exchange/dsp/{path}", content=b"{", headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        assert schemas.check(answer.json())["@type"] == kind


def test_a_filter_that_is_not_known_is_refused(node: str, other: Counterpart) -> None:
    message = {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "CatalogRequestMessage",
    }
    answer = other.say(f"{node}/exchange/dsp/catalog/request", {**message, "filter": [{"colour": "red"}]})
    assert answer.status_code == 400
    assert answer.json()["@type"] == "CatalogError"


def test_the_catalogue_is_paged_both_ways_by_links(node: str, other: Counterpart) -> None:
    message = {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "CatalogRequestMessage",
    }
    address: str | None = f"{node}/exchange/dsp/catalog/request?limit=4"
    forward: list[list[str]] = []
    while address:
        answer = other.say(address, message)
        forward.append([dataset["@id"] for dataset in answer.json()["dataset"]])
        links = answer.links
        address = links.get("next", {}).get("url")
    whole = other.say(f"{node}/exchange/dsp/catalog/request", message).json()["dataset"]
    assert [name for page in forward for name in page] == [dataset["@id"] for dataset in whole]
    assert all(len(page) <= 4 for page in forward)
    back = other.say(links["previous"]["url"], message)
    assert [dataset["@id"] for dataset in back.json()["dataset"]] == forward[-2]


def test_a_node_that_is_down_is_tried_again_with_the_reason_shown_and_hears_it_when_it_is_up(
    schemas: Schemas, tmp_path: Path
) -> None:
    with listening(tmp_path, test_profile="dsp-tck") as node:
        other = Counterpart(schemas)
        other.answer = lambda _body: (503, None)
        pid = _begin(node, other.address)
        waiting = _kept(tmp_path, pid, lambda p: "goes on trying" in p.reason)
        assert waiting.state == "REQUESTED"
        assert "503" in waiting.reason
        other.answer = None
        _path, body = other.next()
        assert body["consumerPid"] == pid
        assert _kept(tmp_path, pid, lambda p: p.peer_pid is not None).reason == ""
        other.close()


def test_a_message_that_a_stopped_node_could_not_send_goes_out_when_it_runs_again(
    schemas: Schemas, tmp_path: Path
) -> None:
    other = Counterpart(schemas)
    other.answer = lambda _body: (503, None)
    port = free_port()
    with listening(tmp_path, port, test_profile="dsp-tck") as node:
        pid = _begin(node, other.address)
        _kept(tmp_path, pid, lambda p: "503" in p.reason)
    other.answer = None
    with listening(tmp_path, port, test_profile="dsp-tck"):
        assert other.next()[1]["consumerPid"] == pid
    other.close()


def test_a_message_that_a_killed_node_was_sending_goes_out_at_once_when_it_runs_again(
    schemas: Schemas, tmp_path: Path
) -> None:
    other = Counterpart(schemas)
    other.answer = lambda _body: (503, None)
    with listening(tmp_path, test_profile="dsp-tck") as node:
        pid = _begin(node, other.address)
        _kept(tmp_path, pid, lambda p: "503" in p.reason)
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    assert len(Processes(engine).claim(clock.now() + 60_000_000, 10)) == 1  # and was killed
    engine.dispose()
    other.answer = None
    with listening(tmp_path, test_profile="dsp-tck"):
        begun = time.monotonic()
        assert other.next()[1]["consumerPid"] == pid
        assert time.monotonic() - begun < 3
    other.close()


def test_what_cannot_be_delivered_is_given_up_and_ends_with_the_reason(tmp_path: Path) -> None:
    with listening(tmp_path, test_profile="dsp-tck", dsp_give_up_seconds=0.2) as node:
        pid = _begin(node, f"http://127.0.0.1:{free_port()}/nobody")
        ended = _kept(tmp_path, pid, lambda p: p.over)
        assert ended.state == "TERMINATED"
        assert ended.reason.startswith("given up: ")
        assert "did not answer" in ended.reason


def test_a_refusal_ends_the_negotiation_and_the_other_side_is_told(
    schemas: Schemas, tmp_path: Path, other: Counterpart
) -> None:
    with listening(tmp_path, test_profile="dsp-tck") as node:
        refusal = {"@type": "ContractNegotiationError", "code": "7", "reason": ["not like this"]}
        talk = _as_consumer(other, node, "ACN0101")
        other.answer = lambda body: (400, refusal) if body["@type"] == "ContractOfferMessage" else (200, None)
        talk.send("request")
        told = talk.expect("termination")
        assert "not like this" in told["reason"][0]
        assert "not like this" in _kept(tmp_path, talk.theirs, lambda p: p.over).reason


def test_a_node_that_never_answers_keeps_no_message_from_another(
    schemas: Schemas, tmp_path: Path, other: Counterpart
) -> None:
    deaf = Counterpart(schemas)

    def never(_body: dict[str, Any]) -> tuple[int, None]:
        time.sleep(3)
        return 503, None

    deaf.answer = never
    with listening(tmp_path, test_profile="dsp-tck") as node:
        for _ in range(30):
            _begin(node, deaf.address)
        begun = time.monotonic()
        pid = _begin(node, other.address)
        assert other.next()[1]["consumerPid"] == pid
        assert time.monotonic() - begun < 1.5
    deaf.close()
