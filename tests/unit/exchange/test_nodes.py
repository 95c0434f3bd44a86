"""Other nodes: what the log tells of them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import counts, ended, revoked
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.nodes import Member, Nodes, Told
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode
from dmi_infra import clock, jose
from tests.unit.exchange.fakes import SELLER, Node

OTHER = KnownNode(url="http://b.example")


def test_the_log_tells_that_a_node_answers_or_is_away_when_that_changes() -> None:
    nodes = Nodes([OTHER], cast(Exchange, None), cast(Client, None), "urn:x")
    with capture_logs() as told:
        for reason in ("", "", "", "b did not answer", "b did not answer", "b answered 401", "", ""):
            nodes._note(OTHER.issuer, reason)
    lines: list[tuple[Any, Any]] = [(line["event"], line["reason"]) for line in told]
    assert lines == [
        ("a node answers", ""),
        ("a node is away", "b did not answer"),
        ("a node is away", "b answered 401"),
        ("a node answers", ""),
    ]


def tell(node: Node, key: dict[str, Any]) -> list[dict[str, Any]]:
    """What is kept of the key of a member when its node tells this."""
    far = f"urn:dmi:participant:far-{key['kid']}"
    nodes = Nodes([OTHER], node.service.app.state.exchange, cast(Client, None), "urn:x")
    members = [Member(far, "Far", [SELLER], [key], "1.0.0")]
    nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, "Far", members))
    found = node.store.get(Participant, far)
    return [] if found is None else found.keys


def test_a_key_of_a_member_elsewhere_ends_here_when_it_ends_there(node: Node) -> None:
    now = int(clock.seconds())
    key = jose.SigningKey.generate().public
    assert counts(tell(node, key)[0], now)
    for told in (revoked(key, now - 10, "stolen"), ended(key, now - 10), ended(key, now + 10)):
        assert tell(node, told) == [told]
    assert not counts(tell(node, revoked(key, now - 10, "stolen"))[0], now)


@pytest.mark.parametrize("form", [True, None, {}, "stolen", {"revoked_at": "now", "reason": 5}])
def test_a_revocation_counts_in_whatever_form_another_node_tells_it(node: Node, form: Any) -> None:
    (kept,) = tell(node, {**jose.SigningKey.generate().public, "revoked": form})
    assert not counts(kept, 0)
    assert kept["revoked"] == {"revoked_at": 0, "reason": ""}


@pytest.mark.parametrize("ends", ["soon", 1.5, True, {}])
def test_a_member_whose_key_ends_at_no_moment_is_not_taken(node: Node, ends: Any) -> None:
    assert tell(node, {**jose.SigningKey.generate().public, "exp": ends}) == []
