"""What services tell the exchange: decisions of their gates, lineage of results, quality of data."""

from __future__ import annotations

from typing import Final

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Lineage

LAW: Final = "law"
"""The crossing of entries that tell no decision of a gate but what became of an agreement."""
CONCLUDED: Final = "dmi:conclude"
STOPPED: Final = "dmi:end"
"""Their actions: the agreement holds from here on, and does no more."""


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
    actor: str = ""
    """Who acted for ``assignee``, by ``mandate``; empty: the assignee itself."""
    mandate: str = ""
    rows: int = 0
    trace: str = ""


class Quality(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the platform measured of the data of a dataset, over ``seconds`` up to ``at``."""

    dataset: str
    at: Micros
    seconds: int
    datastreams: int
    newest: Micros | None = None
    """When the newest value was measured."""
    rows: int = 0
    missing: int = 0
    """Rows without a value."""
    good: int = 0
    """Rows with a value that no test (QARTOD) found suspect or failing."""
    delivering: int = 0
    """Datastreams with at least one row."""


class RecordBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Several decisions, lineage records and figures of quality of one service in one message."""

    service: str
    decisions: list[DecisionRecord] = []
    lineage: list[Lineage] = []
    quality: list[Quality] = []
