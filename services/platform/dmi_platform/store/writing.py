"""One transaction of the platform: observations, last values, outcomes, rejects, outbox, positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.crossings import BY_NAME
from dmi_infra import clock, outbox
from dmi_infra.bus.port import Message
from dmi_infra.sql import Positions, copy_in, save_positions, upsert
from dmi_platform import quality
from dmi_platform.harmonise import Newest, Rows
from dmi_platform.model import Handed, Outcome, Reject
from dmi_platform.quality import Ints
from dmi_platform.store import features, rejects, tables

FEATURES_TOPIC = BY_NAME["features"].topic or ""
Status = NDArray[np.int8]
ACCEPTED, DUPLICATE, CONFLICT = 0, 1, 2

_CHUNK: Final = 900
"""Names in one IN list."""

_COLUMNS: Final = ("datastream", *tables.VALUE_NAMES)

_CHANGED: Final = (*tables.VALUE_NAMES, "valued_at", "valued")


class Writing:
    """Writes within one transaction; nothing is visible before it ends, nothing stays if it fails.

    A row later than the newest of its datastream is new, without looking: last values are read first, and on
    PostgreSQL locked, so no other writer can add to these datastreams meanwhile. Only late rows are looked up.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._newest: dict[int, Newest] = {}
        self._last: dict[int, tuple[Any, ...]] = {}

    def before(self, keys: list[int]) -> Mapping[int, Newest]:
        """The newest row of each datastream, those of this transaction included."""
        unknown = [key for key in keys if key not in self._newest]
        last = tables.last_value.c
        for start in range(0, len(unknown), _CHUNK):
            query = (
                sa.select(last.datastream, last.time, last.valued_at, last.valued)
                .where(last.datastream.in_(unknown[start : start + _CHUNK]))
                .order_by(last.datastream)
            )
            if self._postgresql:
                query = query.with_for_update()
            for key, time, valued_at, valued in self._connection.execute(query):
                self._newest[key] = Newest(time, valued_at, math.nan if valued is None else valued)
        return self._newest

    def insert(self, rows: Rows) -> Status:
        """Store the rows that are new; tells for each row whether it was, or repeats or contradicts another.

        ``rows`` were harmonised with this transaction's ``before``.
        """
        status = np.full(len(rows), ACCEPTED, np.int8)
        self._repeats(rows, status)
        self._stored_already(rows, status)
        accepted = np.flatnonzero(status == ACCEPTED)
        if len(accepted):
            self._append(rows, accepted)
            self._advance(rows, accepted)
        return status

    def _repeats(self, rows: Rows, status: Status) -> None:
        """Rows with the natural key of an earlier row of the batch."""
        order = np.lexsort((rows.time, rows.key))
        keys, times = rows.key[order], rows.time[order]
        same = (keys[1:] == keys[:-1]) & (times[1:] == times[:-1])
        if not same.any():
            return
        suspects = np.unique(np.concatenate((order[:-1][same], order[1:][same])))
        first: dict[tuple[int, int, str], int] = {}
        for row in suspects.tolist():
            natural = (int(rows.key[row]), int(rows.time[row]), rows.source_id[row])
            earlier = first.setdefault(natural, row)
            if earlier != row:
                status[row] = _compare(rows, row, rows.raw_result[earlier], rows.result[earlier])

    def _stored_already(self, rows: Rows, status: Status) -> None:
        """Late rows whose natural key is in the store."""
        late = np.flatnonzero((rows.time <= rows.newest_time) & (status == ACCEPTED))
        if not len(late):
            return
        find = self._find_postgresql if self._postgresql else self._find_sqlite
        for row, raw, result in find(rows, late):
            status[row] = _compare(rows, row, _nan(raw), _nan(result))

    def _find_sqlite(self, rows: Rows, late: Ints) -> Iterable[tuple[int, float | None, float | None]]:
        # A prepared statement a row: the driver has no way to pass a table.
        cursor: Any = self._connection.connection.cursor()
        query = (
            "SELECT raw_result, result FROM observation WHERE datastream = ? AND time = ? AND source_id = ?"
        )
        keys, times = rows.key[late].tolist(), rows.time[late].tolist()
        for row, key, time in zip(late.tolist(), keys, times, strict=True):
            found = cursor.execute(query, (key, time, rows.source_id[row])).fetchone()
            if found is not None:
                yield row, found[0], found[1]
        cursor.close()

    def _find_postgresql(self, rows: Rows, late: Ints) -> Iterable[tuple[int, float | None, float | None]]:
        # The bounds let the planner leave out the partitions of other months.
        query = (
            "SELECT w.row, o.raw_result, o.result FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::text[]) "
            "AS w(row, datastream, time, source_id) JOIN observation o ON o.datastream = w.datastream "
            "AND o.time = w.time AND o.source_id = w.source_id WHERE o.time BETWEEN %s AND %s"
        )
        times = rows.time[late]
        arguments = (
            late.tolist(), rows.key[late].tolist(), times.tolist(),
            [rows.source_id[row] for row in late.tolist()], int(times.min()), int(times.max()),
        )  # fmt: skip
        found = self._connection.exec_driver_sql(query, arguments).all()
        return [(row, raw, result) for row, raw, result in found]

    def _append(self, rows: Rows, accepted: Ints) -> None:
        copy_in(self._connection, "observation", _COLUMNS, list(zip(*_lists(rows, accepted), strict=True)))

    def _advance(self, rows: Rows, accepted: Ints) -> None:
        """Remember the newest accepted row of each datastream, to be written once at the end."""
        order = accepted[np.lexsort((rows.time[accepted], rows.key[accepted]))]
        ends = _last_of_each(rows.key, order)
        ends = ends[rows.time[ends] > rows.newest_time[ends]]
        for key, time, *values in zip(*_lists(rows, ends), strict=True):
            newest = self._newest.get(key, Newest())
            self._last[key] = (time, *values)
            self._newest[key] = Newest(time, newest.valued_at, newest.value)
        valued = order[~np.isnan(rows.result[order])]
        ends = _last_of_each(rows.key, valued)
        columns = rows.key[ends].tolist(), rows.time[ends].tolist(), rows.result[ends].tolist()
        for key, time, value in zip(*columns, strict=True):
            newest = self._newest.get(key, Newest())
            if time > newest.valued_at:
                self._newest[key] = Newest(newest.time, time, value)

    def finish(self) -> None:
        """Write the last values that changed."""
        changes = []
        for key, values in sorted(self._last.items()):
            newest = self._newest[key]
            valued = None if math.isnan(newest.value) else newest.value
            changes.append((*values, newest.valued_at, valued, key))
        if changes:
            # As text for the driver: naming each parameter costs more than the update itself.
            mark = "%s" if self._postgresql else "?"
            assigned = ", ".join(f"{name} = {mark}" for name in _CHANGED)
            statement = f"UPDATE last_value SET {assigned} WHERE datastream = {mark}"  # noqa: S608 - names are ours
            self._connection.exec_driver_sql(statement, changes)

    def outcome(self, handed: Handed, outcome: Outcome) -> None:
        """Record what became of a message; one that came twice keeps its first outcome."""
        upsert(
            self._connection,
            tables.outcome,
            [
                {
                    "message_id": handed.message_id,
                    "batch_id": handed.batch_id,
                    "import_id": handed.batch_id.split("/", 1)[0],
                    "dataset": handed.dataset,
                    "contributor": handed.contributor,
                    "accepted": outcome.accepted,
                    "duplicate": outcome.duplicate,
                    "conflict": outcome.conflict,
                    "rejected": msgspec.json.encode(outcome.rejected).decode(),
                    "at": clock.now(),
                }
            ],
            ["message_id"],
        )

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Keep what was not taken."""
        now = clock.now()
        names = [name for name in Reject.__slots__ if name not in ("id", "at", "replayed_at", "row_numbers")]
        if rejects:
            self._connection.execute(
                sa.insert(tables.reject),
                [
                    {
                        **{name: getattr(item, name) for name in names},
                        "row_numbers": msgspec.json.encode(item.row_numbers).decode(),
                        "at": now,
                    }
                    for item in rejects
                ],
            )

    def replayed(self, item: Reject, outcome: Outcome) -> bool:
        """Mark a reject as replayed and correct its batch's outcome; false when another did so first."""
        table = tables.reject
        marked = self._connection.execute(
            sa.update(table)
            .where(table.c.id == item.id, table.c.replayed_at.is_(None))
            .values(replayed_at=clock.now())
        )
        if marked.rowcount != 1:
            return False
        query = sa.select(tables.outcome).where(tables.outcome.c.message_id == item.message_id)
        row = self._connection.execute(query).first()
        if row is not None:
            total = Outcome(row.accepted, row.duplicate, row.conflict, msgspec.json.decode(row.rejected))
            total.take_back(item.reason, item.rows)
            total.add(outcome)
            self._connection.execute(
                sa.update(tables.outcome)
                .where(tables.outcome.c.message_id == item.message_id)
                .values(
                    accepted=total.accepted,
                    duplicate=total.duplicate,
                    conflict=total.conflict,
                    rejected=msgspec.json.encode(total.rejected).decode(),
                )
            )
        return True

    def features(
        self, dataset: str, found: Sequence[Feature], rejected_at: Micros | None = None
    ) -> features.Put:
        """Store features of one dataset, as ``features.put``; those erased go from what was rejected too."""
        erased = {feature.id for feature in found if feature.replaces_all}
        if erased:
            rejects.drop_features(self._connection, FEATURES_TOPIC, dataset, erased)
        return features.put(self._connection, dataset, found, rejected_at)

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Let the bus hear these messages after the transaction."""
        outbox.add(self._connection, tables.outgoing, topic, messages)

    def reach(self, positions: Positions) -> None:
        """Keep where to read on."""
        save_positions(self._connection, tables.positions, positions)


def _lists(rows: Rows, chosen: Ints) -> list[list[Any]]:
    """The columns of the table ``observation``, in its order."""
    numbers = chosen.tolist()
    subject, flags = rows.subject, {test: column[chosen] for test, column in rows.flags.items()}
    return [
        rows.key[chosen].tolist(),
        rows.time[chosen].tolist(),
        [rows.source_id[row] for row in numbers],
        quality.optional(rows.result[chosen]),
        quality.optional(rows.raw_result[chosen]),
        quality.pack(flags).tolist(),
        quality.optional(rows.longitude[chosen]),
        quality.optional(rows.latitude[chosen]),
        [None] * len(numbers) if subject is None else [subject[row] for row in numbers],
        [rows.neighbourhood[row] for row in numbers],
    ]


def _last_of_each(key: Ints, order: Ints) -> Ints:
    """Of rows ordered by key, the last of each key."""
    if not len(order):
        return order
    keys = key[order]
    ends: Ints = order[np.append(keys[1:] != keys[:-1], True)]
    return ends


def _compare(rows: Rows, row: int, raw: float, result: float) -> int:
    """Whether a row with a known natural key says the same: as the source wrote it, or once harmonised."""
    for mine, theirs in ((rows.raw_result[row], raw), (rows.result[row], result)):
        if mine == theirs or (math.isnan(mine) and math.isnan(theirs)):
            return DUPLICATE
    return DUPLICATE if math.isclose(rows.result[row], result, rel_tol=1e-9) else CONFLICT


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
