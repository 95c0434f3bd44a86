"""Where a provider says that its data lies: this node goes there by the rules of all other addresses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import Message
from dmi_exchange.dsp import build
from dmi_exchange.dsp.addresses import allowing
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import Steps
from dmi_exchange.dsp.transfer import KAFKA, PULL, PUSH, STREAM, DataPlane, Grant, Transfers
from dmi_exchange.errors import StepRefused
from dmi_exchange.handlers import Exchange

NODE = "https://b.example/exchange/dsp"
INSIDE = "http://169.254.169.254/latest/meta-data"


def check(address: str, _peer: str) -> None:
    if not address.startswith(NODE):
        raise StepRefused("/callbackAddress: must be an address of the node that speaks for you")


def started(
    form: str, endpoint: str | None, tokens: str = f"{NODE}/data/1/token", own: bool = False
) -> Process:
    """What becomes of a transfer of this node, as consumer, when the provider says where the data lies."""
    known = Process(
        id="urn:x", kind="transfer", role="consumer", owner="urn:a", peer="urn:b", address=NODE, begun_at=1,
        changed_at=1, format=form, own=own,
    )  # fmt: skip
    address: dict[str, Any] = {"endpointProperties": [{"name": "tokenEndpoint", "value": tokens}]}
    body = {} if endpoint is None else {"dataAddress": {**address, "endpoint": endpoint}}
    holding: list[bool] = []

    def receive(_kind: str, _id: str, _came: Message, _peer: str, accept: Any) -> Process:
        holding.append(True)
        return cast(Process, accept(known))

    def checked(address: str, peer: str) -> None:
        assert not holding, "the store waits for the look-up of a name"
        check(address, peer)

    steps = SimpleNamespace(receive=receive, visible=lambda _kind, _id, _peer: known)
    transfers = Transfers(cast(Steps, steps), cast(DataPlane, None), "https://a.example/dsp", checked)
    return transfers.received("urn:x", cast(Message, SimpleNamespace(type=states.START, body=body)), "urn:b")


@pytest.mark.parametrize("form", [PULL, STREAM])
def test_data_is_fetched_at_the_node_of_its_provider_alone(form: str) -> None:
    assert started(form, f"{NODE}/data/1?x=1").data_address["endpoint"] == f"{NODE}/data/1?x=1"
    with pytest.raises(StepRefused, match=r"^/dataAddress/endpoint: must be an address") as refused:
        started(form, INSIDE)
    assert refused.value.process is not None


@pytest.mark.parametrize(("form", "own"), [(PULL, False), (PULL, True), (KAFKA, True)])
def test_tokens_for_data_are_asked_there_alone(form: str, own: bool) -> None:
    with pytest.raises(StepRefused, match=r"^/dataAddress/endpointProperties/0/value: must be"):
        started(form, f"{NODE}/data/1", INSIDE, own)


def test_a_program_of_ones_own_goes_where_the_data_is() -> None:
    assert (
        started(KAFKA, "broker.b.example:9094", own=True).data_address["endpoint"] == "broker.b.example:9094"
    )
    assert started(PULL, "https://data.b.example/1", own=True).data_address
    assert started(PUSH, None).data_address == {}


def test_an_address_of_data_is_kept_only_so_large() -> None:
    rule = r"^/dataAddress: must be at most 16384 bytes"
    long = f"{NODE}/data/1?x="
    assert started(PULL, long + "y" * 10_000).data_address
    with pytest.raises(StepRefused, match=rule) as refused:
        started(PULL, long + "y" * 16_384)
    assert refused.value.process is not None
    grant = SimpleNamespace(formats=(PUSH,))
    plane = cast(DataPlane, SimpleNamespace(grant=lambda _agreement, _peer: grant))
    transfers = Transfers(cast(Steps, None), plane, "https://a.example/dsp", check)
    body = {
        "agreementId": "urn:a", "format": PUSH, "callbackAddress": NODE, "consumerPid": "urn:c",
        "dataAddress": {"endpoint": NODE, "endpointProperties": [{"name": "x", "value": "y" * 16_384}]},
    }  # fmt: skip
    with pytest.raises(StepRefused, match=rule):
        transfers.requested(cast(Message, SimpleNamespace(body=body)), "urn:b")


@pytest.mark.parametrize("hosts", [(), ("b.example",)])
def test_a_name_is_looked_up_only_where_the_address_may_be_asked(hosts: tuple[str, ...]) -> None:
    looked: list[str] = []
    member = Participant("urn:b", "B", [], home="https://b.example/exchange")
    exchange = SimpleNamespace(store=SimpleNamespace(get=lambda _kind, _name: member))
    checked = build._check(
        cast(Exchange, exchange), cast(Client, SimpleNamespace(check=looked.append)), hosts
    )
    for address in ("https://slow.example/dsp", f"{NODE}x", "https://[/", INSIDE):
        with pytest.raises(StepRefused):
            checked(address, "urn:b")
    assert looked == []
    checked(NODE, "urn:b")
    assert looked == [NODE]


def test_a_host_that_is_not_listed_is_not_looked_up() -> None:
    looked: list[str] = []
    for address in ("https://slow.example/dsp", "https://[/"):
        with pytest.raises(StepRefused):
            allowing(looked.append, ["b.example"])(address)
    assert looked == []


def test_a_push_to_where_nothing_may_go_names_the_field_of_the_request() -> None:
    plane = SimpleNamespace(grant=lambda _agreement, _peer: Grant("urn:d", "urn:a", (PUSH,)))
    transfers = Transfers(cast(Steps, None), cast(DataPlane, plane), "https://a.example/dsp", check)
    body = {
        "agreementId": "urn:g", "format": PUSH, "consumerPid": "p", "callbackAddress": NODE,
        "dataAddress": {"endpoint": INSIDE},
    }  # fmt: skip
    with pytest.raises(StepRefused, match=r"^/dataAddress/endpoint: must be an address"):
        transfers.requested(cast(Message, SimpleNamespace(body=body)), "urn:b")
    with pytest.raises(StepRefused, match=r"^/callbackAddress: must be an address"):
        transfers.requested(cast(Message, SimpleNamespace(body={**body, "callbackAddress": INSIDE})), "urn:b")
