"""Access to the routes of intake: a member with a purpose; the gate decides per dataset, inside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from dmi_infra.errors import InputRefused
from dmi_infra.http.access import PURPOSE_HEADER, identify, member, runtime_of
from dmi_ingest.intake import CROSSING, Contributor


async def contributor(
    request: Request,
    purpose: Annotated[
        str | None,
        Header(
            alias=PURPOSE_HEADER,
            max_length=200,
            description="a purpose of the rulebook; left out: the one that the dataset is collected for",
        ),
    ] = None,
) -> Contributor:
    """Who hands in."""
    identity = await member(request, await identify(request))
    if purpose is not None and purpose not in runtime_of(request).rulebook.requestable:
        raise InputRefused.of(PURPOSE_HEADER, "must be a purpose of the rulebook", purpose)
    return Contributor(identity.participant, purpose)


contributor.dmi_crossing = CROSSING  # type: ignore[attr-defined]

Contributing = Annotated[Contributor, Depends(contributor)]


def json_body(schema: dict[str, Any], description: str, example: object) -> dict[str, Any]:
    """What OpenAPI says of a body that the route reads by itself."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}
