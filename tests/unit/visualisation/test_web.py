"""The browser application's files and its way back to the first page."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from dmi_visualisation.web import browser_application


def _get(path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(browser_application())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "path", ["/", "/map", "/lineage/forecast%3Agarages.centrum", "/datasets/urn:dmi:x:y.z", f"/{'a' * 300}"]
)
def test_a_page_of_the_application_gets_its_first_page_even_when_an_id_holds_dots(path: str) -> None:
    answer = _get(path)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/favicon.ico",
        "/assets/none.mjs",
        "/%00",
        "/assets/%00",
        "/assets/none",
        f"/assets/{'a' * 300}",
    ],
)
def test_a_file_that_is_not_there_is_a_problem_and_not_a_page(path: str) -> None:
    answer = _get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_path_that_climbs_out_gets_nothing_from_outside() -> None:
    assert "root:" not in _get("/..%2f..%2f..%2f..%2f..%2fetc/passwd").text
