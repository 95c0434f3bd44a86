"""Imports of files, their counts, and the rows that were rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.sql import among, reading, transaction
from dmi_ingest.sources.port import Rejected
from dmi_ingest.store.tables import imported, reject

SHOWN = 20
"""Rows that a report shows for each reason."""
PIECE = 5_000
"""Rejected rows that are deleted or blanked together: what all others write to the store waits meanwhile."""
EMPTY = msgspec.json.encode("").decode()
"""What stands for a unit of which nothing is kept but that it was there."""


class Import(msgspec.Struct, frozen=True):
    """One import; ``state`` is ``running``, ``done`` or ``failed``. Times in microseconds UTC."""

    id: str
    participant: str
    kind: str
    dataset: str
    purpose: str | None
    files: list[str]
    state: str
    resumable: bool
    detail: str
    read: int
    accepted: int
    duplicate: int
    rejected: int
    batches: int
    observations: int
    """Of the accepted, those that are observations: the platform decides which of them are repeats."""
    started_at: int
    ended_at: int | None
    actor: str = ""
    """Who imports for the participant, where it is somebody else, by ``mandate``."""
    mandate: str = ""


class Reject(msgspec.Struct, frozen=True):
    """One rejected unit and its number in the store."""

    id: int
    unit: Rejected
    replayed: bool

    @property
    def empty(self) -> bool:
        """Whether nothing of it was kept but that it was there."""
        return self.unit.raw == ""


class ImportStore:
    """Reads and writes of imports."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, item: Import) -> None:
        """Keep a new import."""
        row = {**msgspec.structs.asdict(item), "files": msgspec.json.encode(item.files).decode()}
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(imported).values(row))

    def restart(self, identifier: str, actor: str, mandate: str) -> None:
        """Count from zero again, for whoever resumes it; it began when it began first."""
        fresh = {"state": "running", "resumable": False, "detail": "", "ended_at": None}
        counts = dict.fromkeys(("read", "accepted", "duplicate", "rejected", "batches", "observations"), 0)
        again = sa.update(imported).where(imported.c.id == identifier)
        # First the rows: where the store fails between, it can still be resumed, and does not seem to run.
        self._in_pieces(sa.delete(reject), reject.c.import_id == identifier)
        with transaction(self._engine) as connection:
            connection.execute(again.values({**fresh, "actor": actor, "mandate": mandate, **counts}))

    def progress(self, identifier: str, counts: dict[str, int], rejected: Sequence[Rejected] = ()) -> None:
        """Add to the counts of an import, with the rows that were rejected."""
        added = {name: imported.c[name] + number for name, number in counts.items()}
        with transaction(self._engine) as connection:
            if added:
                connection.execute(sa.update(imported).where(imported.c.id == identifier).values(added))
            if rejected:
                connection.execute(sa.insert(reject), [_row(identifier, item) for item in rejected])

    def end(self, identifier: str, state: str, detail: str = "", resumable: bool = False) -> None:
        """The import is over."""
        values = {"state": state, "detail": detail, "resumable": resumable, "ended_at": clock.now()}
        with transaction(self._engine) as connection:
            connection.execute(sa.update(imported).where(imported.c.id == identifier).values(values))

    def fail_interrupted(self, detail: str) -> None:
        """Mark what an earlier process left running; it can be resumed."""
        values = {"state": "failed", "detail": detail, "resumable": True, "ended_at": clock.now()}
        with transaction(self._engine) as connection:
            connection.execute(sa.update(imported).where(imported.c.state == "running").values(values))

    def get(self, identifier: str) -> Import | None:
        """One import."""
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(imported).where(imported.c.id == identifier)).first()
        return None if row is None else _import(row)

    def of(self, participant: str, limit: int, before: int | None) -> list[Import]:
        """The imports of a participant, and those that it began for others and can be resumed; the newest first."""
        for_others = sa.and_(imported.c.actor == participant, imported.c.resumable)
        query = sa.select(imported).where(sa.or_(imported.c.participant == participant, for_others))
        if before is not None:
            query = query.where(imported.c.started_at < before)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(imported.c.started_at.desc()).limit(limit)).all()
        return [_import(row) for row in rows]

    def rejects(self, identifier: str, after: int, limit: int) -> list[Reject]:
        """Rejected rows of an import that can be corrected, in the order of the files."""
        query = sa.select(reject).where(
            reject.c.import_id == identifier, reject.c.id > after, reject.c.replayed.is_(False),
            reject.c.raw != EMPTY,
        )  # fmt: skip
        with reading(self._engine) as connection:
            return [_reject(row) for row in connection.execute(query.order_by(reject.c.id).limit(limit))]

    def rejects_by_id(self, identifier: str, ids: Sequence[int]) -> dict[int, Reject]:
        """Rejected rows of an import by their numbers."""
        query = sa.select(reject).where(reject.c.import_id == identifier, reject.c.id.in_(list(ids)))
        with reading(self._engine) as connection:
            return {row.id: _reject(row) for row in connection.execute(query)}

    def reasons(self, identifier: str) -> list[dict[str, Any]]:
        """Rejections by reason: how many, and the first ones with file, line, field, and value if that is kept."""
        mine = sa.and_(reject.c.import_id == identifier, reject.c.replayed.is_(False))
        grouped = sa.select(reject.c.reason, sa.func.count().label("number")).where(mine)
        found = []
        with reading(self._engine) as connection:
            for reason, number in connection.execute(
                grouped.group_by(reject.c.reason).order_by(sa.desc("number"), reject.c.reason)
            ).all():
                columns = sa.select(
                    reject.c.file, reject.c.line, reject.c.field, reject.c.value, reject.c.raw
                )
                told = sa.or_(reject.c.raw != EMPTY, reject.c.line.is_not(None))
                first = columns.where(mine, reject.c.reason == reason, told)
                shown = connection.execute(first.order_by(reject.c.id).limit(SHOWN))
                rows = [_shown(row) for row in shown]
                found.append({"reason": reason, "count": number, "rows": rows})
        return found

    def clear(self, identifier: str, note: str) -> int:
        """Delete the rejected rows of an import; its counts stay, and ``note`` says why. How many there were."""
        deleted = self._in_pieces(sa.delete(reject), reject.c.import_id == identifier)
        if deleted:
            told = sa.update(imported).where(imported.c.id == identifier)
            with transaction(self._engine) as connection:
                connection.execute(told.values(detail=note))
        return deleted

    def forget(self, reason: str) -> None:
        """Keep of the rows that were rejected for a reason nothing but that they were there."""
        self._bare(reject.c.reason == reason)

    def forget_before(self, dataset: str, kind: str, at: Micros) -> int:
        """Keep of rejected rows of files of a kind whose import began before a moment where they stood, and no more."""
        began = sa.and_(imported.c.dataset == dataset, imported.c.kind == kind, imported.c.started_at < at)
        return self._bare(reject.c.import_id.in_(sa.select(imported.c.id).where(began)))

    def resumable(self) -> list[tuple[str, str]]:
        """The imports that can be resumed, and who began or resumed each last: the participant or who acted for it."""
        query = sa.select(imported.c.id, imported.c.participant, imported.c.actor)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(imported.c.resumable))
            return [(row.id, row.actor or row.participant) for row in rows]

    def leftovers(self) -> list[tuple[str, str]]:
        """Dataset and kind of the imports of which rejected rows or files may be kept."""
        rows = sa.select(reject.c.id).where(reject.c.import_id == imported.c.id, reject.c.raw != EMPTY)
        query = sa.select(imported.c.dataset, imported.c.kind).distinct()
        with reading(self._engine) as connection:
            found = connection.execute(query.where(sa.or_(imported.c.resumable, rows.exists())))
            return [(row.dataset, row.kind) for row in found]

    def broken_off(self, dataset: str, before: Micros) -> list[str]:
        """The imports into a dataset that ended before a moment and can be resumed."""
        query = sa.select(imported.c.id).where(
            imported.c.dataset == dataset, imported.c.resumable, imported.c.ended_at < before
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def replay_done(self, identifier: str, number: int, unit: Rejected | None) -> None:
        """A rejected row was taken after its correction (``None``), or rejected anew."""
        with transaction(self._engine) as connection:
            at = sa.and_(reject.c.id == number, reject.c.import_id == identifier)
            if unit is not None:
                connection.execute(sa.update(reject).where(at).values(_row(identifier, unit)))
                return
            # From now on the row is where its consents let it be.
            taken = sa.update(reject).where(at).values(replayed=True, value="", raw=EMPTY)
            connection.execute(taken)
            counts = {"rejected": imported.c.rejected - 1, "accepted": imported.c.accepted + 1}
            connection.execute(sa.update(imported).where(imported.c.id == identifier).values(counts))

    def _bare(self, which: sa.ColumnElement[bool]) -> int:
        whole = sa.and_(which, reject.c.raw != EMPTY)
        return self._in_pieces(sa.update(reject).values(value="", raw=EMPTY), whole)

    def _in_pieces(self, change: sa.Update | sa.Delete, which: sa.ColumnElement[bool]) -> int:
        """Change rejected rows, each piece in a transaction of its own; returns how many."""
        changed, after = 0, 0
        while True:
            query = sa.select(reject.c.id).where(which, reject.c.id > after).order_by(reject.c.id)
            with reading(self._engine) as connection:
                ids = list(connection.execute(query.limit(PIECE)).scalars())
            if ids:
                with transaction(self._engine) as connection:
                    piece = change.where(which, among(reject.c.id, "ids", connection.dialect.name, ids))
                    changed += connection.execute(piece).rowcount
                after = ids[-1]
            if len(ids) < PIECE:
                return changed


def _shown(row: Any) -> dict[str, Any]:
    value = {} if row.raw == EMPTY else {"value": row.value}
    return {"file": row.file, "line": row.line, "field": row.field, **value}


def _row(identifier: str, unit: Rejected) -> dict[str, Any]:
    return {
        "import_id": identifier, "file": unit.file, "line": unit.line, "reason": unit.reason,
        "field": unit.field, "value": unit.value, "raw": msgspec.json.encode(unit.raw).decode(),
        "at": unit.at, "replayed": False,
    }  # fmt: skip


def _reject(row: sa.Row[Any]) -> Reject:
    unit = Rejected(
        row.file, row.line, row.reason, row.field, row.value, msgspec.json.decode(row.raw), row.at
    )
    return Reject(row.id, unit, bool(row.replayed))


def _import(row: sa.Row[Any]) -> Import:
    values = dict(row._mapping)
    return Import(**{**values, "files": msgspec.json.decode(values["files"])})
