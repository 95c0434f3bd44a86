"""The interface of a service as it describes itself: one OpenAPI document, and a page that shows it."""

from __future__ import annotations

import threading
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from dmi_infra.http import problems
from dmi_infra.together import Together

DOCUMENT = "/openapi.json"

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule"],
                "properties": {
                    "field": {"type": "string"},
                    "rule": {"type": "string"},
                    "value": {"type": "string"},
                },
            },
        },
        "agreement": {"type": "string"},
        "moment": {"type": "string", "format": "date-time"},
    },
}
_PROBLEM_STATUSES = {
    "400": "The request breaks a rule; the document names the field",
    "401": "No access token, or one that does not hold",
    "403": "The gate refused; the document names the reason and the agreement",
    "404": "The identifier names nothing",
    "409": "The request does not fit the present state",
    "413": "The body is too large",
    "503": "The bus, the store or the law cannot be reached; try again",
}
_WRITING: Final = threading.Lock()
"""One document at a time in a process: the framework changes which warnings all its threads get meanwhile."""


def describe(app: FastAPI) -> None:
    """Let a service answer with its document and a page of it; for everyone, so the document is written out once.

    That takes half a second in the exchange: on a thread, since everything else waits for the event loop.
    """
    _describe_problems(app)
    written: list[bytes] = []

    def write() -> bytes:
        if not written:
            with _WRITING:
                written.append(msgspec.json.encode(app.openapi()))
        return written[0]

    once = Together(write)

    async def document(_request: Request) -> Response:
        return Response(written[0] if written else await once.get(), media_type="application/json")

    async def page(request: Request) -> HTMLResponse:
        where = f"{request.scope.get('root_path', '').rstrip('/')}{DOCUMENT}"
        return get_swagger_ui_html(openapi_url=where, title=app.title)

    app.add_route(DOCUMENT, document, include_in_schema=False)
    app.add_route("/docs", page, include_in_schema=False)


def _describe_problems(app: FastAPI) -> None:
    """State the problem documents in OpenAPI, in place of the framework's own error shape."""
    original = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = PROBLEM_SCHEMA
        content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                for status, text in _PROBLEM_STATUSES.items():
                    operation["responses"].setdefault(status, {"description": text, "content": content})
        return document

    app.openapi = described  # type: ignore[method-assign]
