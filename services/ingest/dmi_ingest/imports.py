"""Imports of files: read by a source in a thread, handed over through the same door as everything else."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused, Unauthenticated, Unavailable
from dmi_infra.jose import ITSELF
from dmi_ingest.handing import Erased, HandingOver
from dmi_ingest.handlers import Ingest
from dmi_ingest.intake import Contributor, Intake
from dmi_ingest.rejects import NO_CONSENT, Keeping, corrected
from dmi_ingest.room import Room
from dmi_ingest.sources.batching import batches
from dmi_ingest.sources.port import Rejected, Source, SourceError
from dmi_ingest.store.features import FeatureStore
from dmi_ingest.store.imports import Import, ImportStore, Reject
from dmi_ingest.turns import Turns

log = structlog.get_logger("imports")

INTERRUPTED: Final = "the process ended while the import ran; resume it, repeats are dropped"
ROWS_DELETED: Final = "rejected rows were deleted, as their participant asked; the counts stayed"
WITHDRAWN: Final = "the files were deleted, as their participant asked; what was taken stays"
NOTHING_KEPT: Final = (
    "is a row of which no more is kept than where it stood: correct the file and hand it in again"
)

AboutPersons = Callable[[str, str], bool]
"""Whether rows of a dataset, in files of a kind, are or may be about persons."""


class _Stopped(Exception):
    """The service is stopping."""


class _End(NamedTuple):
    """How an import ended."""

    state: str
    detail: str
    resumable: bool = False


class Imports:
    """Runs imports beside the HTTP interface; each batch is durable before the next is read."""

    def __init__(
        self, store: ImportStore, features: FeatureStore, ingest: Ingest, intake: Intake,
        sources: Mapping[str, Source], folder: Path, room: Room, workers: int, rows: int, erased: Erased,
        about_persons: AboutPersons,
    ) -> None:  # fmt: skip
        self.store = store
        self.sources = sources
        self._features = features
        self._intake = intake
        self._handing = HandingOver(features, ingest, intake, erased, rows)
        self._folder = folder
        self.room = room
        self._rows = rows
        self._workers = workers
        self._about_persons = about_persons
        self.ended: Callable[[Import], None] | None = None
        """Called when an import has ended: what it left may be of who asked for its erasure meanwhile."""
        self._turns: Turns | None = None
        self._stopping = threading.Event()
        self._resuming = threading.Lock()
        self._telling = threading.Lock()
        """Held for moments, since requests wait for it: while ends are told, never while files are looked through."""
        self._untold: dict[str, _End] = {}
        """How imports ended of which the store has not taken it yet."""
        self._unswept: dict[str, None] = {}
        """Imports that ended and were not looked through since for who asked for its erasure."""
        self._looking: set[str] = set()
        """Participants for whom an import is looked through that they resume."""

    # -- a part of the runtime ------------------------------------------------

    def start(self) -> None:
        """Mark what an earlier process left unfinished."""
        self.store.fail_interrupted(INTERRUPTED)
        self.room.open(self.store.resumable())
        # Earlier versions kept what persons had not consented to.
        self.store.forget(NO_CONSENT)
        self._turns = Turns(self._workers, "import")

    def stop(self) -> None:
        """End after the batch at hand; what is unfinished can be resumed."""
        self._stopping.set()
        if self._turns is not None:
            self._turns.stop()

    def sweep(self) -> None:
        """Look all that broke off through for who asked for its erasure; while it waited the service may have ended."""
        self._unswept.update(dict.fromkeys(identifier for identifier, _ in self.store.resumable()))
        self.settle()
        self._look_through()

    def settle(self) -> None:
        """Tell the store how imports ended; what it cannot take now is told the next time."""
        with self._telling:
            try:
                self._tell()
            except Unavailable as exc:
                log.warning(
                    "the end of imports waits to be stored", imports=len(self._untold), reason=str(exc)
                )

    # -- use cases ------------------------------------------------------------

    def check(self, contributor: Contributor, kind: str, dataset: str) -> Source:
        """The source of this kind, when the caller may import into the dataset; raises before any file is read."""
        source = self.sources.get(kind)
        if source is None:
            raise InputRefused.of("kind", f"must be one of {', '.join(sorted(self.sources))}", kind)
        self._intake.permit(contributor, dataset, 0)
        return source

    def new_folder(self, contributor: Contributor) -> tuple[str, Path]:
        """The id of a new import and the folder for its files; raises as ``Room.enter``."""
        self.settle()
        identifier = str(uuid.uuid4())
        return identifier, self.room.enter(identifier, contributor.who)

    def discard(self, identifier: str) -> None:
        """Remove the files of an import."""
        self.room.leave(identifier)

    def give_up(self, identifier: str, concerned: Callable[[Path], bool], detail: str) -> int:
        """Delete the files of an import that broke off, when one is concerned; it is not resumed. How many files."""
        item = self.store.get(identifier)
        if item is None or item.state != "failed" or not item.resumable:
            return 0
        paths = [self._folder / identifier / name for name in item.files]
        # Without the lock, since this takes long: what is resumed meanwhile is looked through when it has ended.
        if not any(path.is_file() and concerned(path) for path in paths):
            return 0
        with self._resuming:
            now = self.store.get(identifier)
            if now is None or now.state != "failed" or not now.resumable:
                return 0
            self.store.end(identifier, "failed", detail)
            self.discard(identifier)
            return len(paths)

    def withdraw(self, identifier: str, contributor: Contributor) -> None:
        """Delete the files of an import that broke off, so that their room is free, or rejected rows of one that ended.

        Raises ``Conflict`` for one that has neither, or runs.
        Who began it for somebody else may do so as itself, also after its mandate: they take room in its share.
        """
        self.settle()
        found = self.store.get(identifier)
        began = found is not None and contributor.acting is None and found.actor == contributor.participant
        item = found if found is not None and began else self.one(identifier, contributor)
        with self._resuming:
            now = self.store.get(item.id)
            if now is not None and now.resumable:
                self.store.end(item.id, "failed", WITHDRAWN)
                self.discard(item.id)
            elif now is None or now.state == "running" or not self.store.clear(item.id, ROWS_DELETED):
                rule = (
                    "only an import that broke off has files to delete, and one that ended its rejected rows"
                )
                raise Conflict.of("state", rule, item.state)

    def begin(
        self, identifier: str, contributor: Contributor, kind: str, dataset: str, files: Sequence[str]
    ) -> Future[None]:
        """Start an import of the files in its folder, or delete them; the future is done when it is over."""
        by = contributor.acting or ITSELF
        item = Import(
            identifier, contributor.participant, kind, dataset, contributor.purpose, list(files), "running",
            False, "", 0, 0, 0, 0, 0, 0, clock.now(), None, by.actor, by.mandate,
        )  # fmt: skip
        try:
            self.store.begin(item)
        except BaseException:
            self.discard(identifier)
            raise
        return self._submit(item, contributor)

    def resume(self, identifier: str, contributor: Contributor) -> Future[None]:
        """Run an interrupted import again from its files, which take room in the share of who resumes it.

        It is looked through first for who asked for its erasure. Raises ``Unavailable`` while another one is for the
        same participant: that takes long, and a thread.
        """
        self.settle()
        self._look_first(self.one(identifier, contributor), self.room.party(contributor.who))
        with self._resuming:
            item = self.one(identifier, contributor)
            if item.state != "failed" or not item.resumable:
                raise Conflict.of(
                    "state", "only a failed import that is resumable can be resumed", item.state
                )
            self.check(contributor, item.kind, item.dataset)
            self.room.pass_on(identifier, contributor.who)
            by = contributor.acting or ITSELF
            self.store.restart(identifier, by.actor, by.mandate)
        return self._submit(msgspec.structs.replace(item, actor=by.actor, mandate=by.mandate), contributor)

    def one(self, identifier: str, contributor: Contributor) -> Import:
        """An import of this participant; raises ``NotFound``.

        Who acts for it sees those that it began, as long as its mandate holds: else raises ``Refused``.
        """
        found = self.store.get(identifier)
        acting = contributor.acting
        if (
            found is None
            or found.participant != contributor.participant
            or (acting is not None and found.actor != acting.actor)
        ):
            raise NotFound("no import of yours has this id")
        if acting is not None:
            self._intake.permit(contributor, found.dataset, 0)
        return found

    def replay(
        self, item: Import, contributor: Contributor, rows: Sequence[tuple[int, dict[str, str] | str]]
    ) -> dict[str, Any]:
        """Take corrected rows; a row that is still faulty stays, with its new reason."""
        source = self.check(contributor, item.kind, item.dataset)
        known = self.store.rejects_by_id(item.id, [number for number, _ in rows])
        answers: list[dict[str, Any]] = []
        seen: set[int] = set()
        for index, (number, _) in enumerate(rows):
            found = known.get(number)
            if number in seen:
                raise InputRefused.of(f"rows.{index}.id", "must be named once", str(number))
            seen.add(number)
            if found is None or found.replayed:
                raise InputRefused.of(
                    f"rows.{index}.id", "must be a row that waits to be replayed", str(number)
                )
            if found.empty:
                raise InputRefused.of(f"rows.{index}.id", NOTHING_KEPT, str(number))
        for number, raw in rows:
            unit = corrected(known[number].unit, raw)
            faulty = self._handing.again(item, contributor, source, number, unit)
            self.store.replay_done(item.id, number, faulty and self._kept(item, faulty))
            state = "accepted" if faulty is None else "rejected"
            answers.append({"id": number, "state": state, "reason": faulty.reason if faulty else None})
        accepted = sum(answer["state"] == "accepted" for answer in answers)
        return {
            "import_id": item.id, "replayed": len(answers), "accepted": accepted,
            "rejected": len(answers) - accepted, "rows": answers,
        }  # fmt: skip

    def rejects(self, item: Import, after: int, limit: int) -> list[Reject]:
        """Rows of an import that can be corrected, those after a number; none where they may be about persons."""
        return (
            [] if self._about_persons(item.dataset, item.kind) else self.store.rejects(item.id, after, limit)
        )

    def reasons(self, item: Import) -> list[dict[str, Any]]:
        """Rejections by reason, as ``ImportStore.reasons``; without values where they may be about persons."""
        found = self.store.reasons(item.id)
        if self._about_persons(item.dataset, item.kind):
            for row in (row for reason in found for row in reason["rows"]):
                row.pop("value", None)
        return found

    # -- parts ----------------------------------------------------------------

    def _kept(self, item: Import, unit: Rejected) -> Rejected:
        """A rejected row as it is kept: no gate has judged it, so nothing of what it may tell about a person."""
        return unit.bare() if self._about_persons(item.dataset, item.kind) else unit

    def _submit(self, item: Import, contributor: Contributor) -> Future[None]:
        if self._turns is None or self._stopping.is_set():
            raise Unavailable("imports are not running at the moment")
        return self._turns.submit(self.room.party(contributor.who), partial(self._run, item, contributor))

    def _run(self, item: Import, contributor: Contributor) -> None:
        # The purpose is that of the first beginning, whoever resumes it; who acts and by which key is of now.
        self._untold[item.id] = self._end(item, dataclasses.replace(contributor, purpose=item.purpose))
        self.settle()
        self._look_through()

    def _end(self, item: Import, contributor: Contributor) -> _End:
        """Read and hand over all; answers how that ended."""
        try:
            return _End("done", self._read(item, contributor))
        except SourceError as exc:
            return _End("failed", str(exc))
        except _Stopped:
            return _End("failed", INTERRUPTED, resumable=True)
        except Refused as exc:
            return _End("failed", f"refused: {exc}", resumable=True)
        except Unauthenticated as exc:
            return _End("failed", f"stopped: {exc}", resumable=True)
        except Unavailable as exc:
            log.warning("import waits to be resumed", id=item.id, reason=exc.public)
            return _End("failed", exc.public, resumable=True)
        except Exception as exc:  # a file of any content must not leave the import running for ever
            log.error("import failed", id=item.id, exc_info=exc)
            return _End("failed", "the import failed inside; it has been logged", resumable=True)

    def _tell(self) -> None:
        for identifier, end in list(self._untold.items()):
            self.store.end(identifier, end.state, end.detail, end.resumable)
            if not end.resumable:
                self.discard(identifier)
            self._unswept[identifier] = None
            del self._untold[identifier]

    def _look_through(self) -> None:
        """Look those that ended through; what the store cannot take now waits for the next time."""
        with self._telling:
            left = list(self._unswept)
            self._unswept.clear()
        for number, identifier in enumerate(left):
            try:
                self._look(identifier)
            except Unavailable as exc:
                self._unswept.update(dict.fromkeys(left[number:]))
                log.warning("imports wait to be looked through", imports=len(left) - number, reason=str(exc))
                return

    def _look(self, identifier: str) -> None:
        item = self.store.get(identifier)
        # One that runs is looked through at its end.
        if item is None or item.state == "running" or self.ended is None:
            return
        try:
            self.ended(item)
        except Unavailable:
            raise
        except Exception as exc:  # it holds up no other import; what can be resumed is looked through again
            log.error("an import could not be looked through", id=identifier, exc_info=exc)

    def _look_first(self, item: Import, party: str) -> None:
        """Look an import through before it is resumed; no request waits for another's."""
        with self._telling:
            if party in self._looking:
                raise Unavailable(
                    "another import of yours is looked through to be resumed; try again shortly"
                )
            self._looking.add(party)
        try:
            self._look(item.id)
        finally:
            self._looking.discard(party)

    def _read(self, item: Import, contributor: Contributor) -> str:
        """Read and hand over all; answers what the report says beside the counts."""
        source = self.sources[item.kind]
        paths = [self._folder / item.id / name for name in item.files]
        number, keeping = 0, Keeping()
        prefix = self._features.prefix(item.dataset)
        for batch in batches(source.read(paths, prefix), item.dataset, prefix, self._rows):
            if self._stopping.is_set():
                raise _Stopped
            # A key or machine that was stopped since hands in nothing more; the gate asks for mandates and agreements.
            contributor.still()
            # What is read goes on to the bus and the stores, which share the disk in the embedded deployment.
            self.room.spare()
            counts, rejected = self._handing.batch(item, contributor, batch, f"{item.id}/{number}")
            number += isinstance(batch, ObservationBatch)
            self.store.progress(item.id, counts, keeping.first(self._kept(item, unit) for unit in rejected))
        return keeping.note
