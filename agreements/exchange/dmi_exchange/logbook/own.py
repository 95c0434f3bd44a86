"""What the exchange itself tells the log: written with the change that it is about, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.crossings import BY_NAME
from dmi_exchange.mydata.uses import REQUEST
from dmi_exchange.tables import outgoing
from dmi_infra import clock, outbox
from dmi_infra.bus.port import Message

SERVICE: Final = "exchange"
TOPIC: Final = BY_NAME["record"].topic or ""


def done_for(person: str, by: str, action: str, what: str) -> DecisionRecord:
    """That ``by`` did something for a person other than with its data; the person reads it."""
    return DecisionRecord(
        str(uuid.uuid4()), clock.now(), SERVICE, "store", by, action, "", "", True,
        [f"{REQUEST}{what}"], subjects=[person],
    )  # fmt: skip


def tell(connection: sa.Connection, records: Sequence[DecisionRecord]) -> None:
    """Have the log told of records; through the topic like every entry, since the log has one writer."""
    if records:
        envelope = Envelope(
            id=str(uuid.uuid4()),
            source=f"urn:dmi:service:{SERVICE}",
            type="nl.dmi.decisions.recorded.v1",
            time=clock.to_text(clock.now()),
        )
        batch = RecordBatch(SERVICE, list(records))
        outbox.add(connection, outgoing, TOPIC, [Message(SERVICE, encode(batch), envelope)])
