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
GIVEN: Final = "given"
"""Code of the reason of an entry that tells how many rows left under a decision that was written before."""
AGAIN: Final = " again"
"""At the end of a reason ``given``: rows that had been sent before; the other side had not said that it had them."""
DELIVERED: Final = "delivered"
"""The same of an entry that tells each person how many of its rows what left was made of."""
EXERCISED: Final = "exercised"
"""The same of an entry that tells what a layer did about the request of a person."""
GOES_ON: Final = "goes_on"
"""The same of a decision about a use that was counted before: whoever sums up uses leaves it out."""
ROWS_GIVEN: Final = " rows given to "
"""In a reason ``delivered`` of earlier entries: rows that left for another node, and were told as nobody's."""


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
    asked_by: str = ""
    """Who asked what ``assignee`` may do, in its own name; empty: the assignee itself, or who acted for it."""
    apart: bool = False
    """Whether it is for the subjects and the owner of the data, and kept from who asked.

    Its figures would tell them what the duties of the agreement keep back.
    """
    rows: int = 0
    trace: str = ""
    taken_back: Micros | None = None
    """Of a request that a layer carried out: up to when results of the dataset are taken back; 0: none are."""

    @property
    def who_asked(self) -> tuple[str, ...]:
        """Who asked, in whose name, and who acted."""
        return self.assignee, self.actor, self.asked_by

    @property
    def asking(self) -> tuple[str, ...]:
        """Those of ``who_asked`` that read it: each, unless it is kept from them."""
        return () if self.apart else self.who_asked

    @property
    def decides(self) -> bool:
        """Whether it is a decision, and tells not what followed from one or became of an agreement."""
        return self.crossing != LAW and self._code not in (GIVEN, DELIVERED, EXERCISED)

    @property
    def begins(self) -> bool:
        """Whether it is a decision about a use of its own, which goes on with none of before."""
        return self.decides and self._code != GOES_ON

    @property
    def left(self) -> int:
        """Rows that were let through: those that a decision was asked for, or that were given later under one."""
        tells = self._code in (DELIVERED, EXERCISED) and not self._leaves
        return self.rows if self.allowed and self.crossing != LAW and not tells else 0

    @property
    def left_again(self) -> int:
        """Of the rows that were let through those that had been before, after a connection that broke."""
        return self.left if self._code == GIVEN and self.reasons[0].endswith(AGAIN) else 0

    @property
    def _leaves(self) -> bool:
        """Whether it is of a transfer in the form of earlier entries, which told rows that left as delivered."""
        return self._code == DELIVERED and ROWS_GIVEN in self.reasons[0]

    @property
    def _code(self) -> str:
        return self.reasons[0].partition(":")[0] if self.reasons else ""


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
