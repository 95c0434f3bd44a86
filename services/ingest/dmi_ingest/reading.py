"""Reading what comes in: JSON, numbers, times and free properties, each refused with its field and rule."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final

import msgspec

from dmi_agreements.contracts.observations import Micros, within_bounds
from dmi_infra import clock
from dmi_infra.errors import FieldError, InputRefused
from dmi_infra.unicode import encodable

DEPTH: Final = 16
"""Levels of nesting that a free property may have."""
TEXT: Final = 20_000
"""Characters that one text may have."""
GROUPS: Final = 1000
"""Datastreams that one request may hand in for in the SensorThings way, each with its rows."""


class InvalidJson(InputRefused):
    """A body that is not JSON."""

    code = "invalid-json"


def read_json(body: bytes) -> Any:
    """The body as plain values (``Any``: what they are is checked by those who read them).

    Numbers that JSON or a double cannot hold (NaN, 1e400) come through as floats that are not
    finite, so that the rule they break can be reported at their field.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_loosely(body)
    except RecursionError as exc:
        raise _deep() from exc


class _Named(msgspec.Struct):
    dataset: str


class _Stream(msgspec.Struct):
    id: str | int = msgspec.field(name="@iot.id")


class _OfStream(msgspec.Struct):
    stream: _Stream = msgspec.field(name="Datastream")


_OfStreams = Annotated[list[_OfStream], msgspec.Meta(max_length=GROUPS)]


def dataset_of(body: bytes) -> str:
    """The dataset that a body names, and nothing else of it; raises ``InvalidJson``."""
    named: _Named = _glanced(body, _Named, "be an object that names its dataset")
    return named.dataset


def streams_of(body: bytes) -> set[str]:
    """The datastreams that the groups of a body name, and nothing else of it; raises ``InvalidJson``."""
    groups: list[_OfStream] = _glanced(
        body, _OfStreams, f"hold at most {GROUPS} groups, each of a Datastream"
    )
    return {str(group.stream.id) for group in groups}


def _glanced(body: bytes, wanted: Any, rule: str) -> Any:
    """The parts of a body that a type has; whatever else it holds is passed over, and costs next to nothing."""
    try:
        return msgspec.json.decode(body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        rule = f"so large a body must {rule}, in JSON without NaN"
        raise InvalidJson("the body is not valid JSON", [FieldError("body", rule)]) from exc


def _read_loosely(body: bytes) -> Any:
    try:
        # Decoded here, since of bytes the reader would take UTF-16 and halves of surrogate pairs too.
        found = json.loads(body.decode())
    except RecursionError as exc:
        raise _deep() from exc
    except json.JSONDecodeError as exc:
        rule = f"line {exc.lineno}, column {exc.colno}: {exc.msg}"
        raise InvalidJson("the body is not valid JSON", [FieldError("body", rule)]) from exc
    except ValueError as exc:
        # Not UTF-8, or an integer of thousands of digits.
        rule = "must be JSON in UTF-8 with numbers of at most 4300 digits"
        raise InvalidJson("the body is not valid JSON", [FieldError("body", rule)]) from exc
    if not encodable(found):
        rule = "texts are valid Unicode: no half of a surrogate pair"
        raise InvalidJson("the body is not valid JSON", [FieldError("body", rule)])
    return found


def _deep() -> InvalidJson:
    return InvalidJson("the body is nested too deeply", [FieldError("body", "is nested too deeply")])


def form(value: object) -> str:
    """What kind of value was given, for a problem document: never the value of a long or nested one."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return "an integer of more than 30 digits"
    return str(value)[:100]


def mapping(value: object, field: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise InputRefused.of(field, "must be a JSON object", form(value))
    return value


def sequence(value: object, field: str, longest: int) -> list[Any]:
    """A JSON array of at most ``longest`` items."""
    if not isinstance(value, list):
        raise InputRefused.of(field, "must be a JSON array", form(value))
    if len(value) > longest:
        raise InputRefused.of(field, f"may hold at most {longest} items", str(len(value)))
    return value


def text(value: object, field: str, longest: int = TEXT, shortest: int = 1) -> str:
    """Text of ``shortest`` to ``longest`` characters."""
    if not isinstance(value, str):
        raise InputRefused.of(field, "must be text", form(value))
    if not shortest <= len(value) <= longest:
        raise InputRefused.of(
            field, f"must have {shortest} to {longest} characters", f"{len(value)} characters"
        )
    if "\x00" in value or not encodable(value):
        raise InputRefused.of(field, "must hold valid Unicode characters only")
    return value


def number(value: object, field: str) -> float:
    """A finite number; booleans and numbers in text are refused."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputRefused.of(field, "must be a number", form(value))
    try:
        result = float(value)
    except OverflowError as exc:
        raise InputRefused.of(field, "must be within the range of a double", form(value)) from exc
    if not math.isfinite(result):
        raise InputRefused.of(field, "must be a finite number", form(value))
    return result


def quantity(value: object, field: str) -> float:
    """A number that something can be counted or measured as: a result of an observation, or a property."""
    found = number(value, field)
    if not within_bounds(found):
        raise InputRefused.of(field, "must lie between -10^18 and 10^18", form(value))
    return found


def moment(value: object, field: str) -> Micros:
    """An instant, RFC 3339 with an offset, between 1900 and 2100."""
    if not isinstance(value, str):
        raise InputRefused.of(field, "must be an RFC 3339 time", form(value))
    try:
        return clock.from_text(value)
    except (ValueError, OverflowError) as exc:
        rule = "must be an RFC 3339 time with an offset, between 1900 and 2100"
        raise InputRefused.of(field, rule, form(value)) from exc


def interval(value: object, field: str) -> tuple[Micros, Micros]:
    """An instant or an ISO 8601 interval ``start/end``, as its two ends; an instant is both."""
    if isinstance(value, str) and "/" in value:
        first, _, last = value.partition("/")
        start, end = moment(first, field), moment(last, field)
        if end < start:
            raise InputRefused.of(field, "must not end before it begins", form(value))
        return start, end
    at = moment(value, field)
    return at, at


def micros(value: object, field: str) -> Micros:
    """An instant as RFC 3339 text or as microseconds UTC."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not clock.EARLIEST <= value < clock.LATEST:
            raise InputRefused.of(field, "must lie between 1900 and 2100, in microseconds UTC", form(value))
        return value
    return moment(value, field)


def values_in(value: object, most: int) -> int:
    """How many values a value holds, itself among them; beyond ``most`` it is not counted further."""
    found = 1
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict | list):
            continue
        found += len(one)
        if found > most:
            break
        waiting.extend(one.values() if isinstance(one, dict) else one)
    return found


def free(value: object, field: str, depth: int = DEPTH) -> None:
    """Check free properties: numbers within bounds, texts of bounded length, bounded nesting."""
    if isinstance(value, dict):
        _deeper(field, depth)
        for name, part in value.items():
            text(name, field, 200)
            free(part, f"{field}.{name}", depth - 1)
    elif isinstance(value, list):
        _deeper(field, depth)
        for index, part in enumerate(value):
            free(part, f"{field}.{index}", depth - 1)
    elif isinstance(value, str):
        text(value, field, shortest=0)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        quantity(value, field)


def _deeper(field: str, depth: int) -> None:
    if depth <= 0:
        raise InputRefused.of(field[:200], f"may be nested at most {DEPTH} levels deep")
