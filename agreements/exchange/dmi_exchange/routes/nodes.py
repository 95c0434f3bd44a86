"""The nodes that this one knows, and their catalogues as they stand there."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query

from dmi_agreements.dsp.messages import document
from dmi_exchange.dsp.client import PAGE_SECONDS, Answer, Client, Unreachable
from dmi_exchange.dsp.door import NO_MEMBER
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.dsp.offered import offered
from dmi_exchange.errors import NodeRefuses
from dmi_infra.aside import Aside
from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused, Unavailable
from dmi_infra.http.access import Asking, Caller
from dmi_infra.http.stories import story

log = structlog.get_logger("exchange")

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
                "members_left_out": seen.taken.left_out,
                "members_unread": seen.taken.unread,
                "since": to_text(int(seen.since * 1_000_000)) if seen.since else None,
            }
            for issuer, seen in nodes.seen.items()
        ]
        return {"items": items, "next": None}

    @routes.get("/catalogue", summary="What another node offers, as its catalogue tells it now")
    async def catalogue(
        identity: Caller,
        asker: Asking,
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
            answer = await aside.run(asker, ask)
        except Unreachable as exc:
            raise Unavailable(f"the other node cannot be reached: {exc}") from exc
        if answer.status in (401, 403):
            raise _refused(answer)
        if not answer.well:
            raise Unavailable(f"the other node answered {answer.why}")
        page = offered(answer, where)
        if page.left_out:
            log.info("entries of another node's catalogue cannot be read", node=where, entries=page.left_out)
        return {"items": page.items, "next": page.after, "left_out": page.left_out}

    return routes


def _refused(answer: Answer) -> NodeRefuses:
    if NO_MEMBER in answer.why:
        return NodeRefuses(
            "this participant is no organisation among the members of this node, so the other node's catalogue "
            "cannot be asked in its name"
        )
    detail = f"the other node refuses: {answer.why}"
    return NodeRefuses(detail, nl=story(detail))
