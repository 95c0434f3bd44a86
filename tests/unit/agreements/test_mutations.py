"""Damaged agreements: none permits what the whole one did not, and none raises anything but a refusal.

A bounded number here; ``benchmarks/fuzz_policies.py`` does the same a hundred thousand times.
"""

from __future__ import annotations

from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.mutations import VALID, allowed, asked, damage


def test_each_whole_agreement_permits_and_refuses_something(rulebook: Rulebook) -> None:
    for document in VALID:
        answers = allowed(document, rulebook, asked(document, rulebook))
        assert min(answers.count(True), answers.count(False)) >= 10


def test_no_damage_makes_an_agreement_permit_more(rulebook: Rulebook) -> None:
    found = damage(rulebook, 1_500, seed=1)
    assert found["refused"] > 1_000
    assert found["less"] > 0
    assert found["the same"] > 20
