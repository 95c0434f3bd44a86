"""PostgreSQL keeps observations in a partition a month, made when the first row of the month comes."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from dmi_infra.sql import transaction
from dmi_platform.quality import Ints

FIRST: Final = 946_684_800_000_000
"""2000-01-01; what is older shares one partition, so that odd times cannot make thousands of them."""
LAST: Final = 2_524_608_000_000_000
"""2050-01-01; likewise from then on."""
_LOCK: Final = 0x646D69
"""Key of the advisory lock under which one process at a time makes partitions."""


class Partitions:
    """Makes missing partitions before a batch is written; SQLite needs none."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._wanted = engine.dialect.name == "postgresql"
        self._known: set[int] = set()
        self._guard = threading.Lock()

    def cover(self, time: Ints) -> None:
        """Make sure that rows of these times (microseconds) have a partition."""
        if not self._wanted or not len(time):
            return
        inside = time[(time >= FIRST) & (time < LAST)]
        months = set(
            np.unique(inside.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)).tolist()
        )
        with self._guard:
            missing = sorted(months - self._known)
            if missing:
                # A transaction of its own: the lock on the parent table is held for a moment only.
                with transaction(self._engine) as connection:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                    for month in missing:
                        connection.exec_driver_sql(_statement(month))
                self._known.update(missing)


def _statement(month: int) -> str:
    first = np.datetime64(month, "M")
    begin, end = (_micros(first), _micros(first + np.timedelta64(1, "M")))
    name = f"observation_{str(first).replace('-', '_')}"
    return f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF observation FOR VALUES FROM ({begin}) TO ({end})"


def _micros(month: Any) -> int:
    return int(month.astype("datetime64[us]").astype(np.int64))
