"""Other nodes: what the log tells of them."""

from __future__ import annotations

from typing import Any, cast

from structlog.testing import capture_logs

from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode

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
