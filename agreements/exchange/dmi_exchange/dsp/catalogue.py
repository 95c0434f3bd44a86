"""The catalogue as the protocol gives it: datasets that have offers, in pages, filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dmi_agreements.dsp.messages import Message, document
from dmi_agreements.dsp.terms import DATASET
from dmi_exchange.dsp.offers import Entry, Shelf
from dmi_exchange.errors import StepRefused
from dmi_infra.errors import NotFound

PAGE = 100
FILTERS = frozenset({"dataset", "owner", "text"})
"""What a filter may ask, all of it together: ``[{"text": "garage", "owner": "urn:dmi:participant:city"}]``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of the catalogue and the links to the pages around it (RFC 8288)."""

    body: dict[str, Any]
    links: list[str]


class Catalogue:
    """The catalogue at ``address``, of the node that the participant ``operator`` runs."""

    def __init__(self, shelf: Shelf, address: str, operator: str) -> None:
        self._shelf = shelf
        self._address = address
        self._operator = operator

    def page(self, came: Message, after: str, before: str | None, limit: int) -> Answer:
        """One page; raises ``StepRefused`` for a filter that is not known here."""
        wanted = _filter(came.body.get("filter", []))
        page = self._shelf.page(after, before, limit, wanted)
        entries = list(page.entries)
        links = []
        if page.before is not None:
            links.append(self._link("previous", before=page.before, limit=limit))
        if page.after is not None:
            links.append(self._link("next", after=page.after, limit=limit))
        body = document(
            "Catalog",
            **{"@id": f"{self._address}/catalog"},
            participantId=self._operator,
            service=[self._service()],
            dataset=[self._dataset(entry, self._service()["@id"]) for entry in entries] or None,
        )
        return Answer(body, links)

    def dataset(self, identifier: str) -> dict[str, Any]:
        """One dataset on offer; raises ``NotFound``."""
        entry = self._shelf.entry(identifier)
        if entry is None:
            raise NotFound("no dataset on offer has this id")
        members = self._dataset(entry, self._service())
        return {**document("Dataset"), **members}

    def _service(self) -> dict[str, str]:
        return {"@id": self._address, "@type": "DataService", "endpointURL": self._address}

    @staticmethod
    def _dataset(entry: Entry, service: object) -> dict[str, Any]:
        members: dict[str, Any] = {
            "@id": entry.id,
            "@type": "Dataset",
            "hasPolicy": [offer.policy() for offer in entry.offers],
            "distribution": [
                {"@type": "Distribution", "format": name, "accessService": service} for name in entry.formats
            ],
            "dct:title": _texts(entry.title),
            "dct:publisher": {"@id": entry.owner},
        }
        if entry.about:
            members[DATASET] = entry.about
        if entry.description:
            members["dct:description"] = _texts(entry.description)
        return members

    def _link(self, relation: str, **query: object) -> str:
        return f'<{self._address}/catalog/request?{urlencode(query)}>; rel="{relation}"'


def _texts(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} for language, text in sorted(values.items())]


def _filter(given: list[Any]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for index, item in enumerate(given):
        if not isinstance(item, Mapping):
            raise StepRefused(f"/filter/{index}: an object with {', '.join(sorted(FILTERS))}")
        for name, value in item.items():
            if name not in FILTERS or not isinstance(value, str):
                raise StepRefused(
                    f"/filter/{index}/{name}: filters are texts for {', '.join(sorted(FILTERS))}"
                )
            if wanted.setdefault(name, value) != value:
                raise StepRefused(f"/filter/{index}/{name}: stands twice")
    return wanted
