"""The catalogue of datasets: JSON for the interface, DCAT (JSON-LD) for harvesters."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import Dataset
from dmi_exchange import present
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import SIGNATORY_ROLES
from dmi_infra.http.access import Caller, ServiceRuntime, roles
from dmi_infra.http.wording import pattern
from dmi_infra.identity import Identity

Language = Annotated[
    str, Field(pattern=pattern("^[a-z]{2,3}$", "must be a code of a language: two or three small letters"))
]
Text = Annotated[dict[Language, Annotated[str, Field(max_length=2000)]], Field(max_length=10)]


class NewDataset(BaseModel):
    """A dataset as its owner enters it; texts by language."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(
        pattern=pattern(
            r"^urn:dmi:dataset:[a-z0-9-]{1,60}:[a-z0-9-]{1,60}$",
            "must be urn:dmi:dataset:, your own name, a colon and a name: small letters, digits, dashes",
        )
    )
    title: Text = Field(min_length=1)
    description: Text = {}
    personal: bool = False
    data: str = Field(
        "", max_length=100, description="category of the data, dmi:data:…; left out: as `personal` says"
    )
    commons_cents: int = Field(
        0,
        ge=0,
        le=100_000_000,
        description="what a year of its use is worth as your part of the commons, in cents",
    )
    basis: str = Field(
        "", max_length=100, description="legal basis of personal data; left out: consent of each person"
    )
    purpose: str = Field(
        "dmi:purpose:public-task", max_length=200, description="what the data is collected for"
    )
    category: str = Field("", max_length=100)
    licence: str = Field("", max_length=300)
    source: str = Field("", max_length=300)
    layer: str = Field(
        "", pattern=pattern("^(points|areas|vehicles|)$", "must be points, areas, vehicles or empty")
    )


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/datasets`` and ``/v1/catalogue``."""
    routes = APIRouter(prefix="/v1", tags=["catalogue"])

    @routes.get("/datasets", summary="All datasets of the catalogue")
    def listed(_identity: Caller) -> dict[str, Any]:
        return {"items": [present.dataset(d) for d in exchange.store.find(Dataset)], "next": None}

    @routes.post("/datasets", status_code=201, summary="Enter or change a dataset of yours")
    def publish(
        identity: Annotated[Identity, Depends(roles(*SIGNATORY_ROLES))], body: NewDataset
    ) -> dict[str, Any]:
        entry = Dataset(owner=identity.participant, **body.model_dump())
        return present.dataset(exchange.publish_dataset(identity.participant, entry))

    @routes.get("/datasets/{dataset}", summary="One dataset")
    def one(_identity: Caller, dataset: str) -> dict[str, Any]:
        return present.dataset(exchange.dataset(dataset))

    @routes.get("/catalogue", summary="The catalogue as DCAT in JSON-LD")
    def catalogue(runtime: ServiceRuntime) -> dict[str, Any]:
        base = runtime.settings.public_url.rstrip("/")
        return {
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
            },
            "@id": f"{base}/exchange/v1/catalogue",
            "@type": "dcat:Catalog",
            "dct:title": [
                {"@value": "DMI-catalogus", "@language": "nl"},
                {"@value": "DMI catalogue", "@language": "en"},
            ],
            "dcat:dataset": [_dcat(dataset, base) for dataset in exchange.store.find(Dataset)],
        }

    return routes


def _dcat(dataset: Dataset, base: str) -> dict[str, Any]:
    def texts(values: dict[str, str]) -> list[dict[str, str]]:
        return [{"@value": text, "@language": language} for language, text in sorted(values.items())]

    entry: dict[str, Any] = {
        "@id": dataset.id,
        "@type": "dcat:Dataset",
        "dct:identifier": dataset.id,
        "dct:title": texts(dataset.title),
        "dct:publisher": {"@id": dataset.owner, "@type": "foaf:Agent"},
        "dcat:distribution": {
            "@type": "dcat:Distribution",
            "dcat:accessURL": {"@id": f"{base}/platform/v1/latest?dataset={dataset.id}"},
            "dct:format": "application/json",
        },
    }
    if dataset.description:
        entry["dct:description"] = texts(dataset.description)
    if dataset.licence:
        entry["dct:license"] = dataset.licence
    return entry
