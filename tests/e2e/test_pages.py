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
    "/desk",
    "/operations",
    "/mandates",
    "/transactions",
)
IDENTITIES = ("officer", "vendor", "analyst", "resident", "operator")
ON_PHONES = ("officer", "resident")
"""Who visits by phone as well, in English and dark; the pages of the others are made of the same parts."""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PHONE, DESK = {"width": 360, "height": 900}, {"width": 1440, "height": 900}


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("identity", "width", "language", "scheme"),
    [
        *((identity, 1440, "nl", "light") for identity in IDENTITIES),
        *((identity, 360, "en", "dark") for identity in ON_PHONES),
    ],
)
def test_every_page_opens_without_faults_and_without_barriers(
    embedded_stack: EmbeddedStack, visit: Visit, identity: str, width: int, language: str, scheme: str
) -> None:
    visitor = visit(embedded_stack.url, identity, width, language, scheme)
    axe = Axe()
    barriers, wide = [], []
    visitor.go("/")
    for path in PAGES:
        # By its address for those who visit by phone as well; as by a link within it for the others.
        page = visitor.go(path) if identity in ON_PHONES else visitor.follow(path)
        if page.evaluate(WIDER):
            wide.append(f"{path} at {width} pixels")
        found = axe.run(page).response["violations"]
        barriers += [f"{path}: {one['id']} at {one['nodes'][0]['target']}" for one in found]
        if identity not in ON_PHONES:
            page.set_viewport_size(PHONE)
            if page.evaluate(WIDER):
                wide.append(f"{path} at 360 pixels")
            page.set_viewport_size(DESK)
    assert (wide, barriers, visitor.faults) == ([], [], [])
