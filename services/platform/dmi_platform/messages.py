"""The messages that the platform writes, and the rejects that it keeps of those it reads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.telemetry import current_trace
from dmi_platform.intake import Part
from dmi_platform.model import CONFLICT, UNKNOWN_DATASTREAM, Reject

DETAILS: Final = {
    UNKNOWN_DATASTREAM: "no feature tells of this datastream yet",
    "other_dataset": "the datastream belongs to another dataset",
    "other_property": "the datastream observes another property",
    "unknown_unit": "the unit cannot be converted to that of the observed property",
    "time_out_of_range": "a time must lie between 1900 and 2100",
    "impossible_position": "a position needs a longitude within 180 and a latitude within 90 degrees",
    "too_large": "a result must lie between -10^18 and 10^18",
    "bad_source_id": "a source id has at most 200 characters and no control characters",
    "bad_subject": "a subject has at most 200 characters and no control characters",
    CONFLICT: "another value is stored under the same datastream, time and source id",
}
"""What a reason means, for whoever has to correct the rows."""


def reject_rows(part: Part, reason: str, detail: str, rows: Sequence[int], about: str = "") -> Reject:
    """These rows of a message, by number, as a reject that can be processed again."""
    payload = encode(part.batch.take(rows))
    return Reject(
        part.topic, part.batch.dataset, part.batch.batch_id, part.message_id, reason, detail, len(rows),
        payload, about, tuple(rows),
    )  # fmt: skip


def rejected_message(reject: Reject) -> Message:
    """What the rejected topic hears of a reject."""
    envelope = envelope_of("nl.dmi.observations.rejected.v1", reject.dataset)
    envelope = msgspec.structs.replace(envelope, subject=reject.reason)
    return Message(reject.dataset, reject.payload, envelope)


def envelope_of(kind: str, dataset: str, subject: str = "") -> Envelope:
    """A new envelope of the platform, in the trace at hand; ``subject`` is what it is about beside the dataset."""
    return Envelope(
        id=str(uuid.uuid4()),
        source="urn:dmi:service:platform",
        type=kind,
        time=clock.to_text(clock.now()),
        subject=subject,
        dataset=dataset,
        traceparent=current_trace.get(),
    )


def sent_at(envelope: Envelope) -> Micros:
    """When a message was sent; 0 where its envelope does not say so in a way that can be read."""
    try:
        return clock.from_text(envelope.time)
    except ValueError:
        return 0
