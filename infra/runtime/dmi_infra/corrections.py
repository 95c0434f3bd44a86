"""Corrections among what a layer reads: whole quarters of an hour, in the place of what is kept of these."""

from __future__ import annotations

from collections.abc import Sequence

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.observations import CORRECTED, QUARTER, Micros, ObservationBatch
from dmi_infra.bus.port import Partition, Received

Part = tuple[str, str, Micros]
"""A quarter of an hour of one datastream and subject (empty: nobody): both, and when it begins."""


def parts_of(batch: ObservationBatch) -> list[Part]:
    """The quarter of an hour that each row of a batch lies in, with a value or without."""
    return [(stream, subject, time // QUARTER * QUARTER) for stream, subject, time in _rows_of(batch)]


def standing(messages: Sequence[Received]) -> list[tuple[Received, ObservationBatch]]:
    """The batches of these messages, in order, without the rows that a correction among them is in the place of.

    These are the rows of its quarters that stand before it in its partition. And those that it holds itself, wherever
    they stand: partitions have no common order, and a row that counts beside its correction counts twice.
    """
    batches = [(one, decode(one.message.value, ObservationBatch)) for one in messages]
    held: set[Part] = set()
    last: dict[tuple[Partition, Part], int] = {}
    for number, (received, batch) in enumerate(batches):
        if received.message.envelope.type == CORRECTED:
            held.update(_rows_of(batch))
            last.update(dict.fromkeys(((_at(received), part) for part in parts_of(batch)), number))
    if not last:
        return batches
    found = []
    for number, (received, batch) in enumerate(batches):
        ordinary = received.message.envelope.type != CORRECTED
        kept = [
            row
            for row, (part, key) in enumerate(zip(parts_of(batch), _rows_of(batch), strict=True))
            if last.get((_at(received), part), -1) <= number and not (ordinary and key in held)
        ]
        found.append((received, batch.take(kept)))
    return found


def _rows_of(batch: ObservationBatch) -> list[tuple[str, str, Micros]]:
    """Of each row its datastream, subject and time."""
    subjects = batch.subject or [None] * len(batch)
    rows = zip(batch.datastream, subjects, batch.phenomenon_time, strict=True)
    return [(stream, subject or "", time) for stream, subject, time in rows]


def _at(received: Received) -> Partition:
    return received.topic, received.partition
