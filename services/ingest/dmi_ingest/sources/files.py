"""Opening files that people hand in: encoding, delimiters, and a clear refusal of what is no such file."""

from __future__ import annotations

import codecs
import csv
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from dmi_infra.unicode import encodable, escapes_half
from dmi_ingest.sources.port import SourceError
from dmi_ingest.sources.values import tidy

CHUNK: Final = 1 << 16
LINE_LIMIT: Final = 1 << 17
"""Bytes; the widest real table has lines of under one thousand."""
ROW_LIMIT: Final = 4 * LINE_LIMIT
"""Characters of a row, which goes on over lines as long as a quote is open."""
COLUMNS: Final = 2_000
"""Of a header; the widest real table has under one hundred."""
BEYOND: Final = 20
"""Cells beyond the header that are kept of a row: each costs more memory than the comma before it."""
DOCUMENT_LIMIT: Final = 64 << 20
"""Bytes of a JSON document, which is held in memory whole: as objects it takes up to about twelve times as much."""
PARTS_LIMIT: Final = 4_000_000
"""Arrays and objects of a JSON document: each costs 56 bytes or more, however few it has in the file."""
CONTROL: Final = bytes(b for b in range(32) if b not in (9, 10, 12, 13))
DELIMITERS: Final = ",;\t"


@dataclass(frozen=True, slots=True)
class Text:
    """A file that was looked through once: its encoding and its last line, as far as it was ended."""

    path: Path
    encoding: str
    unfinished: bytes

    @property
    def note(self) -> str | None:
        """What the owner should know about how the file was read."""
        return "read as Windows-1252, since it is not UTF-8" if self.encoding == "cp1252" else None


@dataclass(frozen=True, slots=True)
class Table:
    """A delimited file by its header; of columns of one name the second is called ``name#2``, and so on."""

    text: Text
    delimiter: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.text.path.name


@dataclass(frozen=True, slots=True)
class Line:
    """One row: ``number`` is the line on which it begins; ``width`` its cells, also those that are not kept."""

    number: int
    cells: dict[str, str]
    width: int
    complete: bool
    """Whether it has all columns and no more."""


def look_through(path: Path, *, lines: bool = True) -> Text:
    """Read a file once, in pieces, for its encoding; raises ``SourceError`` for what is no text.

    With ``lines`` a line above ``LINE_LIMIT`` is refused too. UTF-8 (with or without a byte order
    mark) goes first; Windows-1252 is taken only where the bytes are no UTF-8.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    cp1252 = codecs.getincrementaldecoder("cp1252")()
    is_utf8 = is_cp1252 = True
    blank, number, tail = True, 1, b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                _refuse_binary(path, chunk, first=number == 1 and not tail)
                is_utf8 = is_utf8 and _decodes(utf8, chunk)
                is_cp1252 = is_cp1252 and _decodes(cp1252, chunk)
                blank = blank and not chunk.removeprefix(codecs.BOM_UTF8).strip()
                pieces = chunk.split(b"\n")
                pieces[0] = tail + pieces[0]
                longest = max(pieces, key=len)
                if lines and len(longest) > LINE_LIMIT:
                    found = number + pieces.index(longest)
                    raise SourceError(
                        path.name, found, "huge_line", f"a line of more than {LINE_LIMIT} bytes"
                    )
                number += len(pieces) - 1
                tail = pieces[-1] if lines else b"."
    except OSError as error:
        raise SourceError(path.name, None, "unreadable", "the file cannot be opened") from error
    if blank:
        raise SourceError(path.name, None, "empty", "the file holds nothing")
    if is_utf8:
        if not _decodes(utf8, b"", final=True):
            raise SourceError(path.name, None, "truncated", "the file breaks off within a character")
        return Text(path, "utf-8-sig", tail)
    if is_cp1252:
        return Text(path, "cp1252", tail)
    raise SourceError(path.name, None, "encoding", "the text is neither UTF-8 nor Windows-1252")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_binary(path: Path, chunk: bytes, *, first: bool) -> None:
    if first and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(path.name, None, "encoding", "the text is UTF-16; save it as UTF-8")
    if len(chunk.translate(None, CONTROL)) != len(chunk):
        raise SourceError(path.name, None, "binary", "the file is no text")


def no_pairs(_names: Sequence[str]) -> Collection[str]:
    """Of a usual table no name stands in the header twice."""
    return ()


def table(path: Path, pairs: Callable[[Sequence[str]], Collection[str]] = no_pairs) -> Table:
    """The header of a delimited file; the delimiter is the one that its first line holds most of.

    ``pairs`` tells of a header which of its names may stand in it twice; any other name that does raises
    ``SourceError`` (``doubled_column``).
    """
    text = look_through(path)
    with path.open(encoding=text.encoding, newline="") as file:
        first = file.readline()
    counts = {delimiter: first.count(delimiter) for delimiter in DELIMITERS}
    delimiter = max(counts, key=lambda name: counts[name])
    if not counts[delimiter] or first.lstrip().startswith(("{", "[", "<")):
        raise SourceError(path.name, 1, "other_kind", "the first line is no header of a table")
    try:
        header = next(csv.reader([first], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise SourceError(path.name, 1, "bad_quotes", "the header has an unclosed quote") from error
    tail = text.unfinished.decode(text.encoding)
    if tail.strip() and tail.count(delimiter) < len(header) - 1:
        raise SourceError(path.name, None, "truncated", "the last line breaks off before its last column")
    if len(header) > COLUMNS:
        raise SourceError(path.name, 1, "too_many_columns", f"the header has more than {COLUMNS} columns")
    names = [tidy(name) for name in header]
    _refuse_doubled(path, names, pairs(names))
    return Table(text, delimiter, _told_apart(names))


def _refuse_doubled(path: Path, names: Sequence[str], pairs: Collection[str]) -> None:
    """Which of two columns of one name is meant cannot be told; columns without a name are read by no source."""
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(names, 1):
        numbers.setdefault(name, []).append(number)
    for name, found in numbers.items():
        if not name or len(found) <= (2 if name in pairs else 1):
            continue
        times = "twice" if len(found) == 2 else f"{len(found)} times"
        where = f"{', '.join(str(number) for number in found[:-1])} and {found[-1]}"
        raise SourceError(
            path.name, 1, "doubled_column", f"the header names {name[:60]!r} {times}, in columns {where}"
        )


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    columns: list[str] = []
    for name in names:
        seen[name] += 1
        columns.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(columns)


def lines(source: Table) -> Iterator[Line]:
    """The rows after the header, one at a time; blank lines are passed over.

    Cells beyond the header are kept as ``+1``, ``+2``, up to ``BEYOND`` of them; raises ``SourceError`` where quotes
    do not close.
    """
    columns, width = source.columns, len(source.columns)
    with source.text.path.open(encoding=source.text.encoding, newline="") as file:
        feed = _Feed(source, file)
        reader = csv.reader(feed, delimiter=source.delimiter, strict=True)
        try:
            next(reader)
            start = reader.line_num + 1
            for row in reader:
                feed.taken = 0
                number, start = start, reader.line_num + 1
                if not row or (len(row) == 1 and not row[0].strip()):
                    continue
                cells = dict(zip(columns, row, strict=False))
                for extra, value in enumerate(row[width : width + BEYOND], 1):
                    cells[f"+{extra}"] = value
                yield Line(number, cells, len(row), len(row) == width)
        except csv.Error as error:
            raise SourceError(
                source.name, reader.line_num, "bad_quotes", "the quotes do not close"
            ) from error


class _Feed:
    """The lines of a table; raises ``SourceError`` where one row goes on over more of them than ``ROW_LIMIT`` holds."""

    def __init__(self, source: Table, file: Iterator[str]) -> None:
        self._source = source
        self._file = file
        self._number = 0
        self.taken = 0
        """Characters of the row that is read."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self._number += 1
        self.taken += len(line)
        if self.taken > ROW_LIMIT:
            raise SourceError(
                self._source.name, self._number, "huge_line", f"a row of more than {ROW_LIMIT} characters"
            )
        return line


def require(source: Table, columns: Sequence[str], kind: str) -> None:
    """Raise ``SourceError`` when the table is not of this kind because a column is missing."""
    absent = [name for name in columns if name not in source.columns]
    if absent:
        raise SourceError(source.name, 1, "other_kind", f"no column {absent[0]!r}, so this is no {kind} file")


def document(path: Path) -> dict[str, Any]:
    """A JSON object, read whole; raises ``SourceError`` with the line where it stops being JSON.

    The values are ``Any``: what they are is checked where they are used.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SourceError(path.name, None, "unreadable", "the file cannot be opened") from error
    if size > DOCUMENT_LIMIT:
        raise SourceError(path.name, None, "too_large", f"more than {DOCUMENT_LIMIT} bytes")
    text = look_through(path, lines=False)
    content = path.read_text(encoding=text.encoding)
    if content.count("[") + content.count("{") > PARTS_LIMIT:
        raise SourceError(path.name, None, "too_large", f"more than {PARTS_LIMIT} arrays and objects")
    if not content.lstrip().startswith("{"):
        raise SourceError(path.name, 1, "other_kind", "the file is no JSON object")
    try:
        found: dict[str, Any] = json.loads(content, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        ended = content.rstrip().endswith("}")
        rule, detail = ("not_json", error.msg) if ended else ("truncated", "the document breaks off")
        raise SourceError(path.name, error.lineno, rule, detail) from error
    except ValueError as error:
        raise SourceError(path.name, None, "not_json", "a number that JSON does not allow") from error
    except RecursionError as error:
        raise SourceError(path.name, None, "not_json", "nested too deeply") from error
    if escapes_half(content) and not encodable(found):
        raise SourceError(path.name, None, "not_json", "a text with half of a surrogate pair")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def features(path: Path, found: dict[str, Any], kind: str, properties: Sequence[str]) -> list[Any]:
    """The features of a GeoJSON document of which the first has these properties."""
    rows = found.get("features")
    if found.get("type") != "FeatureCollection" or not isinstance(rows, list):
        raise SourceError(path.name, None, "other_kind", "the document is no FeatureCollection")
    first: object = next((row.get("properties") for row in rows if isinstance(row, dict)), None)
    first = first if isinstance(first, dict) else {}
    absent = [name for name in properties if name not in first]
    if rows and absent:
        raise SourceError(
            path.name, None, "other_kind", f"no property {absent[0]!r}, so this is no {kind} file"
        )
    return rows
