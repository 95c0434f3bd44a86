"""The browser application's files and its way back to the first page."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from starlette.applications import Starlette

from dmi_visualisation import web
from dmi_visualisation.web import browser_application


def _get(path: str, app: Starlette | None = None, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app or browser_application())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)

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


CODE = "const a = 1;" * 200


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Starlette, Path]:
    """An application of one page and one file of code."""
    code = tmp_path / "static" / "assets" / "a.js"
    code.parent.mkdir(parents=True)
    code.write_text(CODE)
    (tmp_path / "static" / "index.html").write_text("<html></html>")
    monkeypatch.setattr(web.resources, "files", lambda _package: tmp_path)
    return browser_application(), code


def test_a_file_is_packed_once_for_all_who_ask_for_it_and_anew_when_it_was_written_again(
    built: tuple[Starlette, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, code = built
    packing = Mock()

    def counted(pack: Any) -> Any:
        def packed(*of: Any, **more: Any) -> Any:
            packing()
            return pack(*of, **more)

        return packed

    for name in ("compress", "GzipFile"):
        monkeypatch.setattr(gzip, name, counted(getattr(gzip, name)))
    answers = [_get("/assets/a.js", app) for _ in range(4)]
    assert {answer.text for answer in answers} == {CODE}
    assert {answer.headers["content-encoding"] for answer in answers} == {"gzip"}
    assert {answer.headers["content-type"] for answer in answers} == {"text/javascript; charset=utf-8"}
    assert packing.call_count == 1
    code.write_text(CODE.upper())
    os.utime(code, ns=(1, 1))
    assert _get("/assets/a.js", app).text == CODE.upper()


def test_a_file_that_was_written_at_moment_0_is_served_whole(built: tuple[Starlette, Path]) -> None:
    app, code = built
    os.utime(code, ns=(0, 0))
    assert _get("/assets/a.js", app).text == CODE


def test_who_cannot_unpack_and_what_is_small_get_the_file_as_it_is(built: tuple[Starlette, Path]) -> None:
    app, _code = built
    plain = _get("/assets/a.js", app, **{"Accept-Encoding": "br"})
    assert (plain.text, plain.headers.get("content-encoding")) == (CODE, None)
    assert plain.headers["vary"] == "Accept-Encoding"
    page = _get("/", app)
    assert (page.text, page.headers.get("content-encoding")) == ("<html></html>", None)
