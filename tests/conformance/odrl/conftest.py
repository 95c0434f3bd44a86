"""Independent test material, read where it stands (``DMI_TEST_CONFORMANCE``, else beside the checkout)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("DMI_TEST_CONFORMANCE") or ROOT.parent / "shared" / "conformance") / "odrl"


def cases(suite: str) -> list[Any]:
    """The cases of a suite, each under its name; one that says what is missing when the folder is."""
    file = FOLDER / suite / "cases.json"
    if not file.is_file():
        return [pytest.param(None, id="material-missing")]
    return [pytest.param(case, id=case["id"]) for case in json.loads(file.read_text("utf-8"))]


@pytest.fixture
def material() -> Path:
    """The folder of ODRL's material; its README says where it comes from."""
    if not FOLDER.is_dir():
        from tests.servers_plugin import require  # a plug-in: pytest must import it first

        require("conformance", f"no conformance material at {FOLDER}; set DMI_TEST_CONFORMANCE")
    return FOLDER
