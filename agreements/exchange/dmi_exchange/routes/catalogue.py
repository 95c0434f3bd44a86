"""The catalogue: entering datasets and listings, finding them, and taking all of them as DCAT-AP-NL or CSV."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.record import Quality
from dmi_exchange import present
from dmi_exchange.catalogue.harvest import Harvest
from dmi_exchange.catalogue.index import Box, Place, Wanted
from dmi_exchange.catalogue.licences import address_of
from dmi_exchange.catalogue.model import DATA, FACETS, SUPPLY, THEMES, Item
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import SIGNATORY_ROLES, may_own_listing
from dmi_exchange.routes.entering import NewDataset, NewListing
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.sight import sight
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound
from dmi_infra.http.access import Caller, roles
from dmi_infra.identity import Identity

HARVEST: Final = 100
JSON_LD: Final = "application/ld+json"
FORMS: Final = {
    "text/turtle": "turtle",
    JSON_LD: "json-ld",
    "application/json": "json-ld",
    "application/rdf+xml": "pretty-xml",
}
CSV: Final = "text/csv"
Signatory = Annotated[Identity, Depends(roles(*SIGNATORY_ROLES))]


def router(exchange: Exchange, settings: ExchangeSettings) -> APIRouter:
    """Routes under ``/v1/datasets``, ``/v1/listings`` and ``/v1/catalogue``."""
    routes = APIRouter(prefix="/v1", tags=["catalogue"])
    store = exchange.store.catalogue
    harvest = Harvest(exchange.store, settings.public_url.rstrip("/"), settings.stack_participant)

    def quality_for(identity: Identity) -> Callable[[Dataset | Item, Quality | None], dict[str, Any] | None]:
        @cache
        def party() -> str | None:
            return sight(exchange, identity).party

        def quality(of: Dataset | Item, measured: Quality | None) -> dict[str, Any] | None:
            if measured is None:
                return None
            return present.quality(measured, of.personal and party() not in (None, of.owner))

        return quality

    @routes.get("/datasets", summary="All datasets of the catalogue")
    def listed(_identity: Caller) -> dict[str, Any]:
        return {"items": [present.dataset(d) for d in exchange.store.find(Dataset)], "next": None}

    @routes.post("/datasets", status_code=201, summary="Enter or change a dataset of yours")
    def publish(identity: Signatory, body: NewDataset) -> dict[str, Any]:
        entry = body.entry(identity.participant, clock.now())
        return present.dataset(exchange.publish_dataset(identity.participant, entry))

    @routes.get("/datasets/{dataset}", summary="One dataset")
    def one(identity: Caller, dataset: str) -> dict[str, Any]:
        found = exchange.dataset(dataset)
        measured = store.quality([dataset]).get(dataset)
        return {**present.dataset(found), "quality": quality_for(identity)(found, measured)}

    @routes.post(
        "/listings",
        status_code=201,
        summary="Offer a service, an application or knowledge, or ask for something",
    )
    def offer(identity: Signatory, body: NewListing) -> dict[str, Any]:
        me = identity.participant
        if not may_own_listing(me, body.id):
            raise InputRefused.of(
                "id", "must be urn:dmi:listing:, your own name, a colon and a name", body.id
            )
        if (body.kind, body.direction) == (DATA, SUPPLY):
            raise InputRefused.of("kind", "data on offer is entered as a dataset", body.kind)
        known = store.one(body.id)
        if known is not None and known.owner != me:
            raise Conflict.of("id", "this listing belongs to another participant", body.id)
        item = body.item(me, clock.now())
        store.keep(item)
        return present.item(item)

    @routes.get("/catalogue/search", summary="Find entries by words, on the map and by facets")
    def search(
        identity: Caller,
        q: Annotated[
            str, Query(max_length=200, description="words, or how they begin, in any language")
        ] = "",
        bbox: Annotated[
            str | None, Query(max_length=100, description="west,south,east,north in degrees (WGS84)")
        ] = None,
        facet: Annotated[
            list[str] | None,
            Query(max_length=50, description="name:value, such as theme:TRAN; of one name any of the values"),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 25,
        cursor: Annotated[str | None, Query(max_length=300)] = None,
        facets: Annotated[bool, Query(description="tell how many fit with each value of each facet")] = True,
    ) -> dict[str, Any]:
        wanted = Wanted(q, None if bbox is None else _box(bbox), _narrowed(facet or []))
        found = store.search(wanted, limit, _place(cursor))
        measured = store.quality([item.id for item in found.items])
        quality = quality_for(identity)
        answer: dict[str, Any] = {
            "items": [
                {
                    **present.item(item),
                    "quality": quality(item, measured.get(item.id)),
                }
                for item in found.items
            ],
            "total": found.total,
            "next": None if found.next is None else f"{found.next.rank}~{found.next.id}",
        }
        if facets:
            counts = store.counts(wanted)
            answer["facets"] = [
                {"name": name, "values": [{"value": v, "count": n} for v, n in counts[name].items()]}
                for name in FACETS
            ]
        return answer

    @routes.get("/catalogue/themes", summary="The data themes of the EU, by code")
    def themes(_identity: Caller) -> dict[str, dict[str, str]]:
        return THEMES

    @routes.get("/catalogue/entries/{identifier}", summary="One entry of the catalogue")
    def entry(_identity: Caller, identifier: str) -> dict[str, Any]:
        item = store.one(identifier)
        if item is None:
            raise NotFound("nothing in the catalogue has this id")
        return present.item(item)

    @routes.get(
        "/catalogue",
        summary="The catalogue as DCAT-AP-NL 3.0: JSON-LD, Turtle or RDF/XML by Accept, or as CSV",
        response_class=Response,
    )
    async def catalogue(
        request: Request,
        after: Annotated[str, Query(max_length=200, description="an id, to go on behind it")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = HARVEST,
    ) -> Response:
        form = _form(request.headers.get("accept", ""))
        if form == CSV:
            return Response(await harvest.table(), media_type=f"{CSV}; charset=utf-8")
        page = await harvest.page(FORMS[form], after, limit)
        headers = {"Vary": "Accept"}
        if page.following is not None:
            headers["Link"] = f'<{page.following}>; rel="next"'
        return Response(page.text, media_type=form, headers=headers)

    return routes


def _form(accept: str) -> str:
    """The media type that is liked best of those that there are; JSON-LD when none is named."""
    liked: list[tuple[float, int, str]] = []
    for number, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if name in (*FORMS, CSV) and weight > 0:
            liked.append((-weight, number, name))
    found = min(liked)[2] if liked else JSON_LD
    return JSON_LD if found == "application/json" else found


def _box(text: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as exc:
        raise InputRefused.of("bbox", "must be four numbers: west,south,east,north", text) from exc
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputRefused.of("bbox", "must lie on the earth, west before east and south before north", text)
    return west, south, east, north


def _narrowed(given: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in given:
        name, mark, value = each.partition(":")
        if not mark or name not in FACETS or not 0 < len(value) <= 300:
            raise InputRefused.of("facet", f"must be name:value; names are {', '.join(FACETS)}", each)
        found.setdefault(name, []).append(value)
        if name == "licence":
            # By whichever spelling it is asked for; entries of before are found by their own.
            found[name].append(address_of(value))
    return found


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    rank, mark, identifier = cursor.partition("~")
    if not mark or not rank.isascii() or not rank.isdigit() or len(rank) > 18:
        raise InputRefused.of("cursor", "must be one that a page gave", cursor)
    return Place(int(rank), identifier)
