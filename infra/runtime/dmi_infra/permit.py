"""What the gate gives: a permit, and what passed under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.contracts.record import GOES_ON
from dmi_agreements.contracts.results import Grounds
from dmi_agreements.decision import (
    Decision,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    Reason,
    Request,
    RestrictArea,
)
from dmi_agreements.duties import DAY, window
from dmi_agreements.uses import Key, Keys

EVER: Final = 2**62
"""Beyond any time (microseconds), either way."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A passed decision: the requests it answers, the duties to carry out, the agreements it rests on."""

    crossing: str
    requests: tuple[Request, ...]
    duties: tuple[Duty, ...]
    agreements: tuple[str, ...]
    personal: bool
    counted: tuple[tuple[str, str, str], ...] = ()
    """The rules that count this use: agreement, path and party of each."""

    @property
    def dataset(self) -> str:
        """The dataset that the permit opens."""
        return self.requests[0].dataset

    @property
    def exact(self) -> bool:
        """Whether this right tells places and names as they are: under no consents, and no duty that changes rows.

        Of data about persons on another basis too: ``Gate.tells_places`` says whether more is told than rows that pass.
        """
        return not self.personal and all(isinstance(duty, Delay | DeleteAfter) for duty in self.duties)

    @property
    def emptied(self) -> frozenset[str]:
        """The columns that this right leaves out: what they hold is told on no other way either."""
        left_out = (duty for duty in self.duties if isinstance(duty, LeaveOut))
        return frozenset(name for duty in left_out for name in duty.properties)

    def grounds(self, consents: Iterable[str] = ()) -> Grounds:
        """What a result made under this permit rests on."""
        return Grounds(
            datasets=[self.dataset], agreements=list(self.agreements), consents=sorted(set(consents))
        )


@dataclass(frozen=True, slots=True)
class Passed:
    """A batch after consents and duties, and the consents that its rows rest on."""

    batch: ObservationBatch
    consents: frozenset[str]
    withheld: int = 0
    """Rows that were left out because their subject has not consented, objects, or had them erased."""
    left: tuple[int, ...] = ()
    """Which rows those are."""
    used: tuple[ObservationBatch, ...] = ()
    """The rows of persons that it was made of, each under the datastream and time of what it went into."""

    def between(self, begin: Micros, end: Micros) -> Passed:
        """What of it is from ``begin`` until before ``end``; its consents stay."""
        used = tuple(_between(batch, begin, end) for batch in self.used)
        return replace(self, batch=_between(self.batch, begin, end), used=used)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What each row tells by itself about whether it can pass: a store that reads by these reads nothing in vain.

    Whoever counts rows for a page before the gate lets its reader count what the gate leaves out.
    """

    oldest: Micros
    newest: Micros
    areas: tuple[tuple[float, float, float, float], ...]
    """West, south, east, north in WGS84 degrees; a row must have a place inside each."""
    subjects: Mapping[str, frozenset[str]] | None
    """As ``Gate.subjects``."""

    @classmethod
    def of(
        cls, duties: tuple[Duty, ...], now: Micros, subjects: Mapping[str, frozenset[str]] | None
    ) -> Bounds:
        """What these duties leave at a moment."""
        terms = [now - duty.days * DAY for duty in duties if isinstance(duty, DeleteAfter)]
        delays = [now - duty.seconds * 1_000_000 for duty in duties if isinstance(duty, Delay)]
        areas = tuple(duty.bbox for duty in duties if isinstance(duty, RestrictArea))
        return cls(max(terms, default=-EVER), min(delays, default=EVER), areas, subjects)


def hides_persons(duties: Iterable[Duty]) -> bool:
    """Whether who receives rows under these duties must not learn how many persons and rows they are of.

    Where rows pass in groups, two answers that share all groups but one would tell that one; where rows name nobody, an
    answer with a row more would tell whether it is somebody else's.
    """
    asked = tuple(duties)
    unnamed = any(isinstance(duty, LeaveOut) and "subject" in duty.properties for duty in asked)
    return unnamed or window(asked) is not None


def going_on(requests: tuple[Request, ...], again: Keys) -> tuple[Request, ...]:
    """Requests that go on with uses that have been counted."""
    return tuple(replace(request, again=again) for request in requests)


def as_going_on(decision: Decision, request: Request) -> Decision:
    """An allowed decision as the log tells it of a use that goes on; as it is when it counts another use."""
    if fresh(decision, request):
        return decision
    told = Reason(GOES_ON, "a use that is in the log goes on")
    return replace(decision, reasons=(told, *decision.reasons))


def fresh(decision: Decision, request: Request) -> list[Key]:
    """The uses of a decision that have not been counted before."""
    return [key for key in decision.counted if key not in request.again]


def _between(batch: ObservationBatch, begin: Micros, end: Micros) -> ObservationBatch:
    return batch.take([row for row, time in enumerate(batch.phenomenon_time) if begin <= time < end])
