"""The published schemas of the protocol, read from the folder of conformance material."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT201909

BASE = "https://w3id.org/dspace/2025/1/"
FILES = {
    "CatalogRequestMessage": "catalog/catalog-request-message",
    "DatasetRequestMessage": "catalog/dataset-request-message",
    "Catalog": "catalog/catalog",
    "Dataset": "catalog/dataset",
    "CatalogError": "catalog/catalog-error",
    "ContractRequestMessage": "negotiation/contract-request-message",
    "ContractOfferMessage": "negotiation/contract-offer-message",
    "ContractAgreementMessage": "negotiation/contract-agreement-message",
    "ContractAgreementVerificationMessage": "negotiation/contract-agreement-verification-message",
    "ContractNegotiationEventMessage": "negotiation/contract-negotiation-event-message",
    "ContractNegotiationTerminationMessage": "negotiation/contract-negotiation-termination-message",
    "ContractNegotiation": "negotiation/contract-negotiation",
    "ContractNegotiationError": "negotiation/contract-negotiation-error",
    "TransferRequestMessage": "transfer/transfer-request-message",
    "TransferStartMessage": "transfer/transfer-start-message",
    "TransferSuspensionMessage": "transfer/transfer-suspension-message",
    "TransferCompletionMessage": "transfer/transfer-completion-message",
    "TransferTerminationMessage": "transfer/transfer-termination-message",
    "TransferProcess": "transfer/transfer-process",
    "TransferError": "transfer/transfer-error",
}
VERSIONS = "common/protocol-version"


def _mended(text: str) -> dict[str, Any]:
    # Three of the transfer schemas write the reference without the slash, which then leads nowhere.
    found: dict[str, Any] = json.loads(text.replace("#definitions/", "#/definitions/"))
    return found


class Schemas:
    """Judges documents by their ``@type``."""

    def __init__(self, folder: Path) -> None:
        files = folder.rglob("*-schema.json")
        documents = [_mended(file.read_text(encoding="utf-8")) for file in files]
        resources = [(d["$id"], Resource(d, DRAFT201909)) for d in documents]
        self._registry: Registry[Any] = Registry().with_resources(resources)

    def of(self, file: str) -> Draft201909Validator:
        """The validator of one schema file."""
        return Draft201909Validator({"$ref": f"{BASE}{file}-schema.json"}, registry=self._registry)

    def accepts(self, document: Any, kind: str) -> bool:
        """Whether a document is valid under the schema of a type."""
        return self.of(FILES[kind]).is_valid(document)

    def check(self, document: Any) -> Any:
        """The document, when it is valid under the schema of its own type; else the test fails."""
        assert isinstance(document, dict), document
        faults = [error.message for error in self.of(FILES[document["@type"]]).iter_errors(document)]
        assert faults == [], document
        return document
