"""RFC 9457 problem documents: one shape on every route, from one table of exceptions."""

from __future__ import annotations

import json
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
from dmi_infra.http import dutch as in_dutch
from dmi_infra.http import wording
from dmi_infra.http.language import current_language

log = structlog.get_logger("http")

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    400: "The request is not valid",
    401: "Not signed in",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    408: "The body did not come",
    409: "Conflict with the present state",
    412: "Changed since it was read",
    413: "The body is too large",
    414: "The address is too long",
    415: "Media type not supported",
    422: "Nobody could ever use this",
    428: "A condition is needed",
    429: "Too many for now",
    431: "The address and headers are too large",
    500: "Something went wrong here",
    501: "Not supported here",
    503: "Not available for the moment",
}


CODES = {400: "invalid-input", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
ANY_OTHER = "refused"
"""The code of a status that the framework answers with and that has none of its own."""
_PARSING = "error parsing the body"
"""In the framework's text about a body that it could not read: nested too deep, or no valid form."""
MOST_ERRORS = 100
LONGEST_TEXT = 500


class ProblemResponse(JSONResponse):
    """A problem document; text that has no UTF-8 form (half of a surrogate pair) is shown with a ``?``."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """The document as bytes."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem document before it is written."""

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    nl: str = ""
    """The detail in Dutch, where whoever refused knew it."""

    def body(self) -> dict[str, Any]:
        """The members in the language of the request; ``type`` is a URN that the documentation lists."""
        dutch = current_language.get() == "nl"
        titles = in_dutch.TITLES if dutch else _TITLES
        document: dict[str, Any] = {
            "type": f"urn:dmi:problem:{self.code}",
            "title": titles.get(self.status, titles[403]),
            "status": self.status,
            "detail": (self._dutch() if dutch else self.detail)[:LONGEST_TEXT],
            **self.extra,
        }
        if dutch and "reasons" in self.extra:
            document["reasons"] = [
                {**one, "detail": in_dutch.REFUSALS.get(one["code"], one["detail"])}
                for one in self.extra["reasons"]
            ]
        if self.errors:
            document["errors"] = [
                {
                    "field": e.field[:LONGEST_TEXT],
                    "rule": (_rule_in_dutch(e) if dutch else e.rule)[:LONGEST_TEXT],
                    **({"value": e.value[:LONGEST_TEXT]} if e.value else {}),
                }
                for e in self.errors[:MOST_ERRORS]
            ]
        return document

    def _dutch(self) -> str:
        """The detail in Dutch: as it was given, by the code of a refusal, by its first error, or by its own text."""
        known = self.nl or in_dutch.REFUSALS.get(self.code.replace("-", "_")) or in_dutch.words(self.detail)
        if known:
            return known
        first = self.errors[0] if self.errors else None
        if first is not None and self.detail == f"{first.field}: {first.rule}":
            return f"{first.field}: {_rule_in_dutch(first)}"
        return self.detail

    def response(self) -> JSONResponse:
        """The HTTP answer, with the headers that its status asks for."""
        headers = {"Content-Language": current_language.get(), "Vary": "Accept-Language"}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 503:
            headers["Retry-After"] = str(self.extra.get("retry_after", 2))
        if self.status == 408:
            # The rest of the body would be taken for the next request.
            headers["Connection"] = "close"
        return ProblemResponse(self.body(), self.status, headers=headers)


def _rule_in_dutch(error: FieldError) -> str:
    return error.nl or in_dutch.words(error.rule) or error.rule


class NotJson(InputRefused):
    """A body that only resembles JSON."""

    code = "invalid-json"


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
        return Problem(exc.status, exc.code, str(exc), exc.errors, nl=exc.nl)
    if isinstance(exc, NotFound):
        return Problem(404, "not-found", str(exc))
    if isinstance(exc, Unavailable):
        return Problem(503, "unavailable", exc.public, extra={"retry_after": 2})
    return None


async def check_json(request: Request) -> None:
    """A dependency of every route: refuse JSON with NaN, infinity, or half a surrogate pair in a text.

    The framework's reader lets them through, but none of them can be stored, signed or answered.
    """
    # Set by the framework when it has read the body as JSON; nothing else is looked at.
    parsed = getattr(request, "_json", None)
    if parsed is not None:
        _check_values(parsed)


async def read_json(request: Request) -> Any:
    """The body as JSON, for routes that know who sends it before they read it; raises ``InputRefused``."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise InputRefused.of("Content-Type", "must be application/json", media)
    try:
        found = await request.json()
    except json.JSONDecodeError as exc:
        raise NotJson("the body is not valid JSON", [FieldError("body", exc.msg)]) from exc
    except (ValueError, RecursionError) as exc:
        rule = "must be JSON in UTF-8 that is not nested too deeply"
        raise NotJson("the body is not valid JSON", [FieldError("body", rule)]) from exc
    _check_values(found)
    return found


def _check_values(parsed: object) -> None:
    try:
        json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as exc:
        rule = "numbers are finite and texts are valid Unicode"
        raise NotJson("the body is not valid JSON", [FieldError("body", rule)]) from exc


def _validation(exc: RequestValidationError) -> Problem:
    errors = []
    # Of a body with a hundred thousand faults no more is put into words than is told.
    for item in exc.errors()[:MOST_ERRORS]:
        where = [str(part) for part in item["loc"]]
        name = ".".join(where[1:] if len(where) > 1 else where)
        if item["type"] == "json_invalid":
            return Problem(
                400,
                "invalid-json",
                "the body is not valid JSON",
                [FieldError("body", str(item.get("ctx", {}).get("error", "not JSON")))],
            )
        errors.append(FieldError(name, wording.rule(item), wording.form(item)))
    return Problem(400, "invalid-input", f"{errors[0].field}: {errors[0].rule}", errors)


def _framework(exc: HTTPException) -> Problem:
    """The problem of what the framework itself refuses."""
    detail = str(exc.detail)
    if exc.status_code == 400 and _PARSING in detail:
        return Problem(400, "invalid-json", "the body cannot be read: not valid, or nested too deep")
    if exc.status_code == 404:
        detail = "there is nothing at this address"
    return Problem(exc.status_code, CODES.get(exc.status_code, ANY_OTHER), detail)


def install(app: FastAPI) -> None:
    """Answer every expected failure of ``app`` with a problem document; ``app.Observed`` does the rest."""

    @app.exception_handler(RequestValidationError)
    async def on_validation(_request: Request, exc: RequestValidationError) -> JSONResponse:
        return _validation(exc).response()

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, exc: HTTPException) -> JSONResponse:
        answer = _framework(exc).response()
        answer.headers.update(exc.headers or {})
        return answer

    async def on_expected(_request: Request, exc: Exception) -> JSONResponse:
        problem = problem_of(exc)
        assert problem is not None
        return problem.response()

    for expected in (Refused, InputRefused, NotFound, Unavailable):
        app.add_exception_handler(expected, on_expected)


def unexpected(path: str, exc: Exception) -> Problem:
    """The problem of a fault of ours: the log gets the cause, the caller gets nothing of the inside."""
    log.error("unexpected failure", path=path, exc_info=exc)
    return Problem(500, "internal", "the request could not be carried out; it has been logged")
