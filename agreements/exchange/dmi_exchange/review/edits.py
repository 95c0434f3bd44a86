"""Changes of a document as JSON Patch (RFC 6902): what a review proposes, and how it is carried out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.odrl.model import ODRL
from dmi_infra.clock import to_text

Operation = Mapping[str, Any]
"""One operation: ``op`` is ``add``, ``replace`` or ``remove``, ``path`` a JSON pointer."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Operations that belong together, and what they do, told in Dutch and English.

    ``cost`` says how much they change: one for each term that is set, and more where less data is given.
    """

    operations: tuple[Operation, ...]
    text: Mapping[str, str]
    cost: int = 1


UNITS: Final = {
    "dmi:window": "s",
    "dmi:days": "d",
    "dmi:gridSize": "m",
    "dmi:minimumGroup": "{person}",
    "dmi:distance": "m",
}


def apply(document: Mapping[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """A copy of the document with these operations carried out in order; raises ``LookupError`` for a lost place."""
    changed: Any = copy.deepcopy(dict(document))
    for operation in operations:
        *way, last = _steps(operation["path"])
        place = changed
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            _in_list(place, last, operation)
        elif operation["op"] == "remove":
            del place[last]
        else:
            place[last] = copy.deepcopy(operation["value"])
    result: dict[str, Any] = changed
    return result


def at(document: Mapping[str, Any], path: str) -> Any:
    """What stands at a place; raises ``LookupError``, ``TypeError`` or ``ValueError`` where nothing does."""
    found: Any = document
    for step in _steps(path):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def _in_list(place: list[Any], last: str, operation: Operation) -> None:
    if operation["op"] == "remove":
        del place[int(last)]
    elif operation["op"] == "replace":
        place[int(last)] = copy.deepcopy(operation["value"])
    else:
        place.insert(len(place) if last == "-" else int(last), copy.deepcopy(operation["value"]))


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _join(path: str, step: str | int) -> str:
    return f"{path}/{str(step).replace('~', '~0').replace('/', '~1')}"


class Place:
    """A rule of a document, and the operations that change it. Members may stand in any spelling of their name."""

    def __init__(self, document: Mapping[str, Any], path: str) -> None:
        self.path = path
        self._rule = at(document, path)

    def purpose(self, purpose: str) -> list[Operation]:
        """Allow this purpose, and what lies below it, alone."""
        wanted = {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose}
        return self._only("purpose", ("isA", "eq", "isAnyOf"), wanted)

    def end(self, moment: int) -> list[Operation]:
        """End at ``moment`` (microseconds UTC)."""
        right = {"@value": to_text(moment), "@type": "xsd:dateTime"}
        wanted = {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": right}
        return self._only("dateTime", ("lt", "lteq"), wanted)

    def recipient(self, recipient: str) -> list[Operation]:
        """Allow this recipient alone."""
        wanted = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [recipient]}
        return self._only("recipient", ("eq", "isAnyOf"), wanted)

    def duty(self, action: str, *parameters: tuple[str, object]) -> list[Operation]:
        """Have this duty with these parameters."""
        wanted = {"action": action, "constraint": [_parameter(*each) for each in parameters]}
        for path, duty in self._items("duty"):
            if _bare(_get(duty, "action")) == action:
                return [{"op": "replace", "path": path, "value": wanted}]
        return self._add("duty", wanted)

    def without_duties(self) -> list[Operation]:
        """Have no duties."""
        key = _key(self._rule, "duty")
        return [{"op": "remove", "path": _join(self.path, key)}] if key is not None else []

    def without_target(self, target: str) -> list[Operation]:
        """Leave one of several datasets out; empty when it is the only one."""
        found = self._items("target")
        if len(found) < 2:
            return []
        return [{"op": "remove", "path": path} for path, value in found if _bare(value) == target]

    def _only(self, left: str, operators: Sequence[str], wanted: Mapping[str, Any]) -> list[Operation]:
        """Put one constraint in place of all on this left operand with one of these operators."""
        same = [
            path
            for path, item in self._items("constraint")
            if _bare(_get(item, "leftOperand")) == left and _bare(_get(item, "operator")) in operators
        ]
        if not same:
            return self._add("constraint", wanted)
        # The last first, so that the places of the others stay what they are.
        removals: list[Operation] = [{"op": "remove", "path": path} for path in reversed(same[1:])]
        return [*removals, {"op": "replace", "path": same[0], "value": wanted}]

    def _add(self, name: str, wanted: Mapping[str, Any]) -> list[Operation]:
        key = _key(self._rule, name)
        if key is None:
            return [{"op": "add", "path": _join(self.path, name), "value": [wanted]}]
        value = self._rule[key]
        if isinstance(value, list):
            return [{"op": "add", "path": f"{_join(self.path, key)}/-", "value": wanted}]
        return [{"op": "replace", "path": _join(self.path, key), "value": [value, wanted]}]

    def _items(self, name: str) -> list[tuple[str, Any]]:
        key = _key(self._rule, name)
        if key is None:
            return []
        value, path = self._rule[key], _join(self.path, key)
        return (
            [(_join(path, n), item) for n, item in enumerate(value)]
            if isinstance(value, list)
            else [(path, value)]
        )


def _parameter(name: str, value: object) -> dict[str, Any]:
    right = {"@value": str(value), "@type": "xsd:integer"} if isinstance(value, int) else value
    unit = {"unit": UNITS[name]} if name in UNITS else {}
    return {"leftOperand": name, "operator": "eq", "rightOperand": right, **unit}


def _key(node: Any, name: str) -> str | None:
    """The key under which a member stands: bare, with prefix, or as IRI."""
    spellings = (name, f"odrl:{name}", ODRL + name)
    return next((key for key in spellings if isinstance(node, Mapping) and key in node), None)


def _get(node: Any, name: str) -> Any:
    key = _key(node, name)
    return None if key is None else node[key]


def _bare(value: Any) -> str | None:
    """A name without the spelling that ODRL's own names may have."""
    if isinstance(value, list) and len(value) == 1:
        return _bare(value[0])
    if isinstance(value, Mapping):
        return _bare(value.get("@id") or value.get("uid"))
    return value.removeprefix(ODRL).removeprefix("odrl:") if isinstance(value, str) else None
