"""One meaning: what the gate decides by the compiled form is what the engine proves of the whole policy."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmi_agreements.decide import decide
from dmi_agreements.decision import Request, RestrictArea
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import Typed
from dmi_agreements.odrl.own import asked
from dmi_agreements.odrl.values import BOX
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.situation import Situation
from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.gate_policies import AGREEMENTS, BASE, situation

WITHIN = Typed("4.5 52.5 4.5 52.5", BOX)
OUTSIDE = Typed("6.5 52.5 6.5 52.5", BOX)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=AGREEMENTS, seed=st.integers(0, 2**32))
def test_the_gate_decides_what_the_engine_proves(
    document: dict[str, Any], seed: int, rulebook: Rulebook
) -> None:
    terms = read_agreement(document, rulebook)
    compiled = compile_agreement(terms, rulebook)
    dice = random.Random(seed)
    for _ in range(20):
        judged = situation(document, dice)
        request = Request(judged.assignee, judged.action, judged.dataset, judged.purpose)
        decision = decide(compiled, request, judged.now, judged)
        inside = evaluate(terms.policy, *asked(terms.policy, judged, rulebook, WITHIN)).allowed
        assert decision.allowed == inside, (decision.reasons, judged)
        if "spatial" not in str(document) or any(isinstance(duty, RestrictArea) for duty in decision.duties):
            # The gate relies on the permission that asks least; another might let more rows pass, never fewer.
            continue
        outside = evaluate(terms.policy, *asked(terms.policy, judged, rulebook, OUTSIDE)).allowed
        assert outside == decision.allowed


def test_an_area_limits_the_rows_and_not_the_decision(document: dict[str, Any], rulebook: Rulebook) -> None:
    terms = read_agreement(document, rulebook)
    judged = Situation(
        "urn:dmi:participant:stack",
        "dmi:process",
        "urn:dmi:dataset:gemeente:garages",
        "dmi:purpose:mobility",
        BASE - 1,
    )
    request = Request(judged.assignee, judged.action, judged.dataset, judged.purpose)
    decision = decide(compile_agreement(terms, rulebook), request, judged.now, judged)
    assert decision.allowed
    (area,) = (duty.bbox for duty in decision.duties if isinstance(duty, RestrictArea))
    assert area == (4.6, 52.2, 5.1, 52.5)
    for place, expected in ((Typed("4.9 52.3 4.9 52.3", BOX), True), (OUTSIDE, False)):
        assert evaluate(terms.policy, *asked(terms.policy, judged, rulebook, place)).allowed is expected
