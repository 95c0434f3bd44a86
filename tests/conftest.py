"""Fixtures of all tests: the real data folder; real servers come from ``servers_plugin``."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import httpx._transports.default
import pytest
import structlog

# Each plain request of httpx, thousands of them here, would read all certificate authorities anew, which takes 35 ms.
httpx._transports.default.create_ssl_context = cache(httpx._transports.default.create_ssl_context)

# The library's own way draws each frame with its variables, which takes a second and more where the machine is busy.
structlog.configure(
    processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
)

pytest_plugins = ["tests.servers_plugin", "tests.stack_plugin"]

ROOT = Path(__file__).resolve().parents[1]
OWN_FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A folder of this session's own for temporary files.

    Sessions side by side would else share one, which each closes to other users when it starts; PostgreSQL runs as
    another user when the tests run as root, and ends when its folder is closed.
    """
    if config.option.basetemp is None:
        config.stash[OWN_FOLDER] = Path(tempfile.mkdtemp(prefix="dmi-tests-"))
        config.option.basetemp = str(config.stash[OWN_FOLDER] / "temp")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the files of a session that failed, for whoever looks into it; last, when all servers have stopped."""
    if exitstatus == pytest.ExitCode.OK and OWN_FOLDER in session.config.stash:
        shutil.rmtree(session.config.stash[OWN_FOLDER], ignore_errors=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data (``DMI_TEST_DATA``, else beside the checkout); its README says what is in it."""
    folder = Path(os.environ.get("DMI_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        from tests.servers_plugin import require  # a plug-in: pytest must import it first

        require("realdata", f"no folder of real data at {folder}; set DMI_TEST_DATA")
    return folder
