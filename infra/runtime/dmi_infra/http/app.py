"""The HTTP application of a service: routes, health, metrics, limits and one OpenAPI document."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dmi_infra.health import is_well, told
from dmi_infra.http import problems
from dmi_infra.http.description import describe
from dmi_infra.http.language import current_language, preferred
from dmi_infra.http.limits import BodyLimit
from dmi_infra.http.shares import HELD, Shares, let_go
from dmi_infra.runtime import Runtime
from dmi_infra.sql import answering
from dmi_infra.telemetry import Metrics, continue_trace
from dmi_infra.together import Together

log = structlog.get_logger("http")

API_VERSION = "1.0.0"
CALLER_GONE = 499
"""In metrics alone, as nginx writes it: no answer was sent."""


class Observed:
    """ASGI middleware: trace, metrics, places, the headers of every answer; the store knows it as a request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trace = continue_trace(headers.get(b"traceparent", b"").decode("latin-1"))
        asked = headers.get(b"accept-language", b"").decode("latin-1")
        language = current_language.set(preferred(asked))
        request = answering.set(True)
        begun = time.perf_counter()
        status = 500
        started = False
        held: list[Callable[[], None]] = []
        scope[HELD] = held

        async def watched(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started = True
                let_go(held)
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"api-version", API_VERSION.encode()),
                    (b"traceparent", trace.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            # Nobody waits for an answer any more, and nothing went wrong on this side.
            status = CALLER_GONE
            log.info("the caller went away before its answer", path=scope["path"])
        except Exception as exc:  # whatever nobody expected: logged once, and answered without its inside
            if started:
                raise
            await problems.unexpected(scope["path"], exc).response()(scope, receive, watched)
        finally:
            let_go(held)
            current_language.reset(language)
            answering.reset(request)
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - begun)


def build_app(
    runtime: Runtime,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    form_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """The application of one service, to be mounted at ``/<service>``; ``form_limits`` as in ``BodyLimit``."""
    app = FastAPI(
        title=title,
        description=description,
        version=API_VERSION,
        # ``describe`` answers for this.
        openapi_url=None,
        root_path_in_servers=False,
        dependencies=[Depends(problems.check_json)],
        # Observed does this; the framework's own would look for its providers at every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        servers=[{"url": f"{runtime.settings.public_url.rstrip('/')}/{runtime.service}"}],
    )
    app.state.runtime = runtime
    app.state.shares = Shares()
    problems.install(app)
    describe(app)
    app.include_router(_health(runtime))
    for router in routers:
        app.include_router(router)
    app.add_middleware(BodyLimit, limit=runtime.settings.body_limit, forms=form_limits or {})
    app.add_middleware(Observed, metrics=runtime.metrics)
    _work_out_routes(app)
    return app


def _work_out_routes(app: FastAPI) -> None:
    """Let the framework work out all routes now, by asking each for an address that nobody has.

    Else it would at the first request: with two services in threads of one process at the same time, and each then
    changes which warnings the other gets.
    """
    scope = {"type": "http", "method": "GET", "path": "/-", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(scope)


def _health(runtime: Runtime) -> APIRouter:
    router = APIRouter(tags=["health"])
    # Each of these may wait for a bus or a store that does not answer, and nobody needs a token for them.
    state_now = Together(runtime.readiness)
    registry: Any = runtime.metrics.registry
    everything = Together(partial(generate_latest, registry))
    lag = Together(partial(generate_latest, registry.restricted_registry([runtime.metrics.lag_name])))

    @router.get("/health/live", summary="Whether the process runs")
    async def live() -> dict[str, str]:
        return {"status": "live", "service": runtime.service}

    @router.get("/health/ready", summary="Whether bus, store and law can be reached")
    async def ready() -> JSONResponse:
        state = await state_now.get()
        well = is_well(state)
        body = {
            "status": "ready" if well else "not ready",
            "service": runtime.service,
            "checks": {name: told(answer) for name, answer in state.items()},
        }
        return JSONResponse(body, 200 if well else 503, headers={} if well else {"Retry-After": "2"})

    @router.get("/metrics", summary="Prometheus metrics; in production all of them with DMI_METRICS_TOKEN")
    async def metrics(request: Request) -> Response:
        collects = _collects(runtime, request.headers.get("authorization", ""))
        return Response(await (everything if collects else lag).get(), media_type=CONTENT_TYPE_LATEST)

    return router


def _collects(runtime: Runtime, authorization: str) -> bool:
    """Whether all metrics are for who asks: how many rows, decisions and requests of each route there were."""
    token = runtime.settings.metrics_token.get_secret_value()
    if not token:
        return runtime.settings.env != "production"
    return secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode())
