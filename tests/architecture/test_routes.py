"""Every route is gated, for signed-in members, or in the short list of public ones; every topic is in the table."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from dmi_agreements.crossings import BY_TOPIC
from dmi_command.blueprints import SERVICES
from dmi_exchange.dsp.door import NodeDoor
from dmi_infra.bus import open_bus
from dmi_infra.http.access import identify, placed
from dmi_infra.http.limits import large_body

PUBLIC = {
    "* /health/live", "* /health/ready", "* /metrics",
    "exchange /token", "exchange /.well-known/jwks.json", "exchange /v1/demo/identities",
    "exchange /v1/demo/token", "exchange /v1/paper/token",
    "exchange /v1/oidc", "exchange /v1/oidc/login", "exchange /v1/oidc/callback",
    "exchange /v1/oidc/token", "exchange /v1/rulebook", "exchange /v1/catalogue",
    "exchange /v1/log/head", "exchange /v1/log/consistency", "exchange /.well-known/authzen-configuration",
    "exchange /.well-known/dspace-version", "exchange /dsp/.well-known/dspace-version",
    "ingest /v1/kinds",
    "support-centre /v1/measures/feed", "support-centre /v1/coefficients",
}  # fmt: skip
"""Routes without an identity: health, tokens, what is public by its nature. Adding one is a decision."""

MEMBERS_ONLY = {"exchange"}
"""Services whose routes carry no observations: a signed-in member is enough. Elsewhere such routes are listed."""

MEMBER_ROUTES = {
    "ingest": {"/v1.1", "/v1/imports"},
    "platform": {"/v1/outcomes", "/v1/rejects"},
    "visualisation": set(),
    "support-centre": {
        "/v1/rules",
        "/v1/measures",
        "/v1/subscriptions",
        "/v1/scenarios",
        "/v1/forecasts/recompute",
    },
}
"""Prefixes of routes about a member's own work; observations do not leave the stack through them."""

ASIDE = {
    "GET /v1/nodes/catalogue", "POST /v1/negotiations", "POST /v1/transfers", "POST /v1/transfers/{transfer}/token",
    "POST /dsp/negotiations/request", "POST /dsp/negotiations/offers", "POST /dsp/negotiations/{pid}/agreement",
    "POST /dsp/transfers/request", "POST /dsp/transfers/{pid}/start",
    "GET /dsp/data/{transfer}", "POST /dsp/data/{transfer}",
    "GET /v1/log/evidence", "GET /v1/log/{sequence}/explanation", "GET /v1/log/verify",
    "POST /v1/agreements", "POST /v1/agreements/{agreement}/signature", "POST /v1/agreements/{agreement}/refinement",
    "POST /v1/offers", "POST /v1/review", "GET /v1/catalogue", "GET /v1/log/consistency",
}  # fmt: skip
"""Routes of the exchange that ask another node, a name server, or a service of this node, or reckon for long
(``dmi_infra.aside``)."""

RUNS = {
    "POST /v1/scenarios/{scenario}/edits", "POST /v1/scenarios/{scenario}/recompute",
    "POST /v1/scenarios/{scenario}/renew", "GET /v1/scenarios/{scenario}/merge",
    "POST /v1/scenarios/{scenario}/merge", "GET /v1/scenarios/{scenario}/result",
    "GET /v1/scenarios/{scenario}/export", "GET /v1/scenarios/compare",
}  # fmt: skip
"""Routes of the support centre that run scenarios, or may have to."""


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, FastAPI]]:
    folder: Path = tmp_path_factory.mktemp("stack")
    bus = open_bus(f"embedded:///{folder / 'bus.db'}")
    bus.create_topics()
    services = {
        name: blueprint.build(blueprint.settings(data_dir=folder), bus)
        for name, blueprint in SERVICES.items()
    }
    yield {name: service.app for name, service in services.items()}
    for service in services.values():
        service.close()
    bus.close()


def _calls(dependant: Dependant) -> Iterator[object]:
    for sub in dependant.dependencies:
        yield sub.call
        yield from _calls(sub)


def _routes(app: FastAPI | APIRouter) -> Iterator[APIRoute]:
    for route in app.routes:
        included = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            yield route
        elif included is not None:
            # The framework keeps an included router whole; its routes carry their own prefix already.
            yield from _routes(included)


def test_the_routes_below_are_those_that_the_openapi_documents_describe(apps: dict[str, FastAPI]) -> None:
    for app in apps.values():
        found = {route.path.replace(":path}", "}") for route in _routes(app) if route.include_in_schema}
        assert found == set(app.openapi()["paths"])


def test_every_route_is_gated_or_for_members_or_public(apps: dict[str, FastAPI]) -> None:
    open_routes, loose = [], []
    for name, app in apps.items():
        for route in _routes(app):
            calls = list(_calls(route.dependant))
            label = f"{name} {route.path}"
            if any(hasattr(call, "dmi_crossing") for call in calls):
                continue
            if any(hasattr(call, "dmi_door") for call in calls):
                # The doors between nodes: each proves a member, a known node, or the receiver of a transfer.
                assert name == "exchange"
                assert route.path.startswith("/dsp/")
            elif identify not in calls:
                if label not in PUBLIC and f"* {route.path}" not in PUBLIC:
                    open_routes.append(label)
            elif name not in MEMBERS_ONLY and not route.path.startswith(tuple(MEMBER_ROUTES[name])):
                loose.append(label)
    assert open_routes == []
    assert loose == []


def test_no_route_that_knows_who_asks_is_answered_on_a_thread_without_a_place(
    apps: dict[str, FastAPI],
) -> None:
    """A coroutine has lines of its own; who proves nothing has one with all others, or asks what costs nothing."""
    loose = [
        f"{name} {sorted(route.methods)} {route.path}"
        for name, app in apps.items()
        for route in _routes(app)
        for calls in [list(_calls(route.dependant))]
        if not inspect.iscoroutinefunction(route.endpoint)
        and (
            identify in calls
            or any(hasattr(call, "dmi_crossing") or hasattr(call, "dmi_door") for call in calls)
        )
        and placed not in calls
        # It asks for a place itself, once it knows whom a node speaks for: see the tests of it.
        and not any(isinstance(getattr(call, "__self__", call), NodeDoor) for call in calls)
    ]
    assert loose == []


AT_ONCE = frozenset(
    ["end", "suspend", "withdraw", "stop", "erasure", "objection", "rectification", "notice", "revocation"],
)
"""How the address ends of what takes a right away, or exercises one: it is asked when somebody has too much in hand."""


def test_what_takes_a_right_away_has_a_line_of_its_own(apps: dict[str, FastAPI]) -> None:
    wanted, found = set(), set()
    for route in _routes(apps["exchange"]):
        label = f"{sorted(route.methods)} {route.path}"
        if "POST" in route.methods and route.path.rpartition("/")[2] in AT_ONCE:
            wanted.add(label)
        if hasattr(route.endpoint, "dmi_at_once"):
            found.add(label)
    assert found == wanted
    assert {label.rpartition("/")[2] for label in found} == AT_ONCE


LARGE = {
    "ingest /v1/batches", "ingest /v1/features", "ingest /v1.1/CreateObservations", "exchange /dsp/data/{transfer}",
}  # fmt: skip
"""Routes that take large bodies, each of which looks who sends one before it reads it. Adding one is a decision."""


def test_nothing_is_made_of_a_body_before_a_door_between_nodes_opens(apps: dict[str, FastAPI]) -> None:
    early, large = [], set()
    for name, app in apps.items():
        for route in _routes(app):
            calls = list(_calls(route.dependant))
            if large_body in calls:
                large.add(f"{name} {route.path}")
            # Where members come in, ``BodyLimit`` asks for their token before a byte is read.
            if route.body_field is not None and any(hasattr(call, "dmi_door") for call in calls):
                early.append(f"{name} {route.path}")
    assert early == []
    assert large == LARGE


def test_routes_that_wait_for_others_hold_no_request_thread(apps: dict[str, FastAPI]) -> None:
    for service, names in (("exchange", ASIDE), ("support-centre", RUNS)):
        found = {
            f"{method} {route.path}": route.endpoint
            for route in _routes(apps[service])
            for method in route.methods
        }
        assert found.keys() >= names
        assert [name for name in names if not inspect.iscoroutinefunction(found[name])] == []


def test_every_public_route_of_the_list_exists(apps: dict[str, FastAPI]) -> None:
    known = {f"{name} {route.path}" for name, app in apps.items() for route in _routes(app)}
    anywhere = {f"* {route.path}" for app in apps.values() for route in _routes(app)}
    assert known | anywhere >= PUBLIC


def test_every_openapi_document_is_valid_and_describes_problems(apps: dict[str, FastAPI]) -> None:
    for name, app in apps.items():
        document = app.openapi()
        validate(document)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert "422" not in operation["responses"], f"{name} {method} {path}"
                assert "application/problem+json" in operation["responses"]["400"]["content"]


def test_every_topic_that_a_service_reads_is_in_the_table_of_crossings() -> None:
    import dmi_exchange.consumer
    import dmi_platform.consumer
    import dmi_support_centre.consumer
    import dmi_visualisation.consumer

    for name, module in (
        ("exchange", dmi_exchange.consumer),
        ("platform", dmi_platform.consumer),
        ("support-centre", dmi_support_centre.consumer),
        ("visualisation", dmi_visualisation.consumer),
    ):
        for topic in module.TOPICS:
            assert name in BY_TOPIC[topic].subscribers
