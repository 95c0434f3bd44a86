"""Pure rules of ingest: ids, keys of messages, units and names of observed properties."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.errors import FieldError

SHARDS: Final = 8
"""Keys over which the datastreams of one dataset are spread; the order within one datastream holds."""
FEATURE_KINDS: Final = (
    "neighbourhood", "thing", "datastream", "parking", "stop", "line", "building", "area", "address",
)  # fmt: skip
BORROWED_RULE: Final = (
    "must not begin with the name of another participant and a colon, nor be or begin with its URN"
)
MADE_BY_ANOTHER: Final = (
    "was made by another participant: that one and the owner of the dataset alone change it"
)
NAMED: Final = re.compile(r"urn:dmi:(participant|person|dataset):([^:]+)", re.ASCII)
"""Whose name a URN of this stack is in."""
PARTICIPANT: Final = "urn:dmi:participant:"
ID_RULE: Final = "must be 1 to 200 letters, digits or one of . _ : ~ @ -"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~@-]{0,199}", re.ASCII)
_SUBJECT = re.compile(r"urn:dmi:person:[a-z0-9][a-z0-9-]{0,60}", re.ASCII)
_UCUM: Final = {
    "°C": "Cel", "degC": "Cel", "C": "Cel", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m³": "ug/m3",
    "µg/m3": "ug/m3", "μg/m3": "ug/m3", "": "1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that is not taken: its index in the request, from 0, and the rule that it breaks."""

    index: int
    error: FieldError

    def as_document(self) -> dict[str, object]:
        """The fault as it is reported."""
        return {
            "index": self.index, "field": self.error.field, "rule": self.error.rule, "value": self.error.value
        }  # fmt: skip


def valid_id(identifier: str) -> bool:
    """Whether a client may choose this id: it must stand in an address without being encoded."""
    return _ID.fullmatch(identifier) is not None


def valid_subject(subject: str) -> bool:
    """Whether this names a person."""
    return _SUBJECT.fullmatch(subject) is not None


def slug(text: str, joint: str = "-") -> str:
    """A name as it stands in ids: lower case ASCII letters and digits; ``""`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, plain).strip(joint)[:60].strip(joint)


def dataset_slug(dataset: str) -> str:
    """The last part of ``urn:dmi:dataset:<owner>:<slug>``."""
    return dataset.rsplit(":", 1)[-1]


def full_name(dataset: str) -> str:
    """``<owner>:<slug>`` of ``urn:dmi:dataset:<owner>:<slug>``: no other dataset has it."""
    return dataset.removeprefix("urn:dmi:dataset:")


def owner_of(dataset: str) -> str:
    """The participant whose dataset this is, by its name."""
    return PARTICIPANT + full_name(dataset).partition(":")[0]


def borrowed(identifier: str, owner: str, participants: Container[str]) -> bool:
    """Whether an id is in the name of another than ``owner``: with that name and a colon before it, or a URN of it.

    Upper case makes no other name: who reads an id would not see the difference. A URN is another's also while
    nobody is known by it.
    """
    given = identifier.lower()
    urn = NAMED.match(given)
    if urn is not None:
        kind, named = urn.groups()
        return f"urn:dmi:{kind if kind == 'person' else 'participant'}:{named}" != owner
    name, colon, _ = given.partition(":")
    participant = PARTICIPANT + name
    return bool(colon) and participant != owner and participant in participants


def property_slug(name: str, definition: str, known: Iterable[str]) -> str:
    """The observed property as the stack names it: by its definition when that ends in a known name."""
    last = slug(re.split(r"[/#]", definition.rstrip("/#"))[-1], "_")
    return last if last in set(known) else slug(name, "_") or last or "property"


def unit_of(measurement: Mapping[str, object]) -> str:
    """The UCUM code of a ``unitOfMeasurement``: its definition when that is ``ucum:…``, else its symbol."""
    definition = str(measurement.get("definition") or "")
    if definition.startswith("ucum:"):
        return definition.removeprefix("ucum:")
    symbol = str(measurement.get("symbol") or "")
    return _UCUM.get(symbol, symbol)


def shard(datastream: str) -> int:
    """The shard of a datastream; the same in every process."""
    return crc32(datastream.encode()) % SHARDS


def split(batch: ObservationBatch) -> list[tuple[str, ObservationBatch]]:
    """The batch by message key, so that all rows of one datastream share a key and keep their order."""
    streams = set(batch.datastream)
    shards = {stream: shard(stream) for stream in streams}
    wanted = sorted(set(shards.values()))
    if len(wanted) == 1:
        return [(f"{batch.dataset}/{wanted[0]}", batch)]
    rows: dict[int, list[int]] = {number: [] for number in wanted}
    for row, stream in enumerate(batch.datastream):
        rows[shards[stream]].append(row)
    return [(f"{batch.dataset}/{number}", batch.take(rows[number])) for number in wanted]
