"""Entries of the log in the forms of two Dutch standards.

- Authorization Decision Log (NL GOV, draft): every decision, request and response as in AuthZEN.
- Logboek Dataverwerkingen (draft 0.8): every processing of personal data, one line a data subject.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.sealing import is_sealed
from dmi_exchange.logbook.entries import Entry

NO_DECISION: Final = frozenset({"law_missing", "law_stale"})
"""Codes of reasons by which nothing could be decided, so that it was refused."""
_TRACE: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)
_PERSON: Final = "urn:dmi:person:"


def authorization_decision(entry: Entry, node: str) -> dict[str, Any]:
    """One log record of the Authorization Decision Log; ``node`` is the address of this node."""
    record = entry.record()
    reasons = [_reason(text) for text in record.reasons]
    failed = not record.allowed and any(reason["code"] in NO_DECISION for reason in reasons)
    context: dict[str, Any] = {"time": _milliseconds(record.at), "crossing": record.crossing}
    if record.purpose:
        context["purpose"] = record.purpose
    if record.asked_by:
        # Both standards have no word for it: in AuthZEN the subject is whom the decision is about.
        context["asked_by"] = subject(record.asked_by)
    made: dict[str, Any] = {
        **_spans(record),
        "event_name": "adl.access_evaluation",
        "timestamp": _milliseconds(record.at),
        "status": "Error" if failed else "Unset",
        "attributes": {"adl.core.information": {"log": entry.sequence}},
        "resource": {"service.name": f"dmi-{record.service}", "dmi.node": node},
        "body": {
            "adl.core.request": {
                "subject": subject(record.assignee),
                "action": {"name": record.action},
                "resource": {"type": "dataset", "id": record.dataset},
                "context": context,
            },
            "adl.core.response": {"decision": record.allowed, "context": {"reasons": reasons}},
        },
    }
    if record.agreements:
        made["attributes"]["adl.core.policies"] = {"agreements": record.agreements}
    return made


def processing(entry: Entry, node: str, viewer: str) -> Iterator[dict[str, Any]]:
    """The log lines of the Logboek Dataverwerkingen: one for each data subject whose data was let through.

    A subject is told by its commitment in the log, which only its own opening resolves; to ``viewer`` itself by name.
    """
    record = entry.record()
    if not record.allowed:
        return
    sealed = {opening.value: opening.sealed for opening in entry.openings}
    for number, name in enumerate(record.subjects):
        known = name == viewer
        yield {
            **_spans(record, number),
            "status_code": "STATUS_CODE_UNSET",
            "name": f"{record.action} {record.crossing}",
            "start_time": _milliseconds(record.at),
            "end_time": _milliseconds(record.at),
            "resource": {
                "attributes": [_pair("service.name", f"dmi-{record.service}"), _pair("dmi.node", node)]
            },
            "attributes": [
                _pair("dpl.core.processing_activity_id", f"{node}/exchange/v1/datasets/{record.dataset}"),
                _pair("dpl.core.data_subject_id", name if known else sealed.get(name, name)),
                _pair("dpl.core.data_subject_id_type", "urn:dmi:person" if known else "urn:dmi:sealed"),
                _pair("dmi.recipient", "urn:dmi:erased" if is_sealed(record.assignee) else record.assignee),
                _pair("dmi.purpose", record.purpose),
                _pair("dmi.agreements", ", ".join(record.agreements)),
                _pair("dmi.log.sequence", str(entry.sequence)),
            ],
        }


def subject(identifier: str) -> dict[str, str]:
    """A participant or person as a subject of AuthZEN."""
    if is_sealed(identifier):
        return {"type": "erased", "id": identifier}
    return {"type": "person" if identifier.startswith(_PERSON) else "participant", "id": identifier}


def _spans(record: DecisionRecord, number: int | None = None) -> dict[str, str]:
    """The trace of the request, and a span of the decision's own below the request's."""
    own = record.id if number is None else f"{record.id} {number}"
    span = hashlib.sha256(own.encode()).hexdigest()[:16]
    found = _TRACE.fullmatch(record.trace)
    if found is None:
        # A decision that no request led to is the root of a trace of its own.
        return {"trace_id": hashlib.sha256(record.id.encode()).hexdigest()[:32], "span_id": span}
    return {"trace_id": found[1], "span_id": span, "parent_span_id": found[2]}


def _reason(text: str) -> dict[str, str]:
    code, _, detail = text.partition(": ")
    return {"code": code, "detail": detail}


def _milliseconds(at: int) -> int:
    return at // 1000


def _pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}
