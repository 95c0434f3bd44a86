"""What the framework finds wrong with input, in words: no names of types and no regular expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_SUBJECT: Final = re.compile(r"^(?:Input|String|List|Tuple|Set|Dictionary|Data|Value|URL) should ")
_WHOLE: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_type": "must be text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
}
_NO_WORDS: Final = "must have the form that the description of this route states"
_patterns: dict[str, str] = {}


def pattern(expression: str, words: str) -> str:
    """The regular expression for a field, with the words in which a refusal tells it."""
    _patterns[expression] = words
    return expression


def rule(error: Mapping[str, Any]) -> str:
    """The rule that an error of the framework is about."""
    kind = error["type"]
    if kind == "string_pattern_mismatch":
        return _patterns.get(error.get("ctx", {}).get("pattern", ""), _NO_WORDS)
    message = str(error["msg"]).removeprefix("Value error, ")
    return _WHOLE.get(kind) or _SUBJECT.sub("must ", message)


def form(error: Mapping[str, Any]) -> str:
    """The form of the value that an error is about, never the value: it may be secret, or very long."""
    # Of a field that is missing the framework gives what it is missing from.
    return "" if error["type"] == "missing" else _form(error.get("input"))


def _form(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text of {_counted(len(value), 'character')}"
    if isinstance(value, bytes):
        return _counted(len(value), "byte")
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return f"an object of {_counted(len(value), 'member')}"
    return f"a list of {_counted(len(value), 'item')}" if isinstance(value, list | tuple) else ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
