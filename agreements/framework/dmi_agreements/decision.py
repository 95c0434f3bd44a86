"""What is asked of the law and what it answers: requests, reasons, duties, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERYONE: Final = "urn:dmi:party:everyone"
"""Assignee of open data: every participant that signed the rulebook."""

ALLOWING: Final = ("allowed", "owner", "own_data", "given", "delivered", "exercised", "goes_on")
REFUSING: Final = (
    "no_agreement",
    "expired",
    "not_yet",
    "ended",
    "wrong_purpose",
    "wrong_recipient",
    "condition_unmet",
    "condition_unknown",
    "duty_open",
    "prohibited",
    "unknown_term",
    "unknown_dataset",
    "unknown_participant",
    "rulebook_not_signed",
    "inactive_participant",
    "law_missing",
    "law_stale",
    "no_consent",
    "no_mandate",
    "outside_mandate",
    "partial",
    "duty_not_possible",
    "duties",
    "not_a_party",
    "not_yours",
    "on_paper",
    "wrong_role",
)
REASON_CODES: Final = ALLOWING + REFUSING
"""Every code that a ``Reason`` can carry."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who (``assignee``) wants to do what (``action``) with which dataset, for which purpose, where.

    ``again`` are the rules (as in ``Decision.counted``) whose uses it goes on with, which have been counted already.
    """

    assignee: str
    action: str
    dataset: str
    purpose: str
    crossing: str = ""
    again: tuple[tuple[str, str, str], ...] = ()
    actor: str = ""
    """Who acts for ``assignee`` by ``mandate``; both are empty when it acts itself."""
    mandate: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a decision.

    ``agreement`` is the agreement or consent it rests on, ``path`` a JSON pointer into its document,
    ``moment`` the instant it speaks of (end, start, expiry), in microseconds UTC.
    """

    code: str
    detail: str
    agreement: str | None = None
    path: str | None = None
    moment: int | None = None


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Empty these optional columns of a batch (``flags`` empties all flag columns)."""

    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coarsen:
    """Move each position to the centre of its grid cell of ``grid_m`` metres in RD New (EPSG:28992)."""

    grid_m: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Replace rows by their mean per window of ``window_s`` seconds and area.

    The area is the neighbourhood (``area_level`` ``"neighbourhood"``) or a cell of ``grid_m`` metres in
    RD New; exactly one of the two is set.
    """

    window_s: int
    area_level: str | None = None
    grid_m: int | None = None


@dataclass(frozen=True, slots=True)
class Suppress:
    """Drop groups of fewer than ``minimum`` distinct data subjects."""

    minimum: int


@dataclass(frozen=True, slots=True)
class Delay:
    """Withhold rows until they are ``seconds`` old."""

    seconds: int


@dataclass(frozen=True, slots=True)
class DeleteAfter:
    """Drop rows older than ``days`` days."""

    days: int


@dataclass(frozen=True, slots=True)
class RestrictArea:
    """Drop rows without a position or outside ``bbox``: west, south, east, north in WGS84, edges inside."""

    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class CutEnds:
    """Drop the rows of a person's trip that lie within ``metres`` of where it begins or ends; done at intake alone."""

    metres: int


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Drop rows of anyone but ``person``. No agreement asks for it: it is the edge of a person's own right."""

    person: str


Duty = LeaveOut | Coarsen | Aggregate | Suppress | Delay | DeleteAfter | RestrictArea | CutEnds | OwnRows


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request.

    ``duties`` must be carried out on what passes, ``agreements`` are the ids it rests on; ``personal``
    means that only rows of consenting subjects may pass. ``counted`` are the rules whose uses are counted: agreement,
    path and party of each.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...] = ()
    agreements: tuple[str, ...] = ()
    personal: bool = False
    counted: tuple[tuple[str, str, str], ...] = ()


def refused(*reasons: Reason, agreements: tuple[str, ...] = (), personal: bool = False) -> Decision:
    """A refusal for these reasons, the weightiest first."""
    return Decision(False, reasons, agreements=agreements, personal=personal)
