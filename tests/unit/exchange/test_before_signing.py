"""What is told before anybody signs: no template defeats itself, and the solver has no endless time."""

from __future__ import annotations

import pytest

from dmi_agreements.policy.document import read_agreement
from dmi_exchange.review import before_signing
from dmi_exchange.review.before_signing import Contradictions
from tests.unit.exchange.rdf.test_own_terms import RULEBOOK, filled

REVIEW = Contradictions.of(RULEBOOK)


@pytest.mark.parametrize("name", RULEBOOK.templates)
def test_no_template_of_the_rulebook_defeats_itself(name: str) -> None:
    assert REVIEW.review(read_agreement(filled(RULEBOOK, name), RULEBOOK).policy) == []


def test_a_check_that_takes_too_long_says_that_it_was_not_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    document = filled(RULEBOOK, "dmi:template:open-data")
    document["prohibition"] = [{**document["permission"][0], "action": "dmi:read"}]
    policy = read_agreement(document, RULEBOOK).policy
    assert {each["kind"] for each in REVIEW.review(policy)} == {"overlap"}
    monkeypatch.setattr(before_signing, "SECONDS", -1.0)
    (told,) = REVIEW.review(policy)
    assert told["kind"] == "not checked"
    assert set(told["message"]) == {"nl", "en"}
