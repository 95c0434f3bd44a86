"""Every page opens for every identity: nothing in the console, nothing that axe forbids, no sideways scrolling."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types

from tests.e2e.conftest import Visit
from tests.stack_plugin import EmbeddedStack

GARAGES = "urn:dmi:dataset:gemeente:garages"
PAGES = (
    "/",
    f"/map?layer={GARAGES}&feature=garages.centrum.occupancy",
    f"/map?table={GARAGES}",
    "/catalogue",
    f"/catalogue/{GARAGES}",
    "/agreements",
    "/scenarios",
    "/forecasts",
    "/measures",
    "/my-data",
    "/log",
    "/sources",
    "/publish",
    "/publish/dataset",
    "/nodes",
    "/operations",
    "/mandates",
    "/transactions",
)
IDENTITIES = ("officer", "vendor", "analyst", "resident", "operator")
ON_PHONES = ("officer", "resident")
"""Whose small, dark pages axe looks at too: those of the others are made of the same parts."""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.chromium
@pytest.mark.parametrize(("width", "language", "scheme"), [(1440, "nl", "light"), (360, "en", "dark")])
@pytest.mark.parametrize("identity", IDENTITIES)
def test_every_page_opens_without_faults_and_without_barriers(
    embedded_stack: EmbeddedStack, visit: Visit, identity: str, width: int, language: str, scheme: str
) -> None:
    visitor = visit(embedded_stack.url, identity, width, language, scheme)
    axe = Axe()
    barriers = []
    visitor.go("/")
    for path in PAGES:
        # By its address for those whose pages axe looks at on phones too; as by a link within it for the others.
        page = visitor.go(path) if identity in ON_PHONES else visitor.follow(path)
        assert not page.evaluate(WIDER), f"{path} is wider than {width} pixels"
        if width > 360 or identity in ON_PHONES:
            found = axe.run(page).response["violations"]
            barriers += [f"{path}: {one['id']} at {one['nodes'][0]['target']}" for one in found]
    assert barriers == []
    assert visitor.faults == []
