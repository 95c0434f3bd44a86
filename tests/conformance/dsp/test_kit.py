"""The scenarios of the official test kit, by its numbers, written from the standard and played over HTTP.

How to read them: ``talk``. The kit itself leaves TP:02-04 and TP_C:02-04 out; they are played all the same.
"""

from __future__ import annotations

import httpx
import pytest

from tests.conformance.dsp.counterpart import CONTEXT, Counterpart
from tests.conformance.dsp.published import VERSIONS, Schemas
from tests.conformance.dsp.talk import Talk

CN = {
    "CN:01-01": "> request, < offer, > termination, = TERMINATED",
    "CN:01-02": "> request, < offer, > request, < termination, = TERMINATED",
    "CN:01-03": "> request, < offer, > accepted, < agreement, > verification, < finalized, = FINALIZED",
    "CN:01-04": "> request, < agreement, > verification, < finalized, = FINALIZED",
    "CN:02-01": "> request, < termination, = TERMINATED",
    "CN:02-02": "> request, > termination, = TERMINATED",
    "CN:02-03": "> request, < agreement, > termination, = TERMINATED",
    "CN:02-04": "> request, < offer, > termination, = TERMINATED",
    "CN:02-05": "> request, < offer, < termination, = TERMINATED",
    "CN:02-06": "> request, < offer, > accepted, < termination, = TERMINATED",
    "CN:02-07": "> request, < agreement, > verification, < termination, = TERMINATED",
    "CN:03-01": "> request, < agreement, > verification, < finalized, = FINALIZED, x termination, = FINALIZED",
    "CN:03-02": "> request, < offer, x verification, = OFFERED",
    "CN:03-03": "> request, < offer, > accepted, x verification, = ACCEPTED",
    "CN:03-04": "> request, < offer, > request, x request, = REQUESTED",
}
CN_C = {
    "CN_C:01-01": "! go, < request, > offer, < accepted, > agreement, < verification, > finalized, = FINALIZED",
    "CN_C:01-02": "! go, < request, > offer, < request, > termination, = TERMINATED",
    "CN_C:01-03": "! go, < request, > offer, < termination, = TERMINATED",
    "CN_C:01-04": "! go, < request, > agreement, < verification, > finalized, = FINALIZED",
    "CN_C:02-01": "! go, < request, > termination, = TERMINATED",
    "CN_C:02-02": "! go, < request, < termination, = TERMINATED",
    "CN_C:02-03": "! go, < request, > agreement, < termination, = TERMINATED",
    "CN_C:02-04": "! go, < request, > offer, = OFFERED, > termination, = TERMINATED",
    "CN_C:02-05": "! go, < request, > offer, < accepted, > termination, = TERMINATED",
    "CN_C:02-06": "! go, < request, > agreement, < verification, > termination, = TERMINATED",
    "CN_C:03-01": "! go, < request, x finalized, = REQUESTED",
    "CN_C:03-02": "! go, < request, > offer, = OFFERED, x agreement, = OFFERED",
    "CN_C:03-03": "! go, < request, > offer, = OFFERED, x finalized, = OFFERED",
    "CN_C:03-04": "! go, < request, > offer, < accepted, x finalized, = ACCEPTED",
    "CN_C:03-05": "! go, < request, > offer, < accepted, x offer, = ACCEPTED",
    "CN_C:03-06": "! go, < request, > offer, < accepted, > agreement, = AGREED, x finalized, = AGREED",
}
TP = {
    "TP:01-01": "> request, < start, < termination, = TERMINATED",
    "TP:01-02": "> request, < start, < completion, = COMPLETED",
    "TP:01-03": "> request, < start, < suspension, < termination, = TERMINATED",
    "TP:01-04": "> request, < start, < suspension, < start, < completion, = COMPLETED",
    "TP:01-05": "> request, < termination, = TERMINATED",
    "TP:02-01": "> request, < start, = STARTED, > termination, = TERMINATED",
    "TP:02-02": "> request, < start, = STARTED, > completion, = COMPLETED",
    "TP:02-03": "> request, < start, = STARTED, > suspension, = SUSPENDED, > termination, = TERMINATED",
    "TP:02-04": "> request, < start, > suspension, = SUSPENDED, > start, = STARTED, > completion, = COMPLETED",
    "TP:02-05": "> request, = REQUESTED, > termination, = TERMINATED",
    "TP:03-01": "> request, = REQUESTED, x completion, = REQUESTED",
    "TP:03-02": "> request, = REQUESTED, x suspension, = REQUESTED",
    "TP:03-03": "> request, < start, > suspension, = SUSPENDED, x completion, = SUSPENDED",
    "TP:03-04": "> request, < start, > termination, = TERMINATED, x start, = TERMINATED",
    "TP:03-05": "> request, < start, > termination, = TERMINATED, x suspension, = TERMINATED",
    "TP:03-06": "> request, < start, > termination, = TERMINATED, x completion, = TERMINATED",
}
TP_C = {
    "TP_C:01-01": "! go, < request, > start, = STARTED, > termination, = TERMINATED",
    "TP_C:01-02": "! go, < request, > start, = STARTED, > completion, = COMPLETED",
    "TP_C:01-03": "! go, < request, > start, > suspension, = SUSPENDED, > termination, = TERMINATED",
    "TP_C:01-04": "! go, < request, > start, > suspension, = SUSPENDED, > start, = STARTED, > completion, = COMPLETED",
    "TP_C:01-05": "! go, < request, > termination, = TERMINATED",
    "TP_C:02-01": "! go, < request, > start, < termination, = TERMINATED",
    "TP_C:02-02": "! go, < request, > start, < completion, = COMPLETED",
    "TP_C:02-03": "! go, < request, > start, < suspension, < termination, = TERMINATED",
    "TP_C:02-04": "! go, < request, > start, < suspension, < start, < completion, = COMPLETED",
    "TP_C:02-05": "! go, < request, < termination, = TERMINATED",
    "TP_C:03-01": "! go, < request, = REQUESTED, x completion, = REQUESTED",
    "TP_C:03-02": "! go, < request, = REQUESTED, x suspension, = REQUESTED",
    "TP_C:03-03": "! go, < request, > start, > suspension, = SUSPENDED, x completion, = SUSPENDED",
    "TP_C:03-04": "! go, < request, > start, > termination, = TERMINATED, x start, = TERMINATED",
    "TP_C:03-05": "! go, < request, > start, > termination, = TERMINATED, x suspension, = TERMINATED",
    "TP_C:03-06": "! go, < request, > start, > termination, = TERMINATED, x completion, = TERMINATED",
}


def _number(case: str) -> str:
    return case.rpartition(":")[2].replace("-", "")


def test_the_version_document_is_where_clients_look__met_01_01(node: str, schemas: Schemas) -> None:
    for root in (node, f"{node}/exchange", f"{node}/exchange/dsp"):
        found = httpx.get(f"{root}/.well-known/dspace-version").json()
        schemas.of(VERSIONS).validate(found)
        (entry,) = [one for one in found["protocolVersions"] if one["version"] == "2025-1"]
        assert f"{root}{entry['path']}" == f"{node}/exchange/dsp"
        assert entry["binding"] == "HTTPS"


def test_the_catalogue_holds_the_dataset__cat_01_01(node: str, other: Counterpart) -> None:
    message = {"@context": [CONTEXT], "@type": "CatalogRequestMessage", "filter": []}
    answer = other.say(f"{node}/exchange/dsp/catalog/request", message)
    assert answer.status_code == 200
    assert "CAT0101" in [dataset["@id"] for dataset in answer.json()["dataset"]]


def test_one_dataset_is_given__cat_01_02(node: str, schemas: Schemas) -> None:
    answer = httpx.get(f"{node}/exchange/dsp/catalog/datasets/CAT0102")
    assert answer.status_code == 200
    assert schemas.check(answer.json())["@id"] == "CAT0102"


def test_a_dataset_that_is_not_there_is_an_error_of_the_catalogue__cat_01_03(
    node: str, schemas: Schemas
) -> None:
    answer = httpx.get(f"{node}/exchange/dsp/catalog/datasets/CAT0103")
    assert answer.status_code == 404
    assert schemas.check(answer.json())["@type"] == "CatalogError"


@pytest.mark.parametrize("case", CN)
def test_negotiation_as_provider(node: str, other: Counterpart, case: str) -> None:
    dataset = f"ACN{_number(case)}"
    Talk(other, node, "negotiation", "consumer", dataset, f"CD123:{dataset}:456").play(CN[case])


@pytest.mark.parametrize("case", CN_C)
def test_negotiation_as_consumer(node: str, other: Counterpart, case: str) -> None:
    dataset = f"ACNC{_number(case)}"
    Talk(other, node, "negotiation", "provider", dataset, f"offer{dataset}").play(CN_C[case])


@pytest.mark.parametrize("case", TP)
def test_transfer_as_provider(node: str, other: Counterpart, case: str) -> None:
    Talk(other, node, "transfer", "consumer", f"ATP{_number(case)}").play(TP[case])


@pytest.mark.parametrize("case", TP_C)
def test_transfer_as_consumer(node: str, other: Counterpart, case: str) -> None:
    Talk(other, node, "transfer", "provider", f"ATPC{_number(case)}").play(TP_C[case])
