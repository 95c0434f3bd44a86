"""This node's DID document, and its credential service (DCP 1.0, Verifiable Presentation Protocol)."""

from collections.abc import Callable
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from dmi_exchange.dcp import messages
from dmi_exchange.dcp.holder import Holder
from dmi_exchange.dcp.selfissued import SelfIssued, Sender
from dmi_exchange.dsp.door import bearer, behind

BASE = "/dcp"
JUDGED = 8
"""Tokens that are judged at a time: their sender's document is waited for, on threads that no other request needs."""


def router(document: Callable[[], dict[str, Any]], tokens: SelfIssued, holder: Holder) -> APIRouter:
    """``/did.json`` and ``/dcp/presentations/query``; left out of OpenAPI, since the standards describe them."""
    routes = APIRouter(include_in_schema=False)
    limiter = anyio.CapacityLimiter(JUDGED)

    # A coroutine: whoever answers a query asks for this document meanwhile, and must not wait for a thread.
    @routes.get("/did.json")
    async def did() -> JSONResponse:
        return JSONResponse(document(), media_type="application/did+json")

    async def verifier(request: Request) -> Sender:
        return await anyio.to_thread.run_sync(tokens.judge, bearer(request), limiter=limiter)

    verifier.dmi_door = "nodes that this one gave a token for its credentials"  # type: ignore[attr-defined]

    @routes.post(f"{BASE}/presentations/query")
    def query(
        body: Annotated[Any, Depends(behind(verifier))], sender: Annotated[Sender, Depends(verifier)]
    ) -> JSONResponse:
        scopes = messages.read_query(body)
        shown = holder.present(sender.document.did, sender.token, scopes)
        return JSONResponse(messages.response(shown), headers={"Cache-Control": "no-store"})

    return routes
