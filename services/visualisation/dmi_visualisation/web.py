"""The browser application as built files; an unknown path that names no kind of file gets its first page."""

from __future__ import annotations

import gzip
import threading
from importlib import resources
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from dmi_infra.http.problems import Problem

POLICY = (
    "default-src 'self'; img-src 'self' data: blob: https://service.pdok.nl; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; connect-src 'self' https://service.pdok.nl; frame-ancestors 'none'"
)
"""Content Security Policy: nothing from elsewhere but PDOK's map, which a setting of the viewer switches on."""

FILE_SUFFIXES: Final = frozenset(
    {".js", ".mjs", ".css", ".map", ".svg", ".png", ".ico", ".html", ".json", ".txt", ".woff2"}
)
"""Kinds of file that the built application may hold."""

ASSETS: Final = "assets/"
"""Holds files alone, each of which never changes: no page lives there."""

PACKED: Final = frozenset({".js", ".mjs", ".css", ".map", ".svg", ".html", ".json", ".txt"})
"""Kinds of file that become smaller."""
LEAST_PACKED: Final = 1000
"""Bytes; packing less saves nothing."""

MEDIA_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
"""Said outright: what a machine's own table makes of ``.mjs`` a browser may refuse to run."""


class Packed:
    """Files as they are sent packed (gzip), each packed once: packing the map's code takes 40 ms of a processor.

    Kept by when they were written; the folder's own files alone come here, a few megabytes.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[int, bytes]] = {}
        self._one = threading.Lock()

    def get(self, file: Path) -> bytes | None:
        """The packed bytes of a file; ``None`` for one that is better sent as it is."""
        if file.suffix not in PACKED:
            return None
        state = file.stat()
        if state.st_size < LEAST_PACKED:
            return None
        with self._one:
            kept = self._kept.get(file)
            # Files out of a reproducible build may all be of moment 0: none kept is no moment.
            if kept is None or kept[0] != state.st_mtime_ns:
                kept = state.st_mtime_ns, gzip.compress(file.read_bytes(), mtime=0)
                self._kept[file] = kept
        return kept[1]


def browser_application() -> Starlette:
    """Serves the folder ``static``, which the build of ``services/visualisation/web`` fills."""
    folder = Path(str(resources.files("dmi_visualisation"))) / "static"
    packed = Packed()

    def serve(request: Request) -> Response:
        path = request.path_params["path"]
        file = _file(folder, path)
        if file is None:
            # An id in a path may hold dots: only what would be one of our files is missed as a file.
            if "\0" in path or path.startswith(ASSETS) or Path(path).suffix in FILE_SUFFIXES:
                return Problem(404, "not-found", "no file has this name").response()
            file = folder / "index.html"
        if not file.is_file():
            return Problem(
                503, "unavailable", "the browser application is not built: run make web"
            ).response()
        immutable = path.startswith(ASSETS)
        caching = "public, max-age=31536000, immutable" if immutable else "no-cache"
        headers = {
            "Cache-Control": caching,
            "Content-Security-Policy": POLICY,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        media = MEDIA_TYPES.get(file.suffix)
        small = packed.get(file) if "gzip" in request.headers.get("accept-encoding", "") else None
        if small is None:
            return FileResponse(file, media_type=media, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(small, media_type=media or guess_type(file)[0], headers=headers)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "HEAD"])])


def _file(folder: Path, path: str) -> Path | None:
    """The file of this name within ``folder``; ``None``: there is none, or no file can have such a name."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (ValueError, OSError):
        # A NUL, or a part that is longer than names of files may be.
        return None
