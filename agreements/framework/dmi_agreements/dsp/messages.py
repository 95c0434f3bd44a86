"""The messages of the Dataspace Protocol 2025-1: read from JSON with every finding, and written.

The published schemas are the rule; they leave a message open for further properties, so those are kept but not
looked at. A message is read in its compact form, which the schemas prescribe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.dsp import policies, states
from dmi_agreements.dsp.states import Kind, Side
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.jsonld import bounds, form

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
VERSION: Final = "2025-1"
EVENT: Final = "ContractNegotiationEventMessage"
LONGEST_PID: Final = 500
"""Characters of the id of a process; an index takes no more."""

ACKNOWLEDGEMENTS: Final[Mapping[Kind, str]] = {
    "negotiation": "ContractNegotiation",
    "transfer": "TransferProcess",
}
ERRORS: Final[Mapping[str, str]] = {
    "negotiation": "ContractNegotiationError",
    "transfer": "TransferError",
    "catalogue": "CatalogError",
}


class MessageRefused(PolicyRefused):
    """A message that is not of its form; names every place and rule."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is of its form. ``type`` names an event together with its kind of event."""

    type: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        """The sender's own id of the message, where it gave one."""
        found = self.body.get("@id")
        return found if isinstance(found, str) else None

    def pid(self, side: Side) -> str | None:
        """The id that a side gave the process, where the message names it."""
        found = self.body.get(f"{side}Pid")
        return found if isinstance(found, str) else None

    @property
    def digest(self) -> str:
        """Equal for a message that is sent again."""
        text = json.dumps(self.body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def reasons(self) -> list[str]:
        """Why the sender stops or suspends, as texts."""
        given = self.body.get("reason", [])
        return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in given]


Check = Callable[[Mapping[str, Any]], Iterable[Finding]]


def _named(*names: str) -> Check:
    def check(body: Mapping[str, Any]) -> Iterable[Finding]:
        for name in names:
            if not isinstance(body.get(name), str) or not body[name]:
                yield Finding(f"/{name}", "a text stands here", form(body.get(name)))

    return check


def _optional(*names: str) -> Check:
    def check(body: Mapping[str, Any]) -> Iterable[Finding]:
        for name in names:
            if name in body and not isinstance(body[name], str):
                yield Finding(f"/{name}", "a text stands here", form(body[name]))

    return check


def _either(first: str, second: str) -> Check:
    def check(body: Mapping[str, Any]) -> Iterable[Finding]:
        if (first in body) == (second in body):
            yield Finding("", f"exactly one of {first} (a new process) and {second} (one that exists)")

    return check


def _reason(body: Mapping[str, Any]) -> Iterable[Finding]:
    if "reason" in body and (not isinstance(body["reason"], list) or not body["reason"]):
        yield Finding("/reason", "a list of at least one reason", form(body["reason"]))


def _filter(body: Mapping[str, Any]) -> Iterable[Finding]:
    if "filter" in body and not isinstance(body["filter"], list):
        yield Finding("/filter", "a list", form(body["filter"]))


def _event(body: Mapping[str, Any]) -> Iterable[Finding]:
    if body.get("eventType") not in ("ACCEPTED", "FINALIZED"):
        yield Finding("/eventType", "ACCEPTED or FINALIZED", form(body.get("eventType")))


def _data_address(body: Mapping[str, Any]) -> Iterable[Finding]:
    if "dataAddress" not in body:
        return
    value, path = body["dataAddress"], "/dataAddress"
    if not isinstance(value, Mapping):
        yield Finding(path, "an object: a data address", form(value))
        return
    if value.get("@type") != "DataAddress":
        yield Finding(f"{path}/@type", "DataAddress", form(value.get("@type")))
    for name in ("endpointType", "endpoint"):
        if (name in value or name == "endpointType") and not isinstance(value.get(name), str):
            yield Finding(f"{path}/{name}", "a text stands here", form(value.get(name)))
    if "endpointProperties" not in value:
        return
    properties = value["endpointProperties"]
    if not isinstance(properties, list) or not properties:
        yield Finding(f"{path}/endpointProperties", "a list of at least one property", form(properties))
        return
    for index, item in enumerate(properties):
        texts = isinstance(item, Mapping) and all(isinstance(item.get(n), str) for n in ("name", "value"))
        if not texts or item.get("@type") != "EndpointProperty":
            yield Finding(f"{path}/endpointProperties/{index}", "an EndpointProperty with name and value")


_BOTH_PIDS: Final = _named("consumerPid", "providerPid")

_CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "CatalogRequestMessage": (_filter,),
    "DatasetRequestMessage": (_named("dataset"),),
    states.REQUEST: (
        _named("consumerPid"),
        _optional("providerPid", "callbackAddress"),
        _either("callbackAddress", "providerPid"),
        lambda body: policies.offer_in_message(body.get("offer")),
    ),
    states.OFFER: (
        _named("providerPid"),
        _optional("consumerPid", "callbackAddress"),
        _either("callbackAddress", "consumerPid"),
        lambda body: policies.offer_in_message(body.get("offer")),
    ),
    states.AGREEMENT: (_BOTH_PIDS, lambda body: policies.agreement(body.get("agreement"))),
    states.VERIFICATION: (_BOTH_PIDS,),
    EVENT: (_BOTH_PIDS, _event),
    states.NEGOTIATION_TERMINATION: (_BOTH_PIDS, _optional("code"), _reason),
    states.TRANSFER_REQUEST: (
        _named("consumerPid", "agreementId", "format", "callbackAddress"),
        _data_address,
    ),
    states.START: (_BOTH_PIDS, _data_address),
    states.SUSPENSION: (_BOTH_PIDS, _optional("code"), _reason),
    states.COMPLETION: (_BOTH_PIDS,),
    states.TRANSFER_TERMINATION: (_BOTH_PIDS, _optional("code"), _reason),
}


def read(body: object, *types: str) -> Message:
    """A message of one of these ``@type``s; raises ``MessageRefused`` with every finding."""
    beyond = bounds(body)
    if beyond is not None:
        raise MessageRefused((beyond,))
    if not isinstance(body, Mapping):
        raise MessageRefused((Finding("", "an object: a message", form(body)),))
    found = [*_context(body.get("@context")), *_keepable(body)]
    kind = body.get("@type")
    if not isinstance(kind, str) or kind not in types:
        found.append(Finding("/@type", " or ".join(types), form(kind)))
        raise MessageRefused(tuple(found))
    for check in _CHECKS[kind]:
        found.extend(check(body))
    if found:
        raise MessageRefused(tuple(found))
    return Message(f"{kind}:{body['eventType']}" if kind == EVENT else kind, body)


def _context(value: object) -> list[Finding]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return [Finding("/@context", "a list of addresses", form(value))]
    if CONTEXT not in value:
        return [Finding("/@context", f"must hold {CONTEXT}", form(value))]
    return []


def _keepable(body: Mapping[str, Any]) -> Iterable[Finding]:
    """What no store can keep: ids longer than an index takes, and integers of more than 64 bits."""
    for name in ("consumerPid", "providerPid"):
        given = body.get(name)
        if isinstance(given, str) and len(given) > LONGEST_PID:
            yield Finding(f"/{name}", f"at most {LONGEST_PID} characters", form(given))
    yield from large_numbers(body)


def large_numbers(value: object, path: str = "") -> Iterable[Finding]:
    """The integers in a JSON value that take more than 64 bits."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from large_numbers(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from large_numbers(item, f"{path}/{index}")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield Finding(path, "integers of at most 64 bits", form(value))


# -- written ----------------------------------------------------------------


def document(kind: str, **members: Any) -> dict[str, Any]:
    """A document of the protocol; members that are ``None`` are left out."""
    return {
        "@context": [CONTEXT],
        "@type": kind,
        **{name: value for name, value in members.items() if value is not None},
    }


def message(name: str, identifier: str, **members: Any) -> dict[str, Any]:
    """A message with an id of its own, by which the other side tells a repeat from a new one."""
    # Names of messages that are no event may hold colons of their own.
    kind, _, event = name.partition(":") if name.startswith(f"{EVENT}:") else (name, "", "")
    made = document(kind, eventType=event or None, **members)
    return {**made, "@id": identifier}


def acknowledgement(kind: Kind, provider_pid: str, consumer_pid: str, state: str) -> dict[str, Any]:
    """The answer that tells the state."""
    return document(ACKNOWLEDGEMENTS[kind], providerPid=provider_pid, consumerPid=consumer_pid, state=state)


def error(
    kind: str, code: str, reasons: Iterable[str], provider_pid: str = "", consumer_pid: str = ""
) -> dict[str, Any]:
    """The error document of a kind; the pids are empty where nothing is known of the process."""
    pids = {} if kind == "catalogue" else {"providerPid": provider_pid, "consumerPid": consumer_pid}
    return document(ERRORS[kind], **pids, code=code, reason=list(reasons))


def version(path: str) -> dict[str, Any]:
    """The version document of a place whose protocol lies at ``path`` under it."""
    return {
        "protocolVersions": [
            {
                "version": VERSION,
                "path": path,
                "binding": "HTTPS",
                "auth": {"protocol": "OAuth", "version": "2", "profile": ["client_credentials"]},
                "identifierType": "urn:dmi:participant",
            }
        ]
    }
