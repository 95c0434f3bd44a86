"""The nodes that this one knows, and their catalogues as they stand there."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Query

from dmi_agreements.dsp.messages import document
from dmi_agreements.dsp.terms import DATASET
from dmi_exchange.dsp.client import PAGE_SECONDS, Answer, Client, Unreachable
from dmi_exchange.dsp.door import NO_MEMBER
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.errors import NodeRefuses
from dmi_infra.aside import Aside
from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused, Unavailable
from dmi_infra.http.access import Caller
from dmi_infra.http.stories import story

LARGEST_PAGE = 16 * 1024 * 1024


def router(nodes: Nodes, client: Client, aside: Aside) -> APIRouter:
    """Routes under ``/v1/nodes``."""
    routes = APIRouter(prefix="/v1/nodes", tags=["dataspace"])

    def address(node: str) -> str:
        for issuer in nodes.issuers:
            if node.rstrip("/") in (issuer, issuer.removesuffix("/exchange"), f"{issuer}/dsp"):
                return f"{issuer}/dsp"
        raise InputRefused.of("node", "must be a node of GET /v1/nodes", node)

    @routes.get("", summary="The nodes that this one exchanges with, and whether they answer")
    def listed(_identity: Caller) -> dict[str, Any]:
        items = [
            {
                "url": issuer.removesuffix("/exchange"),
                "address": f"{issuer}/dsp",
                "operator": seen.operator or None,
                "reachable": seen.reachable,
                "reason": story(seen.reason) or None,
                "since": to_text(int(seen.since * 1_000_000)) if seen.since else None,
            }
            for issuer, seen in nodes.seen.items()
        ]
        return {"items": items, "next": None}

    @routes.get("/catalogue", summary="What another node offers, as its catalogue tells it now")
    async def catalogue(
        identity: Caller,
        node: Annotated[str, Query(max_length=500, description="the url of a node")],
        text: Annotated[str | None, Query(max_length=200)] = None,
        dataset: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
    ) -> dict[str, Any]:
        where = address(node)
        wanted = {name: value for name, value in (("text", text), ("dataset", dataset)) if value}
        message = document("CatalogRequestMessage", filter=[wanted] if wanted else None)
        query = {"limit": str(limit), **({"after": cursor} if cursor else {})}
        url = f"{where}/catalog/request?{urlencode(query)}"
        body = json.dumps(message).encode()
        ask = partial(client.ask, "POST", where, url, body, identity.participant, LARGEST_PAGE, PAGE_SECONDS)
        try:
            answer = await aside.run(identity.participant, ask)
        except Unreachable as exc:
            raise Unavailable(f"the other node cannot be reached: {exc}") from exc
        if answer.status in (401, 403):
            raise _refused(answer)
        if not answer.well:
            raise Unavailable(f"the other node answered {answer.why}")
        following = answer.links.get("next", {}).get("url")
        after = parse_qs(urlsplit(str(following)).query).get("after", [None])[0] if following else None
        found = answer.body.get("dataset", [])
        return {"items": [_entry(item, where) for item in found], "next": after}

    return routes


def _refused(answer: Answer) -> NodeRefuses:
    if NO_MEMBER in answer.why:
        return NodeRefuses(
            "this participant is no organisation among the members of this node, so the other node's catalogue "
            "cannot be asked in its name"
        )
    detail = f"the other node refuses: {answer.why}"
    return NodeRefuses(detail, nl=story(detail))


def _texts(given: Any) -> dict[str, str]:
    """Texts by language, as other connectors tell them too: one text or several, with a language or without."""
    found: dict[str, str] = {}
    for text in given if isinstance(given, list) else [given]:
        if isinstance(text, str):
            found.setdefault("und", text)
        elif isinstance(text, dict) and isinstance(text.get("@value"), str):
            found[str(text.get("@language", "und"))] = text["@value"]
    return found


def _entry(item: dict[str, Any], where: str) -> dict[str, Any]:
    return {
        "dataset": item["@id"],
        "owner": item.get("dct:publisher", {}).get("@id"),
        "title": _texts(item.get("dct:title")),
        "description": _texts(item.get("dct:description")),
        "address": where,
        "offers": item.get("hasPolicy", []),
        "formats": [each.get("format") for each in item.get("distribution", ())],
        "entry": item.get(DATASET),
    }
