"""Files that come in as a form: written to the folder of their import while they arrive, never held in memory."""

from __future__ import annotations

import errno
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, MultipartParser, parse_options_header

from dmi_infra.errors import InputRefused, Unavailable
from dmi_ingest.errors import TooLarge
from dmi_ingest.model import slug

FIELD: Final = "file"
FILES: Final = 50
"""Most files of one import."""
FORM_BYTES: Final = 1024 * 1024
"""What a form may hold beside the content of its files: their names and the lines between them."""
FORM_RULE: Final = (
    "must be a form (multipart/form-data) with the files of this kind, one part each, named file"
)
BOUNDARY_RULE: Final = f"must be a form whose boundary holds at most {MAX_BOUNDARY_LENGTH} characters"
MEDIA_TYPE: Final = "multipart/form-data"

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,120}", re.ASCII)


async def receive(
    content_type: str, body: AsyncIterator[bytes], folder: Path, limit: int,
    take: Callable[[int], None] = lambda _size: None,
) -> list[str]:  # fmt: skip
    """Write the files of a form to ``folder`` as they arrive; returns their names there.

    ``take`` is told how many bytes are about to be written, and may raise. Raises ``TooLarge`` when they hold more than
    ``limit`` bytes together, ``InputRefused`` for what is no such form, and ``Unavailable`` when the disk is full.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != MEDIA_TYPE.encode() or not boundary:
        raise InputRefused.of(FIELD, FORM_RULE, content_type)
    with _Form(boundary, folder, limit, take) as form:
        async for chunk in body:
            await run_in_threadpool(form.write, chunk)
        return form.names()


class _Form:
    """Reads one form piece by piece; at any moment at most one file is open."""

    def __init__(self, boundary: bytes, folder: Path, limit: int, take: Callable[[int], None]) -> None:
        self._take = take
        self._folder = folder
        self._limit = limit
        self._size = 0
        self._names: list[str] = []
        self._file: BinaryIO | None = None
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._ended = False
        try:
            self._parser = self._reader(boundary)
        except FormParserError as exc:
            raise InputRefused.of(FIELD, BOUNDARY_RULE) from exc

    def _reader(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._close,
                "on_end": self._on_end,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def write(self, chunk: bytes) -> None:
        """Take in the next piece."""
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise InputRefused.of(FIELD, FORM_RULE) from exc
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Unavailable("there is no room for the files at the moment; try again later") from exc

    def names(self) -> list[str]:
        """The names of the files, once the form has ended; raises when it broke off or held none."""
        if not self._ended or not self._names:
            raise InputRefused.of(FIELD, FORM_RULE)
        return self._names

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field != FIELD or b"filename" not in options:
            raise InputRefused.of(field[:60] or FIELD, FORM_RULE)
        if len(self._names) == FILES:
            raise InputRefused.of(FIELD, f"must be at most {FILES} files", f"{FILES + 1} files")
        name = self._safe(options[b"filename"].decode("utf-8", "replace"))
        self._file = (self._folder / name).open("xb")
        self._names.append(name)

    def _safe(self, filename: str) -> str:
        """The name of a file in the folder: without its path, changed where it is not plain or taken."""
        given = filename.replace("\\", "/").rsplit("/", 1)[-1]
        name = given if _SAFE.fullmatch(given) else slug(given, "_") or "file"
        taken = {known.casefold() for known in self._names}
        number = len(self._names)
        chosen = name
        while chosen.casefold() in taken:
            chosen, number = f"{number}_{name}", number + 1
        return chosen

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > self._limit:
            rule = f"the files of one import may hold at most {self._limit} bytes together"
            raise TooLarge.of(FIELD, rule)
        self._take(end - start)
        if self._file is not None:
            self._file.write(data[start:end])

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _on_end(self) -> None:
        self._ended = True
