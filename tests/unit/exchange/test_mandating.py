"""What a mandate may say is judged before it is signed; each refusal names the member and its own rule."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dmi_infra import clock
from tests.unit.exchange.fakes import OFFICER, Node
from tests.unit.infra.fakes import GARAGES, NOOR, OWNER, VENDOR

DAY = 86_400_000_000


def wanted(**change: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "mandatary": VENDOR, "actions": ["dmi:read"], "datasets": [GARAGES], "purposes": ["dmi:purpose:any"],
        "from": clock.to_text(now), "until": clock.to_text(now + 30 * DAY), **change,
    }  # fmt: skip


def test_a_mandate_from_now_on_may_last_as_long_as_the_rulebook_says(node: Node) -> None:
    late = clock.to_text(clock.now() + 365 * DAY)
    assert node.post("/v1/mandates/draft", wanted(until=late))["until"] == late


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"mandatary": "urn:dmi:participant:nobody"}, "mandatary", "must be a participant that takes part here"),
        ({"mandatary": OWNER}, "mandatary", "must be another participant than who gives the mandate"),
        ({"mandatary": NOOR}, "mandatary", "must be an organisation: .*"),
        ({"from": "2020-01-01T00:00:00Z"}, "until", "must lie at most 366 days after from"),
        ({"from": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z"}, "until", "must lie ahead"),
        ({"until": "2027-03-01"}, "until", "must be RFC 3339 with an offset.*"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_names_the_member_and_the_rule(
    node: Node, change: dict[str, Any], field: str, rule: str
) -> None:
    answer = node.ask("POST", "/v1/mandates/draft", OFFICER, json=wanted(**change))
    (error,) = node.refused(answer, 400, "invalid-input")["errors"]
    assert error["field"] == f"document/{field}"
    assert re.fullmatch(rule, error["rule"]), error["rule"]
