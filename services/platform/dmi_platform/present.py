"""How the platform's objects look in JSON; times as RFC 3339 text in UTC."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.clock import to_text
from dmi_platform import quality
from dmi_platform.handlers import Listed
from dmi_platform.model import CONFLICT, Outcome, Reject


def body(items: list[dict[str, Any]], cursor: str | None) -> bytes:
    """A list as JSON bytes; encoded here, since a validating encoder would cost more than the query."""
    return msgspec.json.encode({"items": items, "next": cursor})


def datastream(listed: Listed) -> dict[str, Any]:
    """A datastream; its geometry is that of its thing. What its rows lose is told here no more than of them."""
    stream, emptied = listed.stream, listed.emptied
    return {
        "id": stream.id,
        "dataset": stream.dataset,
        "thing": stream.thing,
        "name": stream.name.removesuffix(f" {stream.observed_property}")
        if "observed_property" in emptied
        else stream.name,
        "observed_property": None if "observed_property" in emptied else stream.observed_property,
        "unit": None if "unit" in emptied else stream.unit,
        "geometry": stream.geometry if listed.placed else None,
        "properties": {name: value for name, value in stream.properties.items() if name not in emptied},
    }


def observations(batch: ObservationBatch, whole: bool) -> list[dict[str, Any]]:
    """The rows of a batch; ``whole`` adds the raw value and every flag to what a last value tells."""
    empty: list[Any] = [None] * len(batch)
    flags = batch.flags or {}
    overall = quality.overall(flags) if flags else empty
    unit, raw = batch.unit or empty, batch.raw_result or empty
    longitude, latitude = batch.longitude or empty, batch.latitude or empty
    neighbourhood = batch.neighbourhood or empty
    items = []
    for row, name in enumerate(batch.datastream):
        item: dict[str, Any] = {
            "datastream": name,
            "phenomenon_time": to_text(batch.phenomenon_time[row]),
            "result": batch.result[row],
            "unit": unit[row],
            "flag": overall[row],
            "longitude": longitude[row],
            "latitude": latitude[row],
            "neighbourhood": neighbourhood[row],
        }
        if whole:
            item["raw_result"] = raw[row]
            item["flags"] = {test: column[row] for test, column in flags.items()}
        items.append(item)
    return items


def outcome(item: Outcome) -> dict[str, Any]:
    """Counts with ``read = accepted + duplicate + rejected``; conflicts are one of the reasons."""
    reasons = dict(item.rejected)
    if item.conflict:
        reasons[CONFLICT] = item.conflict
    return {
        "read": item.read,
        "accepted": item.accepted,
        "duplicate": item.duplicate,
        "rejected": sum(reasons.values()),
        "reasons": [{"reason": reason, "count": count} for reason, count in sorted(reasons.items())],
    }


def reject(item: Reject) -> dict[str, Any]:
    """A reject without its payload."""
    return {
        "id": item.id,
        "topic": item.topic,
        "dataset": item.dataset,
        "batch": item.batch_id,
        "reason": item.reason,
        "detail": item.detail,
        "about": item.about or None,
        "rows": item.rows,
        "row_numbers": list(item.row_numbers),
        "at": to_text(item.at),
        "replayed_at": None if item.replayed_at is None else to_text(item.replayed_at),
    }


def payload(item: Reject, personal: bool) -> Any:
    """The rows of a reject: the message where it is JSON, else its bytes in base64; never of persons."""
    if personal:
        return None
    try:
        return msgspec.json.decode(item.payload)
    except (msgspec.DecodeError, RecursionError):
        return {"base64": base64.b64encode(item.payload).decode()}


def feature(item: Feature, placed: bool) -> dict[str, Any]:
    """A feature as GeoJSON."""
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": item.geometry if placed else None,
        "properties": {
            **item.properties,
            "kind": item.kind,
            "name": item.name,
            "valid_from": None if item.valid_from is None else _moment(item.valid_from),
            "valid_to": None if item.valid_to is None else _moment(item.valid_to),
        },
    }


def _moment(at: int) -> str | None:
    """A moment of validity as text; one that no calendar has means without end."""
    try:
        return to_text(at)
    except OverflowError:
        return None
