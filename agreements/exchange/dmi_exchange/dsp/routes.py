"""The protocol's HTTPS binding: a route parses, calls a use case, answers in the protocol's documents.

Annotations are evaluated where they stand, since those of the routes name the door, which is chosen at the start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from dmi_agreements.dsp import messages, states
from dmi_agreements.dsp.messages import MessageRefused
from dmi_agreements.dsp.states import Kind
from dmi_exchange.dsp import negotiation, transfer
from dmi_exchange.dsp.catalogue import PAGE, Catalogue
from dmi_exchange.dsp.door import Door, NodeDoor, behind
from dmi_exchange.dsp.endings import Endings
from dmi_exchange.dsp.members import Told
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.transfer import Transfers
from dmi_exchange.errors import StepRefused
from dmi_exchange.notices.taking import Taking
from dmi_infra.aside import Aside
from dmi_infra.errors import Failure, InputRefused, Unavailable
from dmi_infra.http.access import Asking
from dmi_infra.http.problems import problem_of
from dmi_infra.http.shares import at_once
from dmi_infra.lanes import Asker
from dmi_infra.unicode import encodable

log = structlog.get_logger("exchange")

BASE = "/dsp"
WELL_KNOWN = "/.well-known/dspace-version"


@dataclass(frozen=True, slots=True)
class Dataspace:
    """All that the routes need. ``advance`` is called when an answer has gone out."""

    catalogue: Catalogue
    negotiations: Negotiations
    transfers: Transfers
    advance: Callable[[str], object]
    door: Door
    binding: Door
    """For steps that bind the participant."""
    operator: str
    aside: Aside


def failed(kind: str, request: Request, exc: Exception) -> Response:
    """The protocol's error document for what was refused."""
    status, code, reasons = 400, "invalid", [str(exc)]
    process = exc.process if isinstance(exc, StepRefused) else None
    problem = problem_of(exc)
    if isinstance(exc, HTTPException):
        status, code, reasons = exc.status_code, "refused", [str(exc.detail)]
    elif problem is not None:
        status, code = problem.status, problem.code
        reasons = [f"{error.field or '/'}: {error.rule}" for error in problem.errors] or [problem.detail]
    elif isinstance(exc, RequestValidationError):
        reasons = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in exc.errors()[:20]]
    if process is not None:
        pids = (process.provider_pid, process.consumer_pid)
    else:
        body = getattr(request, "_json", None)
        named = body if isinstance(body, dict) else {}
        pid = request.path_params.get("pid", "")
        pids = (_text(named.get("providerPid")) or pid, _text(named.get("consumerPid")) or pid)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = "2" if status == 503 else "60"
    return JSONResponse(messages.error(kind, code, reasons, *pids), status, headers=headers)


def _text(value: object) -> str:
    # Of a body that was refused for its texts one may stand here that no answer can hold.
    return value if isinstance(value, str) and encodable(value) else ""


def _route(kind: str) -> type[APIRoute]:
    class DspRoute(APIRoute):
        """A route whose refusals are the protocol's error documents of its kind."""

        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                try:
                    return await handle(request)
                except (Failure, RequestValidationError, HTTPException) as exc:
                    return failed(kind, request, exc)

            return guarded

    return DspRoute


def _read(body: object, *types: str) -> messages.Message:
    try:
        return messages.read(body, *types)
    except MessageRefused as exc:
        raise StepRefused.from_findings(exc) from exc


def routers(dataspace: Dataspace) -> list[APIRouter]:
    """The protocol under ``/dsp``, and the version document where clients look for it.

    Left out of OpenAPI: the standard describes these routes, and their errors are its documents.
    """
    return [_versions(), _catalogue(dataspace), _negotiations(dataspace), _transfers(dataspace)]


def _versions() -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get(WELL_KNOWN)
    def of_the_service() -> dict[str, Any]:
        return messages.version(BASE)

    @routes.get(f"{BASE}{WELL_KNOWN}")
    def of_the_protocol() -> dict[str, Any]:
        return messages.version("")

    return routes


def _catalogue(dataspace: Dataspace) -> APIRouter:
    routes = APIRouter(prefix=f"{BASE}/catalog", include_in_schema=False, route_class=_route("catalogue"))
    Given = Annotated[Any, Depends(behind(dataspace.door))]

    @routes.post("/request")
    def page(
        body: Given,
        response: Response,
        _peer: Annotated[str, Depends(dataspace.door)],
        after: Annotated[str, Query(max_length=200)] = "",
        before: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
    ) -> dict[str, Any]:
        came = _read(body, "CatalogRequestMessage")
        answer = dataspace.catalogue.page(came, after, before, limit)
        if answer.links:
            response.headers["Link"] = ", ".join(answer.links)
        return answer.body

    @routes.get("/datasets/{pid}")
    def dataset(pid: str, _peer: Annotated[str, Depends(dataspace.door)]) -> dict[str, Any]:
        return dataspace.catalogue.dataset(pid)

    return routes


def _negotiations(dataspace: Dataspace) -> APIRouter:
    prefix = f"{BASE}/negotiations"
    routes = APIRouter(prefix=prefix, include_in_schema=False, route_class=_route("negotiation"))
    use = dataspace.negotiations
    Peer = Annotated[str, Depends(dataspace.binding)]
    Given = Annotated[Any, Depends(behind(dataspace.binding))]
    _state(routes, dataspace, "negotiation")

    @routes.post("/request", status_code=201)
    async def requested(body: Given, peer: Peer, asker: Asking, tasks: BackgroundTasks) -> dict[str, Any]:
        begun = await dataspace.aside.run(asker, lambda: use.requested(_read(body, states.REQUEST), peer))
        return _answered(begun, dataspace, asker, tasks)

    @routes.post("/offers", status_code=201)
    async def offered(body: Given, peer: Peer, asker: Asking, tasks: BackgroundTasks) -> dict[str, Any]:
        def begin() -> Process:
            return use.offered(_read(body, states.OFFER), peer, dataspace.operator)

        return _answered(await dataspace.aside.run(asker, begin), dataspace, asker, tasks)

    for end, types in negotiation.FURTHER.items():
        _further(routes, dataspace, end, types, use.received)
    return routes


def _transfers(dataspace: Dataspace) -> APIRouter:
    prefix = f"{BASE}/transfers"
    routes = APIRouter(prefix=prefix, include_in_schema=False, route_class=_route("transfer"))
    use = dataspace.transfers
    _state(routes, dataspace, "transfer")

    @routes.post("/request", status_code=201)
    async def requested(
        body: Annotated[Any, Depends(behind(dataspace.binding))],
        peer: Annotated[str, Depends(dataspace.binding)],
        asker: Asking,
        tasks: BackgroundTasks,
    ) -> dict[str, Any]:
        def begin() -> Process:
            return use.requested(_read(body, states.TRANSFER_REQUEST), peer)

        return _answered(await dataspace.aside.run(asker, begin), dataspace, asker, tasks)

    for end, kind in transfer.FURTHER.items():
        _further(routes, dataspace, end, (kind,), use.received)
    return routes


def _state(routes: APIRouter, dataspace: Dataspace, kind: Kind) -> None:
    @routes.get("/{pid}")
    def state(pid: str, peer: Annotated[str, Depends(dataspace.door)]) -> dict[str, Any]:
        return dataspace.negotiations.steps.visible(kind, pid, peer).acknowledgement()


def between_nodes(door: NodeDoor, endings: Endings, notices: Taking, own: Callable[[], Told]) -> APIRouter:
    """What nodes of this project tell each other beside the protocol, under the same address and tokens."""
    routes = APIRouter(prefix=BASE, include_in_schema=False)
    Given = Annotated[Any, Depends(behind(door.ending))]

    @routes.get("/node")
    def of_this_node(_issuer: Annotated[str, Depends(door.node)]) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(own())
        return found

    @routes.post("/negotiations/{pid}/end")
    @at_once
    def ended(pid: str, body: Given, peer: Annotated[str, Depends(door.ending)]) -> dict[str, Any]:
        return endings.ended(pid, peer, body if isinstance(body, dict) else {}).acknowledgement()

    @routes.post("/negotiations/{pid}/notice")
    @at_once
    def noticed(pid: str, body: Given, peer: Annotated[str, Depends(door.ending)]) -> dict[str, Any]:
        return notices.take(pid, peer, body if isinstance(body, dict) else {})

    return routes


def _further(
    routes: APIRouter,
    dataspace: Dataspace,
    end: str,
    types: tuple[str, ...],
    receive: Callable[[str, messages.Message, str], Process],
) -> None:
    @routes.post(f"/{{pid}}/{end}")
    async def received(
        pid: str,
        body: Annotated[Any, Depends(behind(dataspace.binding))],
        peer: Annotated[str, Depends(dataspace.binding)],
        asker: Asking,
        tasks: BackgroundTasks,
    ) -> dict[str, Any]:
        process = await dataspace.aside.run(asker, lambda: receive(pid, _read(body, *types), peer))
        return _answered(process, dataspace, asker, tasks)


def _answered(process: Process, dataspace: Dataspace, asker: Asker, tasks: BackgroundTasks) -> dict[str, Any]:
    # Behind the answer: the other side must know of the process before it hears more of it.
    tasks.add_task(_go_on, dataspace, process, asker.party)
    return process.acknowledgement()


async def _go_on(dataspace: Dataspace, process: Process, party: str) -> None:
    try:
        # What came was taken: from here on this node goes on of itself.
        itself = Asker.by_nothing(party)
        await dataspace.aside.run(itself, partial(dataspace.advance, process.id))
    except Unavailable as exc:
        # The courier does it in its turn.
        log.info("a process goes on later", process=process.id, reason=exc.public)


__all__ = ["Dataspace", "InputRefused", "failed", "routers"]
