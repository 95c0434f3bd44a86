"""The browser application as built files; an unknown path that names no kind of file gets its first page."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
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

MEDIA_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
"""Said outright: what a machine's own table makes of ``.mjs`` a browser may refuse to run."""


def browser_application() -> Starlette:
    """Serves the folder ``static``, which the build of ``services/visualisation/web`` fills."""
    folder = Path(str(resources.files("dmi_visualisation"))) / "static"

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
        return FileResponse(
            file,
            media_type=MEDIA_TYPES.get(file.suffix),
            headers={
                "Cache-Control": caching,
                "Content-Security-Policy": POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            },
        )

    return Starlette(
        routes=[Route("/{path:path}", serve, methods=["GET", "HEAD"])],
        middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
    )


def _file(folder: Path, path: str) -> Path | None:
    """The file of this name within ``folder``; ``None``: there is none, or no file can have such a name."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (ValueError, OSError):
        # A NUL, or a part that is longer than names of files may be.
        return None
