"""The page of a resident's own data: what is measured can be taken along, whatever others may do with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit, Visitor
from tests.integration.test_own_copy import bicycles_stopped, things
from tests.stack_plugin import EmbeddedStack

TAKE = re.compile("^Download uw metingen")


def taken(visitor: Visitor) -> set[str]:
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=TAKE).click()
    assert download.value.suggested_filename == "bicycle-air-csv.zip"
    return things(download.value.path().read_bytes())


@pytest.mark.chromium
def test_own_measurements_are_downloaded_also_when_they_may_no_longer_be_shown(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    noor = visit(embedded_stack.url, "resident")
    noor.go("/my-data")
    assert taken(noor) == {"bicycle-air.bicycle-1"}
    assert noor.faults == []
    with bicycles_stopped(embedded_stack):
        page = noor.go("/my-data")
        assert taken(noor) == {"bicycle-air.bicycle-1"}
        page.set_viewport_size({"width": 360, "height": 800})
        expect(page.get_by_role("button", name=TAKE)).to_be_visible()
    assert noor.unexpected() == []
