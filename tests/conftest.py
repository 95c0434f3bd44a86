"""Fixtures of all tests: the real data folder; real servers come from ``servers_plugin``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers_plugin", "tests.stack_plugin"]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data (``DMI_TEST_DATA``, else beside the checkout); its README says what is in it."""
    folder = Path(os.environ.get("DMI_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        from tests.servers_plugin import require  # a plug-in: pytest must import it first

        require("realdata", f"no folder of real data at {folder}; set DMI_TEST_DATA")
    return folder
