"""Access to the routes of intake: a member with a purpose; the gate decides per dataset, inside."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute

from dmi_infra.errors import InputRefused
from dmi_infra.http.access import PURPOSE_HEADER, identify, mandated, runtime_of
from dmi_infra.identity import Identity
from dmi_ingest.intake import CROSSING, Contributor

Purpose = Annotated[
    str | None,
    Header(
        alias=PURPOSE_HEADER,
        max_length=200,
        description="a purpose of the rulebook; left out: the one that the dataset is collected for",
    ),
]


async def deliverer(
    request: Request, identity: Annotated[Identity, Depends(mandated)], purpose: Purpose = None
) -> Contributor:
    """Who hands in, also in another's name: the gate is asked for all that is taken, and what it opens is shown."""
    runtime = runtime_of(request)
    if purpose is not None and purpose not in runtime.law.table.requestable:
        raise InputRefused.of(PURPOSE_HEADER, "must be a purpose of the rulebook", purpose)
    still = partial(runtime.authenticate.check_keys, identity)
    return Contributor(identity.participant, purpose, identity.acting, still)


deliverer.dmi_crossing = CROSSING  # type: ignore[attr-defined]

Delivering = Annotated[Contributor, Depends(deliverer)]


class DirectRoute(APIRoute):
    """A route that is asked thousands of times a second: its door is opened without the framework's resolver.

    Its endpoint is a coroutine of ``request``, ``contributor`` and the texts in its path, and reads the body
    itself. The signature still says to OpenAPI, and to the test of all routes, what the door asks for.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        endpoint = self.dependant.call
        if endpoint is None or deliverer not in [door.call for door in self.dependant.dependencies]:
            raise TypeError(f"{self.path}: a direct route asks for a deliverer")

        async def handle(request: Request) -> Response:
            # Without a place in the share: it is answered on the event loop, as every coroutine is.
            identity = await mandated(request, await identify(request))
            who = await deliverer(request, identity, request.headers.get(PURPOSE_HEADER))
            response: Response = await endpoint(request=request, contributor=who, **request.path_params)
            return response

        return handle


def json_body(schema: dict[str, Any], description: str, example: object) -> dict[str, Any]:
    """What OpenAPI says of a body that the route reads by itself."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}
