"""Our reading of messages against the published schemas and examples: never laxer, and every example is taken."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmi_agreements.dsp import messages
from dmi_agreements.dsp.messages import MessageRefused
from tests.conformance.dsp.published import VERSIONS, Schemas

MESSAGES = sorted(
    {
        "CatalogRequestMessage", "DatasetRequestMessage", "ContractRequestMessage", "ContractOfferMessage",
        "ContractAgreementMessage", "ContractAgreementVerificationMessage", "ContractNegotiationEventMessage",
        "ContractNegotiationTerminationMessage", "TransferRequestMessage", "TransferStartMessage",
        "TransferSuspensionMessage", "TransferCompletionMessage", "TransferTerminationMessage",
    }
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}), st.just([""]),
    st.just([{}]), st.sampled_from(["Offer", "Agreement", "eq", "use", "FINALIZED"]),
)  # fmt: skip


def _examples(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("example/*.json"))]
    return [example for example in found if example.get("@type") in MESSAGES]


def _accepted(document: Any) -> bool:
    try:
        messages.read(document, *MESSAGES)
    except MessageRefused:
        return False
    return True


def test_every_published_example_is_taken(published: Path, schemas: Schemas) -> None:
    examples = _examples(published)
    assert {example["@type"] for example in examples} == set(MESSAGES)
    for example in examples:
        schemas.check(example)
        assert _accepted(example), example


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in items] + [
        p for key, item in items for p in _places(item, (*path, key))
    ]


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_taken_is_valid_under_the_schemas(
    published: Path, schemas: Schemas, data: st.DataObject
) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(_examples(published))))
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(document)
        if not places:
            break
        *above, last = data.draw(st.sampled_from(places))
        holder: Any = document
        for key in above:
            holder = holder[key]
        if data.draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(data.draw(VALUES))
    if _accepted(document):
        schemas.check(document)


@pytest.mark.parametrize("kind", sorted(messages.ERRORS))
def test_errors_are_valid_whatever_is_known(schemas: Schemas, kind: str) -> None:
    schemas.check(messages.error(kind, "1", ["a reason"]))
    schemas.check(messages.error(kind, "1", ["a reason"], "urn:p", "urn:c"))


@pytest.mark.parametrize("path", ["", "/exchange/dsp"])
def test_the_version_document_is_valid(schemas: Schemas, path: str) -> None:
    schemas.of(VERSIONS).validate(messages.version(path))


def test_three_schemas_are_mended_when_loaded(schemas: Schemas) -> None:
    for kind in ("TransferError", "TransferSuspensionMessage", "TransferTerminationMessage"):
        assert not schemas.accepts({"@type": kind}, kind)
