"""What every gate tells the exchange: its decisions, and the lineage of what it let through."""

from __future__ import annotations

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Lineage


class DecisionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision of one gate, allowed or refused."""

    id: str
    at: Micros
    service: str
    crossing: str
    assignee: str
    action: str
    dataset: str
    purpose: str
    allowed: bool
    reasons: list[str]
    agreements: list[str] = []
    subjects: list[str] = []
    """Data subjects concerned, so that each can read what was done with its data."""
    counted: list[tuple[str, str, str]] = []
    """Agreement, rule (JSON pointer) and party of each use that an agreement asks to count."""
    rows: int = 0
    trace: str = ""


class RecordBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Several decisions and lineage records of one service in one message."""

    service: str
    decisions: list[DecisionRecord] = []
    lineage: list[Lineage] = []
