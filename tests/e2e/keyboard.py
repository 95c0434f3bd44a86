"""Working a page with the keyboard alone: Tab goes on until what is wanted has the focus."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

MOST_STEPS = 400


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until ``wanted`` has the focus; fails when the keyboard cannot get there."""
    expect(wanted).to_be_visible()
    element = wanted.element_handle()
    assert element is not None
    for _ in range(MOST_STEPS):
        if element.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{MOST_STEPS} times {key} do not lead to {wanted}")
