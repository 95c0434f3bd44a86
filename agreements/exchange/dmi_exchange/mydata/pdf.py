"""A plain PDF of headings and lines on A4, without any library: PDF 1.7 (ISO 32000-1), text in Helvetica.

Helvetica is one of the fonts that every reader has; it knows the letters of Western Europe (WinAnsi). Other letters
are written without their marks, or as a question mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

PAGE: Final = (595, 842)
"""A4 in points."""
MARGIN: Final = 57
SIZES: Final = {"title": 20, "head": 13, "text": 11, "code": 18}
LEADING: Final = 1.45
_WIDTHS: Final = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
"""Widths of Helvetica from space to tilde, in thousandths of the size (Adobe Font Metrics)."""
_WIDTH: Final = [int(width) for width in _WIDTHS.split()]
Kind = Literal["title", "head", "text", "code"]


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; ``code`` and headings are bold."""

    kind: Kind
    text: str


def document(lines: Sequence[Line], title: str, language: str) -> bytes:
    """The whole PDF."""
    pages = list(_pages(lines))
    count = len(pages)
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(count))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /Lang ({language}) /ViewerPreferences << /DisplayDocTitle true >> >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE[0]} {PAGE[1]}] /Contents {6 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    objects.append(b"<< /Title (%b) >>" % _escaped(title))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    """Objects by number with the table of where they stand; the last one tells about the document."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _pages(lines: Sequence[Line]) -> Iterator[bytes]:
    """The content of each page."""
    drawn: list[bytes] = []
    y = float(PAGE[1] - MARGIN)
    for line in lines:
        size = SIZES[line.kind]
        font = b"F1" if line.kind == "text" else b"F2"
        y -= 0 if line.kind == "text" else size * 0.6
        for part in _wrapped(line.text, size):
            y -= size * LEADING
            if y < MARGIN:
                yield b"\n".join(drawn)
                drawn, y = [], PAGE[1] - MARGIN - size * LEADING
            drawn.append(b"BT /%b %d Tf %d %.1f Td (%b) Tj ET" % (font, size, MARGIN, y, _escaped(part)))
        y -= 3
    yield b"\n".join(drawn)


def _wrapped(text: str, size: int) -> Iterator[str]:
    room = (PAGE[0] - 2 * MARGIN) * 1000 / size
    current = ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if current and _width(longer) > room:
            yield current
            longer = word
        while _width(longer) > room:
            # A word without spaces, such as an address: it is parted where it must be.
            fits = next(n for n in range(len(longer), 0, -1) if _width(longer[:n]) <= room)
            yield longer[:fits]
            longer = longer[fits:]
        current = longer
    yield current


def _width(text: str) -> int:
    return sum(_WIDTH[ord(c) - 32] if " " <= c <= "~" else 720 for c in text)


def _escaped(text: str) -> bytes:
    plain = "".join(_western(letter) for letter in text)
    raw = plain.encode("cp1252", "replace")
    return raw.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _western(letter: str) -> str:
    if not letter.isprintable():
        return " "
    try:
        letter.encode("cp1252")
        return letter
    except UnicodeEncodeError:
        return "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
