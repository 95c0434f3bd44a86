"""What goes wrong in real data, put in on purpose, at known rates and always at the same rows for one seed.

``FAULTS`` lists them. Whether one strikes a row depends on seed, datastream and phenomenon time only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dmi_command.demo import noise
from dmi_command.demo.moments import DAY, HOUR, SECOND
from dmi_command.demo.noise import Bools, Floats, Ints, Keys
from dmi_command.demo.rows import Rows

LATEST: Final = 2 * HOUR
"""No row is delivered later than this after its phenomenon time."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault; ``chance`` is per row, or per datastream and day where ``per_day``."""

    name: str
    chance: float
    about: str
    per_day: bool = False


LATE: Final = Fault(
    "late", 0.004, "delivered one second to two hours after the phenomenon, behind newer rows"
)
REPEATED: Final = Fault("repeated", 0.003, "the same row twice")
CONTRADICTED: Final = Fault("contradicted", 0.0003, "the same key again with another value")
MISSING: Final = Fault("missing", 0.004, "a row without a value")
IMPOSSIBLE: Final = Fault(
    "impossible", 0.001, "a value outside what the sensor can measure, or an error code"
)
MISPLACED: Final = Fault("misplaced", 0.001, "a moving sensor that reports longitude 0, latitude 0")
STUCK: Final = Fault("stuck", 0.01, "a garage or crowd counter repeats one value for two to five hours", True)
SILENT: Final = Fault("silent", 0.02, "a datastream delivers nothing for one hour", True)
FAULTS: Final = (LATE, REPEATED, CONTRADICTED, MISSING, IMPOSSIBLE, MISPLACED, STUCK, SILENT)


@dataclass(frozen=True)
class Faults:
    """The faults of one dataset: a key a datastream, and the impossible values that each may report."""

    seed: int
    datastream_keys: Keys
    impossible: Sequence[Sequence[float]]
    may_stick: bool

    @classmethod
    def of(
        cls, seed: int, datastreams: list[str], impossible: Sequence[Sequence[float]], may_stick: bool
    ) -> Faults:
        """The faults of these datastreams; ``impossible`` has one list of values a datastream."""
        return cls(seed, noise.keys(seed, datastreams), impossible, may_stick)

    def _chance(self, name: str, stream: Ints, index: Ints) -> Floats:
        """Evenly spread numbers, one a row, of their own for each ``name``."""
        return noise.uniform(self.datastream_keys[stream] ^ noise.key(self.seed, name), index)

    def hit(self, fault: Fault, stream: Ints, time: Ints) -> Bools:
        """The rows that a fault of rows strikes."""
        return np.asarray(self._chance(fault.name, stream, time // SECOND) < fault.chance)

    def delivered(self, stream: Ints, time: Ints) -> Ints:
        """When each row reaches ingest (µs UTC)."""
        delay = 1 + (self._chance("delay", stream, time // SECOND) * (LATEST // SECOND)).astype(np.int64)
        return time + np.where(self.hit(LATE, stream, time), delay * SECOND, 0)

    def _window(self, fault: Fault, stream: Ints, time: Ints, hours: tuple[int, int]) -> tuple[Bools, Ints]:
        """Whether each row falls in its datastream's faulty hours of that day (UTC), and when those began."""
        day = time // DAY
        struck = self._chance(fault.name, stream, day) < fault.chance
        begin = (
            day * DAY
            + (5 + np.floor(self._chance(f"{fault.name}/begin", stream, day) * 14)).astype(np.int64) * HOUR
        )
        shortest, longest = hours
        extra = np.floor(self._chance(f"{fault.name}/hours", stream, day) * (longest - shortest + 1))
        length = (shortest + extra.astype(np.int64)) * HOUR
        return np.asarray(struck & (time > begin) & (time <= begin + length)), begin

    def silent(self, stream: Ints, time: Ints) -> Bools:
        """The rows that never come, because their datastream is silent."""
        return self._window(SILENT, stream, time, (1, 1))[0]

    def reported(self, stream: Ints, time: Ints) -> Ints:
        """The moment whose value the sensor reports: its own, or the one at which it stuck."""
        if not self.may_stick:
            return time
        stuck, begin = self._window(STUCK, stream, time, (2, 5))
        return np.asarray(np.where(stuck, begin, time))

    def spoil(self, rows: Rows) -> tuple[Rows, Counter[str]]:
        """The rows with their faults, and how many rows each fault struck (of all but late and silent)."""
        counts: Counter[str] = Counter()
        stream, time = rows.stream, rows.time
        counts[STUCK.name] = int(np.sum(self.reported(stream, time) != time))
        value = rows.value.copy()
        impossible = self.hit(IMPOSSIBLE, stream, time)
        for row in np.flatnonzero(impossible).tolist():
            choices = self.impossible[int(stream[row])]
            value[row] = choices[int(time[row] // SECOND) % len(choices)]
        missing = self.hit(MISSING, stream, time) & ~impossible
        value[missing] = np.nan
        rows = replace(rows, value=value)
        counts[IMPOSSIBLE.name], counts[MISSING.name] = int(impossible.sum()), int(missing.sum())
        if rows.longitude is not None and rows.latitude is not None:
            misplaced = self.hit(MISPLACED, stream, time)
            here = np.where(misplaced, 0.0, rows.longitude), np.where(misplaced, 0.0, rows.latitude)
            rows = replace(rows, longitude=here[0], latitude=here[1])
            counts[MISPLACED.name] = int(misplaced.sum())
        return self._again(rows, counts), counts

    def _again(self, rows: Rows, counts: Counter[str]) -> Rows:
        """Repeats and contradictions, each directly behind its row."""
        repeated = self.hit(REPEATED, rows.stream, rows.time)
        contradicted = self.hit(CONTRADICTED, rows.stream, rows.time) & ~repeated & ~np.isnan(rows.value)
        counts[REPEATED.name], counts[CONTRADICTED.name] = int(repeated.sum()), int(contradicted.sum())
        copies = np.flatnonzero(repeated | contradicted)
        order = np.sort(np.concatenate([np.arange(len(rows)), copies]), kind="stable")
        is_copy = np.zeros(len(order), dtype=np.bool_)
        is_copy[1:] = order[1:] == order[:-1]
        doubled = rows.take(order)
        changed = is_copy & contradicted[order]
        return replace(doubled, value=np.where(changed, doubled.value + 3.0, doubled.value))
