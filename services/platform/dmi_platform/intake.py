"""Messages as they arrive: read, checked, and put together to batches worth a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.bus.port import Received
from dmi_platform.model import FEATURE_KINDS, UNREADABLE, Handed, Reject, storable
from dmi_platform.neighbourhoods import shape_of

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Payload of one transaction: large enough to share its cost, small enough to stay live."""

MERGED_ROWS: Final = 5000
"""Small messages are harmonised together up to this many rows."""

_FAR: Final = 2**61
"""Moments (microseconds) beyond this, either way, are no validity."""

T = TypeVar("T", ObservationBatch, FeatureBatch)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of observations that could be read."""

    topic: str
    partition: int
    message_id: str
    batch: ObservationBatch
    contributor: str = ""

    @property
    def handed(self) -> Handed:
        """Under which ids it was handed in, into which dataset and by whom."""
        return Handed(self.message_id, self.batch.batch_id, self.batch.dataset, self.contributor)


@dataclass(slots=True)
class Group:
    """Messages of one dataset, partition and set of columns, to be harmonised as one batch, in order."""

    parts: list[Part] = field(default_factory=list)
    rows: int = 0

    @property
    def dataset(self) -> str:
        """The dataset of all parts."""
        return self.parts[0].batch.dataset

    def add(self, part: Part) -> None:
        """One more message."""
        self.parts.append(part)
        self.rows += len(part.batch)


def chunks(messages: Sequence[Received]) -> Iterator[list[Received]]:
    """The messages in order, in pieces of about ``CHUNK_BYTES``."""
    piece: list[Received] = []
    size = 0
    for message in messages:
        piece.append(message)
        size += len(message.message.value)
        if size >= CHUNK_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def read(received: Received, contract: type[T]) -> T | Reject:
    """The payload of a message, or the reject of one that breaks its contract."""
    value, envelope = received.message.value, received.message.envelope
    try:
        return decode(value, contract)
    except (msgspec.DecodeError, RecursionError, ValueError) as exc:
        detail = "nested too deeply" if isinstance(exc, RecursionError) else str(exc)[:500]
        return Reject(
            received.topic, envelope.dataset, envelope.subject, envelope.id, UNREADABLE, detail, 1, value
        )


def groups(parts: Sequence[Part], alone: frozenset[str]) -> list[Group]:
    """Put parts together; those of the datasets ``alone`` stay single, since their gate changes rows."""
    found: list[Group] = []
    open_groups: dict[tuple[str, int], tuple[tuple[str, ...], Group]] = {}
    for part in parts:
        batch = part.batch
        columns = tuple(name for name, _ in batch.columns())
        place = (batch.dataset, part.partition)
        kept = open_groups.get(place)
        fits = kept is not None and kept[0] == columns and kept[1].rows + len(batch) <= MERGED_ROWS
        if kept is None or not fits or batch.dataset in alone or batch.flags is not None:
            kept = (columns, Group())
            open_groups[place] = kept
            found.append(kept[1])
        kept[1].add(part)
    return found


def check_feature(feature: Feature) -> tuple[str, str] | None:
    """Why a feature cannot be taken, as reason and detail; ``None`` when it can."""
    if not feature.id or not storable(feature.id):
        return "bad_id", "an id has 1 to 200 characters and no control characters"
    if feature.kind not in FEATURE_KINDS:
        return "unknown_kind", f"{feature.id}: kind must be one of {', '.join(sorted(FEATURE_KINDS))}"
    begin, end = feature.valid_from, feature.valid_to
    if any(moment is not None and abs(moment) > _FAR for moment in (begin, end)) or (
        begin is not None and end is not None and begin >= end
    ):
        return "bad_validity", f"{feature.id}: valid_from must lie before valid_to"
    if feature.kind == "datastream":
        for name in ("thing", "observed_property", "unit"):
            stated = feature.properties.get(name)
            if not isinstance(stated, str) or not stated or not storable(stated):
                return "incomplete_datastream", f"{feature.id}: properties.{name} must be a text"
    if feature.geometry is not None:
        try:
            shape_of(feature.geometry)
        except ValueError as exc:
            return "bad_geometry", f"{feature.id}: {exc}"
    return None
