"""A node of the test profile that listens on a port, and a counterpart for each test."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from dmi_command.servers import free_port
from dmi_command.stack import versions_route
from dmi_exchange.app import build
from dmi_exchange.settings import ExchangeSettings
from tests.conformance.dsp.counterpart import Counterpart
from tests.conformance.dsp.published import Schemas
from tests.servers_plugin import require
from tests.unit.infra.fakes import FakeBus, as_bus

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of the protocol's published material (``DMI_TEST_CONFORMANCE``, else beside the checkout)."""
    folder = Path(os.environ.get("DMI_TEST_CONFORMANCE") or ROOT.parent / "shared" / "conformance") / "dsp"
    if not folder.is_dir():
        require("conformance", f"no conformance material at {folder}; set DMI_TEST_CONFORMANCE")
    return folder


@pytest.fixture(scope="session")
def schemas(published: Path) -> Schemas:
    return Schemas(published)


@contextmanager
def listening(folder: Path, port: int | None = None, **settings: Any) -> Iterator[str]:
    """An exchange on a bus in memory that answers on a port; its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    service = build(ExchangeSettings(data_dir=folder, public_url=address, **settings), as_bus(FakeBus()))
    service.start()
    app = Starlette(routes=[versions_route(), Mount("/exchange", service.app)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        yield address
    finally:
        server.should_exit = True
        thread.join(10)
        service.stop()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a node of the test profile."""
    with listening(tmp_path_factory.mktemp("dsp"), test_profile="dsp-tck") as address:
        yield address


@pytest.fixture
def other(schemas: Schemas) -> Iterator[Counterpart]:
    made = Counterpart(schemas)
    yield made
    made.close()
    assert made.faults == []
