"""Texts that have no UTF-8 form: JSON may escape half of a surrogate pair, which nothing can store, sign or answer."""

from __future__ import annotations

import json
import re
from typing import Final

_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


def encodable(value: object) -> bool:
    """Whether every text in a value of JSON, names of members too, has a UTF-8 form."""
    try:
        (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def escapes_half(text: str) -> bool:
    """Whether JSON escapes a half, with or without its other one: of large texts the value is looked at only then."""
    return _HALF.search(text) is not None
