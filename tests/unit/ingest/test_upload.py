"""Files of an import: streamed to disk while they arrive, within a limit, and only for who may import."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import cast

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from dmi_infra.errors import InputRefused
from dmi_ingest import upload
from dmi_ingest.errors import TooLarge
from tests.unit.ingest.fakes import GARAGES, GEMEENTE, VENDOR, Node, running

FORM = "multipart/form-data; boundary=line"
IMPORTS = f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}"
END = b"--line--\r\n"
CHUNK = 64 * 1024
MIB = 1024 * 1024


def part(content: bytes, filename: str | None = "a.csv", name: str = "file") -> bytes:
    about = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return b"--line\r\nContent-Disposition: " + about.encode() + b"\r\n\r\n" + content + b"\r\n"


async def pieces(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def received(folder: Path, *parts: bytes, end: bytes = END, size: int = 7, limit: int = 1000) -> list[str]:
    return asyncio.run(upload.receive(FORM, pieces(b"".join(parts) + end, size), folder, limit))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_files_arrive_whole_however_they_are_cut(tmp_path: Path, size: int) -> None:
    contents = [b"a\r\n--lin\r\nb", b"", b"\xff\x00" * 40]
    found = received(tmp_path, *(part(text, f"{n}.csv") for n, text in enumerate(contents)), size=size)
    assert found == ["0.csv", "1.csv", "2.csv"]
    assert [(tmp_path / name).read_bytes() for name in found] == contents


def test_a_name_cannot_lead_out_of_the_folder_or_onto_another_file(tmp_path: Path) -> None:
    given = [
        "../../evil.csv",
        "..",
        "/etc/passwd",
        "a.csv",
        "A.csv",
        "1_a.csv",
        "a.csv",
        "\u00e9t\u00e9.csv",
        "",
    ]
    found = received(tmp_path, *(part(b"x", name) for name in given), limit=10_000)
    assert len({name.casefold() for name in found}) == len(given)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(found)
    assert found[:4] == ["evil.csv", "file", "passwd", "a.csv"]


@pytest.mark.parametrize(
    ("parts", "end", "field"),
    [
        ([], END, "file"),
        ([], b"", "file"),
        ([part(b"x")], b"", "file"),
        ([part(b"x", None)], END, "file"),
        ([part(b"x", name="other")], END, "other"),
        ([b"no form at all"], b"", "file"),
        ([part(b"x")] * (upload.FILES + 1), END, "file"),
    ],
)
def test_what_is_no_form_with_files_is_refused(
    tmp_path: Path, parts: list[bytes], end: bytes, field: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        received(tmp_path, *parts, end=end, size=1000, limit=10_000)
    assert refused.value.errors[0].field == field


@pytest.mark.parametrize(
    "media", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=line"]
)
def test_another_media_type_is_refused(tmp_path: Path, media: str) -> None:
    with pytest.raises(InputRefused, match="file"):
        asyncio.run(upload.receive(media, pieces(part(b"x"), 10), tmp_path, 100))


def test_a_boundary_that_is_too_long_is_refused_with_its_rule(node: Node) -> None:
    headers = {
        "Content-Type": f"multipart/form-data; boundary={'x' * 257}",
        "Authorization": f"Bearer {GEMEENTE}",
    }
    answer = node.call("POST", IMPORTS, content=b"", headers=headers)
    assert answer.status_code == 400
    assert "boundary holds at most 256" in answer.json()["errors"][0]["rule"]


def test_the_limit_is_on_all_files_together_and_is_named(tmp_path: Path) -> None:
    received(tmp_path, part(b"x" * 50, "a"), part(b"x" * 50, "b"), limit=100)
    with pytest.raises(TooLarge, match="at most 100 bytes"):
        received(tmp_path, part(b"x" * 50, "c"), part(b"x" * 51, "d"), limit=100)


def test_a_file_goes_to_disk_while_it_arrives_and_not_into_memory(tmp_path: Path) -> None:
    seen: list[int] = []

    async def large() -> AsyncIterator[bytes]:
        yield part(b"")[:-2]
        for _ in range(1024):
            seen.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
            yield bytes(CHUNK)
        yield b"\r\n" + END

    tracemalloc.start()
    asyncio.run(upload.receive(FORM, large(), tmp_path, 100 * MIB))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a.csv").stat().st_size == 64 * MIB
    assert seen[-1] > 60 * MIB
    assert peak < 2 * MIB


@pytest.mark.parametrize(("token", "status"), [(f"Bearer {VENDOR}", 403), ("none", 401)])
def test_nothing_is_read_of_who_may_not_import(node: Node, token: str, status: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""  # makes it a generator

    headers = {"Content-Type": FORM, "Authorization": token}
    assert node.call("POST", IMPORTS, content=body(), headers=headers).status_code == status


def test_files_over_the_limit_are_answered_with_it_and_leave_nothing(tmp_path: Path) -> None:
    with running(tmp_path, import_limit=100) as node:
        answer = node.call("POST", IMPORTS, files={"file": ("a.csv", b"x" * 101)})
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:dmi:problem:too-large")
        assert "at most 100 bytes" in answer.json()["errors"][0]["rule"]
        assert list((tmp_path / "imports").iterdir()) == []
        answer = node.call("POST", IMPORTS, files={"file": ("a.csv", b"x" * 2 * MIB)})
        assert (answer.status_code, answer.json()["detail"].endswith("bytes here")) == (413, True)


@pytest.mark.parametrize(
    ("path", "media"),
    [(IMPORTS, FORM), ("/v1/batches", "application/json"), ("/v1.1/Things", "application/json")],
)
def test_who_goes_away_in_the_middle_leaves_nothing_and_is_no_error_of_ours(
    node: Node, path: str, media: str
) -> None:
    address, _, query = path.partition("?")
    waiting: list[Message] = [
        {"type": "http.request", "body": part(b"x" * 100)[:80], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", media.encode()), (b"authorization", f"Bearer {GEMEENTE}".encode())]
    scope = {
        "type": "http", "method": "POST", "path": address, "query_string": query.encode(), "headers": headers,
    }  # fmt: skip
    with capture_logs() as said:
        node.runner.run(cast(Coroutine[None, None, None], node.app(scope, receive, send)))
    assert [(entry["log_level"], entry["path"]) for entry in said] == [("info", address)]
    assert sent == [], "nobody is there to read an answer"
    assert list((node.settings.data_dir / "imports").iterdir()) == []
    assert node.get("/v1/imports")["items"] == []
    assert node.bus.published == []


def test_files_may_be_larger_than_any_other_body(tmp_path: Path) -> None:
    with running(tmp_path, body_limit=1000) as node:
        answer = node.call("POST", IMPORTS, files={"file": ("a.csv", b"x" * 5000)})
        assert (answer.status_code, answer.json()["state"]) == (200, "failed"), (
            "it came in, and is no such file"
        )
        assert node.call("POST", "/v1/batches", {"x": "x" * 1000}).status_code == 413
