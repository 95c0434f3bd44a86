"""Answers of others are taken as they are sent: a few kilobytes can be packed so that they unpack to gigabytes."""

from __future__ import annotations

from typing import Final

import httpx

PLAIN: Final = {"Accept-Encoding": "identity"}
"""Sent with each request to somebody outside."""


def is_plain(answer: httpx.Response) -> bool:
    """Whether an answer can be read piece by piece: a packed one would be unpacked whatever was asked for."""
    return answer.headers.get("Content-Encoding", "identity").strip().lower() in ("", "identity")
