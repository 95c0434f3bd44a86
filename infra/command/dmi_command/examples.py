"""One small example of every kind of message, as AsyncAPI shows them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dmi_agreements.contracts.delivery import Delivered
from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import (
    AgreementState,
    Correction,
    Dataset,
    Heartbeat,
    Mandate,
    Participant,
    RulebookVersion,
    SubjectRequest,
    Usage,
)
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Indicator, Lineage, Measure

_NOON: Final = 1_798_718_400_000_000
_TIME: Final = "2026-12-31T12:00:00Z"
_OWNER: Final = "urn:dmi:participant:gemeente"
_STACK: Final = "urn:dmi:participant:stack"
_DATASET: Final = "urn:dmi:dataset:gemeente:garages"
_STREAM: Final = "gemeente:garages.centrum.occupancy"
_AGREEMENT: Final = "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7"
_FORECAST: Final = "forecast:gemeente:garages.centrum"
_GROUNDS: Final = Grounds([_DATASET], [_AGREEMENT])

_RAW: Final = ObservationBatch(
    _DATASET, [_STREAM, _STREAM], [_NOON, _NOON + 60_000_000], [212.0, None], batch_id="b-1"
)
_HARMONISED: Final = msgspec.structs.replace(
    _RAW,
    observed_property=["occupancy", "occupancy"],
    unit=["{vehicle}", "{vehicle}"],
    longitude=[5.11, 5.11],
    latitude=[52.09, 52.09],
    raw_result=[212.0, None],
    flags={"range": [1, 9]},
    neighbourhood=["BU03440131", "BU03440131"],
)
_DOCUMENT: Final[dict[str, Any]] = {
    "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
    "@type": "Agreement",
    "uid": _AGREEMENT,
    "profile": "urn:dmi:profile:1",
    "dmi:rulebook": "1.0.0",
    "dmi:legalBasis": "dmi:basis:public-task",
    "assigner": _OWNER,
    "assignee": _STACK,
    "permission": [
        {
            "target": _DATASET,
            "action": ["dmi:process", "dmi:read"],
            "constraint": [{"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:any"}],
        }
    ],
}
_MEASURE: Final = Measure(
    "urn:uuid:1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    "garage-full",
    "published",
    "gemeente:garages.centrum",
    {"nl": "Parkeer bij P+R Noord", "en": "Park at P+R Noord"},
    {"nl": "Garage Centrum is straks vol.", "en": "Garage Centrum will be full soon."},
    _NOON,
    _NOON,
    _NOON + 3_600_000_000,
    decided_by=_OWNER,
    decided_at=_NOON,
    grounds=Grounds([_DATASET], [_AGREEMENT], results=[_FORECAST]),
)

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "raw": {"batch": _RAW},
    "harmonised": {"batch": _HARMONISED},
    "features": {
        "garage": FeatureBatch(
            _DATASET,
            [
                Feature(
                    "gemeente:garages.centrum",
                    "parking",
                    "Garage Centrum",
                    {"type": "Point", "coordinates": [5.11, 52.09]},
                    {"capacity": 480},
                )
            ],
            "f-1",
        ),
        "erased": FeatureBatch(
            _DATASET,
            [Feature("gemeente:garages.oprit", "thing", "erased", valid_to=_NOON, replaces_all=True)],
            "f-2",
        ),
    },
    "indicators": {
        "forecast": Indicator(
            _FORECAST, "forecast", "gemeente:garages.centrum", _NOON, _NOON + 1_800_000_000, "{vehicle}",
            380.0, 410.0, 440.0, grounds=_GROUNDS,
        )
    },
    "measures": {"advice": _MEASURE},
    "law": {
        "participant": Participant(_OWNER, "Gemeente Waterstad", ["dmi:role:municipality"], rulebook="1.0.0"),
        "dataset": Dataset(_DATASET, _OWNER, {"nl": "Parkeergarages", "en": "Parking garages"}, layer="points"),
        "agreement": AgreementState(
            _AGREEMENT, _DOCUMENT, "ended", {_OWNER: "eyJhbGciOiJFUzI1NiJ9..c2lnbmF0dXJl"}, _NOON,
            _NOON + 60_000_000, _OWNER, "no longer needed",
        ),
        "rulebook": RulebookVersion(
            "urn:dmi:rulebook:1.1.0", "1.1.0", "1.0.0", "proposed",
            {"roles.json": [{"id": "dmi:role:provider", "kind": "organisation", "may": ["offer"]}]},
            "a role may do more", "urn:dmi:participant:beheerraad", _NOON,
        ),
        "mandate": Mandate(
            "urn:uuid:7d3c9a52-2f0e-4a0f-9a57-0f3f1f3e6a11",
            {
                "uid": "urn:uuid:7d3c9a52-2f0e-4a0f-9a57-0f3f1f3e6a11", "type": "dmi:Mandate", "mandator": _OWNER,
                "mandatary": "urn:dmi:participant:sensorbedrijf", "actions": ["dmi:read"], "datasets": [_DATASET],
                "purposes": ["dmi:purpose:mobility"], "from": "2026-11-21T00:00:00Z",
                "until": "2027-05-21T00:00:00Z", "onward": 0, "dmi:rulebook": "1.0.0",
            },
            "eyJhbGciOiJFUzI1NiJ9..c2lnbmF0dXJl", "active", _NOON,
        ),
        "subject-request": SubjectRequest(
            "urn:uuid:0b2a4c1e-5a2f-4b52-8a4b-6a1d5f1f7a10", "urn:dmi:person:noor", "rectification",
            "urn:dmi:dataset:gemeente:bicycles", _NOON,
            corrections=[Correction("gemeente:bicycles.noor.noise", _NOON - 60_000_000, 58.5)],
        ),
        "usage": Usage(
            f"urn:dmi:usage:{_AGREEMENT}/permission/0:{_STACK}", _AGREEMENT, "/permission/0", _STACK, {"platform": 3},
            _NOON, _NOON,
        ),
        "heartbeat": Heartbeat("urn:dmi:heartbeat", _NOON),
    },
    "record": {
        "decision": RecordBatch(
            "platform",
            [
                DecisionRecord(
                    "6fa459ea-ee8a-4ca4-894e-db77e160355e", _NOON, "platform", "query", _STACK, "dmi:read",
                    _DATASET, "dmi:purpose:mobility", True, ["permitted: the agreement allows it"], [_AGREEMENT],
                    rows=2,
                )
            ],
            [Lineage(_FORECAST, "forecast", "Garage Centrum", _NOON, _GROUNDS, ["occupancy"], "support-centre 0.1")],
        )
    },
    "delivery": {
        "piece": Delivered(
            [], {"dataset": _DATASET, "datastream": [_STREAM], "phenomenon_time": [_NOON], "result": [212.0]}, "0:7",
        )
    },
}  # fmt: skip
"""Payloads by crossing and by what they show."""

_SOURCES: Final = {
    "raw": "ingest",
    "harmonised": "platform",
    "features": "ingest",
    "law": "exchange",
    "delivery": "exchange",
}


def examples(crossing: str) -> list[dict[str, Any]]:
    """The examples of one crossing, with headers and payload."""
    return [
        {"name": name, "headers": _headers(crossing, name), "payload": msgspec.to_builtins(payload)}
        for name, payload in EXAMPLES[crossing].items()
    ]


def _headers(crossing: str, name: str) -> dict[str, str]:
    observed = crossing in ("raw", "harmonised", "delivery")
    envelope = Envelope(
        id=f"{crossing}-{name}",
        source=f"urn:dmi:service:{_SOURCES.get(crossing, 'support-centre')}",
        type=f"nl.dmi.{crossing}.{name}.v1",
        time=_TIME,
        dataset=_DATASET if observed or crossing == "features" else "",
        agreement=_AGREEMENT if observed else "",
        purpose="dmi:purpose:mobility" if observed else "",
        contributor=_OWNER if crossing == "raw" else "",
    )
    return {key: value.decode() for key, value in envelope.headers() if key != "content-type"}
