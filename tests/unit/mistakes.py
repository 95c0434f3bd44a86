"""A valid body with one mistake in it: each value that it holds replaced by one of another kind."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

KINDS: tuple[Any, ...] = (["a"], {"a": 1}, "\ud800", 2**70, None)
"""What a place is least ready for: two that are no key of a set, a text and a number that no store takes."""


def mistaken(body: Any) -> Iterator[tuple[str, bytes]]:
    """Where the mistake is, as a path, and the body as JSON."""
    for path in _paths(body, ()):
        for wrong in KINDS:
            made = copy.deepcopy(body)
            _put(made, path, wrong)
            yield f"/{'/'.join(map(str, path))} = {wrong!r}", json.dumps(made).encode()


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*path, name)
        yield from _paths(part, (*path, name))


def _put(body: Any, path: tuple[str | int, ...], wrong: Any) -> None:
    *above, last = path
    for name in above:
        body = body[name]
    body[last] = wrong
