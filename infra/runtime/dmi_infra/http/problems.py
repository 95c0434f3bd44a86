"""RFC 9457 problem documents: one shape on every route, from one table of exceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dmi_infra.clock import to_text
from dmi_infra.errors import FieldError, InputRefused, NotFound, Refused, Unavailable

log = structlog.get_logger("http")

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    400: "The request is not valid",
    401: "Not signed in",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict with the present state",
    413: "The body is too large",
    415: "Media type not supported",
    500: "Something went wrong here",
    503: "Not available for the moment",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem document before it is written."""

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The members of the document; ``type`` is a URN that the documentation lists."""
        document: dict[str, Any] = {
            "type": f"urn:dmi:problem:{self.code}",
            "title": _TITLES.get(self.status, "Refused"),
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            document["errors"] = [
                {"field": e.field, "rule": e.rule, **({"value": e.value} if e.value else {})}
                for e in self.errors
            ]
        return document

    def response(self) -> JSONResponse:
        """The HTTP answer, with the headers that its status asks for."""
        headers: dict[str, str] = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 503:
            headers["Retry-After"] = str(self.extra.get("retry_after", 2))
        return JSONResponse(self.body(), self.status, headers=headers, media_type=MEDIA_TYPE)


def refusal(refused: Refused) -> Problem:
    """The problem of a gate's refusal: it names the agreement and the moment where there is one."""
    first = refused.reasons[0]
    extra: dict[str, Any] = {
        "reasons": [
            {
                "code": reason.code,
                "detail": reason.detail,
                **({"agreement": reason.agreement} if reason.agreement else {}),
                **({"moment": to_text(reason.moment)} if reason.moment is not None else {}),
            }
            for reason in refused.reasons
        ],
        "dataset": refused.dataset,
    }
    if first.agreement:
        extra["agreement"] = first.agreement
    if first.moment is not None:
        extra["moment"] = to_text(first.moment)
    status = 503 if first.code in ("law_missing", "law_stale") else 403
    return Problem(status, first.code.replace("_", "-"), first.detail, extra=extra)


def problem_of(exc: Exception) -> Problem | None:
    """The problem of an expected exception; ``None`` for one that nobody expected."""
    if isinstance(exc, Refused):
        return refusal(exc)
    if isinstance(exc, InputRefused):
        return Problem(exc.status, exc.code, str(exc), exc.errors)
    if isinstance(exc, NotFound):
        return Problem(404, "not-found", str(exc))
    if isinstance(exc, Unavailable):
        return Problem(503, "unavailable", exc.public, extra={"retry_after": 2})
    return None


def _validation(exc: RequestValidationError) -> Problem:
    errors = []
    for item in exc.errors():
        where = [str(part) for part in item["loc"]]
        name = ".".join(where[1:] if len(where) > 1 else where)
        if item["type"] == "json_invalid":
            return Problem(
                400,
                "invalid-json",
                "the body is not valid JSON",
                [FieldError("body", str(item.get("ctx", {}).get("error", "not JSON")))],
            )
        errors.append(FieldError(name, str(item["msg"]), type(item.get("input")).__name__))
    return Problem(400, "invalid-input", f"{errors[0].field}: {errors[0].rule}", errors)


def install(app: FastAPI) -> None:
    """Answer every failure of ``app`` with a problem document and log the unexpected ones."""

    @app.exception_handler(RequestValidationError)
    async def on_validation(_request: Request, exc: RequestValidationError) -> JSONResponse:
        return _validation(exc).response()

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, exc: HTTPException) -> JSONResponse:
        code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(exc.status_code, "refused")
        answer = Problem(exc.status_code, code, str(exc.detail)).response()
        answer.headers.update(exc.headers or {})
        return answer

    async def on_expected(_request: Request, exc: Exception) -> JSONResponse:
        problem = problem_of(exc)
        assert problem is not None
        return problem.response()

    for expected in (Refused, InputRefused, NotFound, Unavailable):
        app.add_exception_handler(expected, on_expected)

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, exc: Exception) -> JSONResponse:
        # The log gets the cause; the caller gets nothing of the inside.
        log.error("unexpected failure", path=request.url.path, exc_info=exc)
        return Problem(500, "internal", "the request could not be carried out; it has been logged").response()
