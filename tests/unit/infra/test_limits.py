"""The limit on bodies, at its edges."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from dmi_infra.http import limits
from dmi_infra.http.limits import BodyLimit


async def _reads_all(_scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def _status(parts: Sequence[bytes], *headers: tuple[bytes, bytes]) -> int:
    return _answer(parts, headers)[0]


def _answer(
    parts: Sequence[bytes],
    headers: Sequence[tuple[bytes, bytes]],
    path: str = "/",
    root: str = "",
    forms: dict[str, int] | None = None,
) -> tuple[int, str]:
    """Status and body."""
    waiting: list[Message] = [
        {"type": "http.request", "body": part, "more_body": n < len(parts) - 1}
        for n, part in enumerate(parts)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": list(headers), "method": "POST", "path": path, "root_path": root}
    asyncio.run(BodyLimit(_reads_all, 10, forms)(scope, receive, send))
    starts = [message for message in sent if message["type"] == "http.response.start"]
    assert len(starts) == 1
    return int(starts[0]["status"]), b"".join(message.get("body", b"") for message in sent).decode()


@pytest.mark.parametrize(
    ("parts", "status"),
    [([b""], 200), ([b"x" * 10], 200), ([b"x" * 11], 413), ([b"x" * 5] * 2, 200), ([b"x" * 5] * 3, 413)],
)  # fmt: skip
def test_the_limit_is_counted_over_all_parts(parts: list[bytes], status: int) -> None:
    assert _status(parts) == status


def test_an_announced_length_over_the_limit_is_refused_before_reading() -> None:
    assert _status([b""], (b"content-length", b"11")) == 413
    assert _status([b""], (b"content-length", b"9" * 40)) == 413


@pytest.mark.parametrize("length", [b"-5", b"1", b"x", b"\xb2"])
def test_a_lying_length_does_not_get_more_in(length: bytes) -> None:
    assert _status([b"x" * 11], (b"content-length", length)) == 413


@pytest.mark.parametrize(
    ("path", "root", "media", "status"),
    [
        ("/v1/imports", "", b"multipart/form-data; boundary=x", 200),
        ("/ingest/v1/imports", "/ingest", b"Multipart/Form-Data; boundary=x", 200),
        ("/v1/imports", "", b"application/json", 413),
        ("/v1/imports", "", b"", 413),
        ("/v1/imports/1/replay", "", b"multipart/form-data; boundary=x", 413),
        ("/other/v1/imports", "/ingest", b"multipart/form-data; boundary=x", 413),
    ],
)
@pytest.mark.parametrize("size", [30, 31])
def test_a_path_that_takes_files_has_a_limit_of_its_own_for_forms_alone(
    path: str, root: str, media: bytes, status: int, size: int
) -> None:
    forms, headers = {"/v1/imports": 30}, [(b"content-type", media)]
    found, answer = _answer([b"x" * size], headers, path, root, forms)
    assert found == (413 if size > 30 else status)
    if found == 413:
        limit = 30 if status == 200 else 10
        assert f"at most {limit} bytes" in answer


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    async def nothing(_message: Message) -> None:
        raise AssertionError

    asyncio.run(BodyLimit(app, 1)({"type": "lifespan"}, never, nothing))
    assert seen == ["lifespan"]


def test_a_body_of_which_nothing_more_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PART_SECONDS", 0.05)
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(BodyLimit(_reads_all, 10)({"type": "http", "headers": []}, receive, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_who_sent_all_may_wait_for_as_long_as_the_answer_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PART_SECONDS", 0.02)
    waiting: list[Message] = [{"type": "http.request", "body": b"x"}]
    heard: list[str] = []

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}
        return waiting.pop()

    async def send(_message: Message) -> None:
        raise AssertionError

    async def listens(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    asyncio.run(BodyLimit(listens, 10)({"type": "http", "headers": []}, receive, send))
    assert heard == ["http.request", "http.disconnect"]


def test_an_answer_that_has_begun_is_broken_off() -> None:
    sent: list[Message] = []

    async def early(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 11}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(limits._Halted):
        asyncio.run(BodyLimit(early, 10)({"type": "http", "headers": []}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start"]
