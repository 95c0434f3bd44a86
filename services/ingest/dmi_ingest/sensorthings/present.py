"""Entities as SensorThings shows them (18-088 §8.1): control information, properties, navigation links."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from dmi_ingest.sensorthings.kinds import KINDS
from dmi_ingest.sensorthings.query import Query
from dmi_ingest.store.entities import Entity


def quoted(identifier: str) -> str:
    """An id as it stands in an address: text between quotes."""
    return f"'{quote(identifier, safe=':~@')}'"


class Addresses:
    """The addresses of this service; ``base`` ends in ``/v1.1``, ``platform`` in ``/platform``."""

    def __init__(self, public_url: str) -> None:
        root = public_url.rstrip("/")
        self.base = f"{root}/ingest/v1.1"
        self.platform = f"{root}/platform"

    def of(self, kind: str, identifier: str) -> str:
        """Where an entity stands."""
        return f"{self.base}/{kind}({quoted(identifier)})"

    def observations(self, datastream: str) -> str:
        """Where the observations of a datastream are read: at the platform, which keeps them."""
        return f"{self.platform}/v1/datastreams/{quote(datastream, safe=':~@')}/observations"

    def entity(self, item: Entity, query: Query, expanded: dict[str, Any]) -> dict[str, Any]:
        """One entity, with what ``$expand`` brought along."""
        kind = KINDS[item.kind]
        link = self.of(item.kind, item.id)
        shown: dict[str, Any] = {"@iot.id": item.id, "@iot.selfLink": link}
        wanted = query.select
        for name, value in item.body.items():
            if wanted is None or name in wanted:
                shown[name] = value
        for name in kind.navigations:
            if name in expanded:
                shown[name] = expanded[name]
            elif wanted is None or name in wanted:
                shown[f"{name}@iot.navigationLink"] = f"{link}/{name}"
        if item.kind == "Datastreams" and wanted is None:
            shown["Observations@iot.navigationLink"] = self.observations(item.id)
        return shown

    def page(
        self, path: str, items: list[dict[str, Any]], total: int | None, query: Query, more: bool,
        options: dict[str, str],
    ) -> dict[str, Any]:  # fmt: skip
        """A collection (18-088 §9.2.2), with the link to what follows."""
        answer: dict[str, Any] = {} if total is None else {"@iot.count": total}
        if more:
            following = {**options, "$skip": str(query.skip + query.top)}
            answer["@iot.nextLink"] = f"{self.base}/{path}?{urlencode(following, safe='$')}"
        answer["value"] = items
        return answer
