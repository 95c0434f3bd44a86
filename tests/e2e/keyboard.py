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


def choose(page: Page, field: Locator, name: str) -> None:
    """Choose in a list by typing the beginning of the name, as a keyboard does."""
    tab_to(page, field)
    page.keyboard.type(name)
    expect(field.locator("option:checked")).to_have_text(name)


def write(page: Page, field: Locator, text: str) -> None:
    """Write into a field, in the place of what stands there."""
    tab_to(page, field)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def push(page: Page, wanted: Locator) -> None:
    """Go to a button or link and press Enter."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")
