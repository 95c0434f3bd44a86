"""The description of the topics is AsyncAPI 3, and its examples are messages as the code reads them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from dmi_agreements.contracts.envelope import Envelope, decode
from dmi_agreements.crossings import CROSSINGS
from dmi_command.documents import ASYNCAPI, PAYLOADS
from tests.servers_plugin import ROOT, require

SCHEMAS = ROOT / "services" / "visualisation" / "web" / "node_modules" / "@asyncapi" / "specs" / "schemas"
DOCUMENT: dict[str, Any] = json.loads(ASYNCAPI.read_text(encoding="utf-8"))
TOPICS = [*(crossing.name for crossing in CROSSINGS if crossing.topic), "delivery"]
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


@pytest.fixture(scope="module")
def published() -> Draft7Validator:
    """AsyncAPI's own schema of version 3.0, from its npm package (Apache-2.0), which the web checks bring."""
    path: Path = SCHEMAS / f"{DOCUMENT['asyncapi']}.json"
    if not path.exists():
        require("asyncapi", "AsyncAPI's schema is missing: run npm ci in services/visualisation/web")
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


def test_the_document_is_valid_by_the_schema_that_asyncapi_publishes(published: Draft7Validator) -> None:
    found = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in published.iter_errors(DOCUMENT)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("operations", "ingest-send-raw", "action"), "publish"),
        (("channels", "raw", "subscribe"), {}),
        (("components", "messages", "law", "payload", "discriminator"), {"propertyName": "type"}),
        (("components", "messages", "raw", "examples"), [{"body": {}}]),
    ],
)
def test_what_is_no_asyncapi_3_would_be_found(
    published: Draft7Validator, path: tuple[str, ...], value: Any
) -> None:
    broken = copy.deepcopy(DOCUMENT)
    place = broken
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert not published.is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for item in value.values() for found in references(item)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    named = references(DOCUMENT)
    assert len(named) > 20
    for reference in named:
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def checker(schema: Any) -> Draft202012Validator:
    """A validator of one schema of the document, beside which its named schemas stand."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", TOPICS)
def test_the_examples_of_a_message_fit_its_payload_and_headers(name: str) -> None:
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        assert [e.message for e in checker(message["payload"]).iter_errors(example["payload"])] == []
        assert [e.message for e in checker(message["headers"]).iter_errors(example["headers"])] == []
        decode(json.dumps(example["payload"]).encode(), PAYLOADS[name])
        Envelope.from_headers({key: value.encode() for key, value in example["headers"].items()})


@pytest.mark.parametrize("name", TOPICS)
def test_an_example_without_what_must_be_there_does_not_fit(name: str) -> None:
    message = MESSAGES[name]
    for example in message["examples"]:
        needed = next(iter(example["payload"]))
        less = {key: value for key, value in example["payload"].items() if key != needed}
        assert not checker(message["payload"]).is_valid(less), f"{name} without {needed}"
        with pytest.raises(msgspec.ValidationError):
            decode(json.dumps(less).encode(), PAYLOADS[name])
