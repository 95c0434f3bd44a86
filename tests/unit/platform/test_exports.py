"""How many exports one participant may have, what becomes of those that nobody takes, and what each tells of itself."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import Request
from dmi_infra.gate import Permit
from dmi_infra.http import downloads
from dmi_infra.identity import Identity
from dmi_infra.jose import Acting
from dmi_platform import export
from dmi_platform.rows import Page
from dmi_platform.settings import PlatformSettings

from .conftest import GARAGES, OWNER, VENDOR, counts

if TYPE_CHECKING:
    from .conftest import City

SHARE = PlatformSettings().share_of_exports


class Reader:
    """Somebody who has an export begin and takes nothing of it, until it hangs up."""

    def __init__(self, city: City) -> None:
        self._app = city.service.app
        self._hung_up = asyncio.Event()
        self.begun = asyncio.Event()
        self.status = 0
        self.task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": "/v1/export", "raw_path": b"/v1/export", "root_path": "",
            "query_string": f"dataset={GARAGES}".encode(), "client": ("127.0.0.1", 1), "server": ("platform", 80),
            "headers": [(b"dmi-purpose", b"dmi:purpose:mobility")],
        }  # fmt: skip
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.begun.set()
        await asyncio.Event().wait()

    async def hang_up(self) -> None:
        self._hung_up.set()
        await self.task


async def ask(city: City) -> httpx.Response:
    city.beat()
    transport = httpx.ASGITransport(city.service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        headers = {"DMI-Purpose": "dmi:purpose:mobility"}
        return await client.get("/v1/export", params={"dataset": GARAGES}, headers=headers)


async def stalled(city: City, number: int) -> list[Reader]:
    city.beat()
    readers = [Reader(city) for _ in range(number)]
    for reader in readers:
        await asyncio.wait_for(reader.begun.wait(), 10)
    return readers


@pytest.fixture
def full(garages: City) -> City:
    """Garages with rows that a vendor may export too."""
    garages.hand_in(counts("centrum", *range(50)))
    garages.agree(GARAGES, "dmi:export", assignee=VENDOR)
    return garages


def uses(city: City) -> int:
    return sum(isinstance(one, DecisionRecord) and one.decides for one in city.records)


def test_one_participant_has_its_share_of_the_exports_and_no_more(full: City) -> None:
    async def several() -> None:
        readers = await stalled(full, SHARE)
        full.records.clear()
        answer = await ask(full)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert f"you have {SHARE} exports open" in answer.json()["detail"]
        assert uses(full) == 0, "what finds no place is no use"
        full.identity = Identity(OWNER, "A machine of it", frozenset(), Acting(OWNER, "urn:uuid:m"))
        assert (await ask(full)).status_code == 503, "also where it acts for somebody"
        full.identity = Identity(VENDOR, "Vendor", frozenset())
        assert (await ask(full)).status_code == 200
        full.identity = Identity(OWNER, "Officer", frozenset())
        await readers[0].hang_up()
        assert (await ask(full)).status_code == 200
        assert (await ask(full)).status_code == 200, "an export that is over gives its place back"
        for reader in readers[1:]:
            await reader.hang_up()

    asyncio.run(several())


def test_an_export_that_is_refused_takes_no_place(full: City) -> None:
    full.identity = Identity("urn:dmi:participant:nobody", "Nobody", frozenset())

    async def several() -> None:
        for _ in range(SHARE + 2):
            assert (await ask(full)).status_code == 403

    asyncio.run(several())


def test_an_export_that_nobody_takes_is_broken_off_and_told(
    full: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TAKE_SECONDS", 0.2)

    async def several() -> None:
        readers = await stalled(full, SHARE)
        for reader in readers:
            await asyncio.wait_for(reader.task, 10)
        assert {reader.status for reader in readers} == {200}
        assert (await ask(full)).status_code == 200

    asyncio.run(several())


def test_what_one_page_of_an_export_keeps_to_itself_goes_for_all_of_it() -> None:
    permit = Permit("export", (Request(VENDOR, "dmi:export", GARAGES, "dmi:purpose:mobility"),), (), (), True)
    pages = [Page(counts("centrum", 1), None, frozenset({"one"})), Page(counts("centrum", 2), None)]
    hides = iter([False, True, False])
    body = b"".join(export.stream(permit, None, pages, "csv", ("a", "b"), lambda: next(hides)))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        grounds = json.loads(archive.read("lineage.json"))["grounds"]
    assert "consents" not in grounds, "a consent that asked for groups ended before the last page"
