"""Conflicts before they bite: what no request can satisfy, found with a solver before anybody signs."""

from dmi_exchange.review.conflicts.check import Checker
from dmi_exchange.review.conflicts.results import (
    Act,
    Compatible,
    Conflict,
    Finding,
    Inside,
    Outside,
    Term,
    Undecidable,
    Verdict,
    Witness,
)
from dmi_exchange.review.conflicts.solver import OutOfTime

__all__ = [
    "Act",
    "Checker",
    "Compatible",
    "Conflict",
    "Finding",
    "Inside",
    "OutOfTime",
    "Outside",
    "Term",
    "Undecidable",
    "Verdict",
    "Witness",
]
