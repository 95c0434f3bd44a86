"""A browser for the pages: one Chromium for this folder, and visitors with a demonstration identity each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
)
"""MapLibre needs WebGL: it is drawn by software where there is no graphics card."""

PATIENCE = 20_000
"""Milliseconds."""


@dataclass
class Visitor:
    """A person at a page; ``faults`` holds what the browser complained of."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the application and wait until nothing is loading any more."""
        self.page.goto(self.url + path)
        self.settle()
        return self.page

    def follow(self, path: str) -> Page:
        """Go to a page as a link within the application does: nothing is fetched or compiled anew."""
        self.page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }",
            path,
        )
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page has a heading and no part of it is a grey placeholder."""
        # Not with a function in the page: the content security policy forbids to evaluate text there.
        expect(self.page.locator("h1")).to_have_count(1, timeout=PATIENCE)
        expect(self.page.locator(".dmi-skeleton")).to_have_count(0, timeout=PATIENCE)

    def note(self, message: ConsoleMessage) -> None:
        """Keep an error of the console: on which page, what, and which address or line of code it is about."""
        if message.type == "error":
            at = message.location
            where = f"{at['url']}:{at['lineNumber']}:{at['columnNumber']}"
            self.faults.append(f"{self.page.url}: {message.text} ({where})")

    def crashed(self, error: Error) -> None:
        """Keep what no code of the page caught, with its stack."""
        self.faults.append(f"{self.page.url}: {error.stack or error.message}")

    def unexpected(self) -> list[str]:
        """Faults but for refusals, which a stop is meant to cause."""
        return [fault for fault in self.faults if "status of 403" not in fault]


Visit = Callable[..., Visitor]
Scheme = Literal["light", "dark"]


# Not for the whole session: while Playwright runs, its event loop counts as running in this thread,
# and tests elsewhere that start one of their own would fail.
@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=list(ARGUMENTS))
        # Patience where the story sets no bound of its own: the machine may be busy with other tests.
        expect.set_options(timeout=PATIENCE)
        yield started
        started.close()


Contexts = Callable[[str, str], BrowserContext]


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[Contexts]:
    """One profile of the browser for each language and zone: the application is fetched and compiled once in it."""
    made: dict[tuple[str, str], BrowserContext] = {}

    def context(language: str, zone: str) -> BrowserContext:
        if (language, zone) not in made:
            made[language, zone] = browser.new_context(
                locale=language, timezone_id=zone, reduced_motion="reduce"
            )
        return made[language, zone]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def visit(contexts: Contexts) -> Iterator[Visit]:
    """``visit(url, identity, width, language, scheme, zone)`` opens a page as somebody; closed after the test."""
    used: set[BrowserContext] = set()

    def open_as(
        url: str,
        identity: str,
        width: int = 1440,
        language: str = "nl",
        scheme: Scheme = "light",
        zone: str = "Europe/Amsterdam",
    ) -> Visitor:
        known = httpx.get(f"{url}/exchange/v1/demo/identities", timeout=10).raise_for_status().json()
        person = next(one for one in known if one["id"] == identity)
        context = contexts(language, zone)
        used.add(context)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        # A tab's own storage is empty at its first address alone: there the visit begins, with nothing chosen before.
        page.add_init_script(
            "if (!sessionStorage.getItem('begun')) { localStorage.clear(); sessionStorage.setItem('begun', '1'); }"
            f"sessionStorage.setItem('dmi.identity', {json.dumps(json.dumps(person))});"
            f"localStorage.setItem('dmi.language', {json.dumps(language)})"
        )
        visitor = Visitor(page, url)
        visitor.page.on("console", visitor.note)
        visitor.page.on("pageerror", visitor.crashed)
        return visitor

    yield open_as
    for context in used:
        context.set_offline(False)
        for page in context.pages:
            page.close()
