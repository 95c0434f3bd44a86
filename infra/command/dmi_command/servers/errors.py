"""Errors of the servers.

::

    ServerError
    ├── ServerMissing        the program is not installed
    └── ServerStartFailed    it ended, or was not ready in time
"""

from __future__ import annotations


class ServerError(Exception):
    """Root of the errors of starting a server."""


class ServerMissing(ServerError):
    """A program is not installed; ``remedy`` says how to install it."""

    def __init__(self, server: str, remedy: str) -> None:
        super().__init__(f"{server} is missing: {remedy}")
        self.server = server
        self.remedy = remedy


class ServerStartFailed(ServerError):
    """A server ended or was not ready in time; the text holds the end of its log."""
