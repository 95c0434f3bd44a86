"""The places and things behind observations, as the other side may know them: asked of the platform in its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import httpx
import msgspec

from dmi_agreements.contracts.features import LEFT_OUT_PROPERTY, LEFT_OUT_UNIT
from dmi_agreements.contracts.law import Participant
from dmi_agreements.uses import Keys
from dmi_exchange import model
from dmi_exchange.store import Store
from dmi_exchange.tokens import Issuer
from dmi_infra.authorities import trusted
from dmi_infra.errors import NotFound, Unavailable
from dmi_infra.http.limits import values_of

KINDS: Final = ("thing", "parking", "stop", "line", "area", "datastream")
"""What goes along. Neighbourhoods, buildings and addresses are each node's own."""
BOUNDS: Final = ("capacity", "minimum", "maximum", "maximum_step")
"""Properties in the unit that the source declared."""
NEEDED: Final = ("thing", "observed_property", "unit")
"""Properties without which rows of a datastream cannot be read."""
PAGE: Final = 5000
PART_PLACES: Final = 10_000
PART_BYTES: Final = 4 * 1024 * 1024
PART_VALUES: Final = 200_000
"""Of places in one body; both well within what a node takes at a time (``dmi_infra.http.limits``)."""
TIMEOUT_SECONDS: Final = 20.0


class Local:
    """This node's own services over HTTP, in the name of a participant, with a token that this node signs."""

    def __init__(
        self, store: Store, issuer: Issuer, url: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
            verify=trusted(environment=False),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        participant: str,
        purpose: str | None,
        goes_on: Keys | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One request; raises ``Unavailable`` when the service does not answer or is not ready.

        ``goes_on``: it is part of a use that was counted of these rules.
        """
        found = self._store.get(Participant, participant)
        if found is None:
            raise NotFound("no participant has this id")
        # Who operates another node operates nothing here.
        roles = [role for role in found.roles if role != model.OPERATOR]
        token = self._issuer.sign(found.id, found.name, roles, goes_on=goes_on)
        headers = {"Authorization": f"Bearer {token}"}
        if purpose is not None:
            headers["DMI-Purpose"] = purpose
        try:
            answer = self._http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as exc:
            raise Unavailable(f"{path.split('/')[1]} does not answer ({type(exc).__name__})") from exc
        if answer.status_code >= 500:
            raise Unavailable(f"{path.split('/')[1]} answers {answer.status_code}")
        return answer


def places_of(
    local: Local, dataset: str, participant: str, purpose: str | None, goes_on: Keys, bare: bool = False
) -> list[dict[str, Any]]:
    """The features of a dataset that ``participant`` may know, things before their datastreams.

    They go along with a delivery, whose use was counted (of the rules ``goes_on``).

    A datastream has the unit in which its observations are given; what its source declared in another one stays away.
    One of which the agreement leaves out what it observes, or the unit, says so in their place.

    ``bare``: they are of persons. Nobody there knows whose, so nothing goes along that would have to be found again
    when that person has it erased: no name, no place, nothing but what the rows need to be read.
    """

    def ask(path: str, **query: Any) -> httpx.Response:
        return local.ask("GET", path, participant, purpose, goes_on, params=query)

    units = {
        item["id"]: item["unit"] for item in _pages(ask, "/platform/v1/datastreams", "items", dataset=dataset)
    }
    found = []
    for kind in KINDS:
        for item in _pages(ask, "/platform/v1/features", "features", dataset=dataset, kind=kind):
            properties = dict(item["properties"])
            name = properties.pop("name")
            for taken in ("kind", "valid_from", "valid_to"):
                properties.pop(taken, None)
            if kind == "datastream":
                properties.setdefault("observed_property", LEFT_OUT_PROPERTY)
                unit = units.get(item["id"], properties.get("unit")) or LEFT_OUT_UNIT
                if unit != properties.get("unit"):
                    properties = {key: value for key, value in properties.items() if key not in BOUNDS}
                    properties["unit"] = unit
            if bare:
                name = item["id"]
                properties = {key: properties[key] for key in NEEDED if key in properties}
            found.append(
                {
                    "id": item["id"],
                    "kind": kind,
                    "name": name,
                    "geometry": None if bare else item["geometry"],
                    "properties": properties,
                }
            )
    return found


def fit(places: Sequence[dict[str, Any]]) -> bool:
    """Whether one body can hold these."""
    return len([*islice(in_parts(places), 2)]) <= 1


def in_parts(places: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The same in lists that one body can hold each: streets have hundreds of points."""
    part: list[dict[str, Any]] = []
    size = values = 0
    for item in places:
        text = msgspec.json.encode(item)
        size, values = size + len(text), values + values_of(text)
        if part and (size > PART_BYTES or values > PART_VALUES or len(part) >= PART_PLACES):
            yield part
            part, size, values = [], len(text), values_of(text)
        part.append(item)
    if part:
        yield part


def _pages(ask: Callable[..., httpx.Response], path: str, member: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = ask(path, **query, limit=PAGE, **more)
        if answer.status_code != 200:
            raise Unavailable(f"the platform answers {answer.status_code} about {query['dataset']}")
        body = answer.json()
        found += body[member]
        cursor = body["next"]
        if cursor is None:
            return found
