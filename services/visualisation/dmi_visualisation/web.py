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

MEDIA_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
"""Said outright: what a machine's own table makes of ``.mjs`` a browser may refuse to run."""


def browser_application() -> Starlette:
    """Serves the folder ``static``, which the build of ``services/visualisation/web`` fills."""
    folder = Path(str(resources.files("dmi_visualisation"))) / "static"

    def serve(request: Request) -> Response:
        path = request.path_params["path"]
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            # An id in a path may hold dots: only what would be one of our files is missed as a file.
            if Path(path).suffix in FILE_SUFFIXES:
                return Problem(404, "not-found", "no file has this name").response()
            file = folder / "index.html"
        if not file.is_file():
            return Problem(
                503, "unavailable", "the browser application is not built: run make web"
            ).response()
        immutable = path.startswith("assets/")
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
