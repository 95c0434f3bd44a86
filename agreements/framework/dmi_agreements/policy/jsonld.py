"""Reading JSON-LD of one known shape: names in any spelling, every key accounted for, nothing fetched.

The published ODRL context and the prefix ``dmi:`` are known here; any other context is refused, so that a
context can never give a term another meaning. Compact, prefixed and expanded spellings read alike.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from dmi_agreements.errors import Finding
from dmi_agreements.policy.context import Names, Place

MAX_DEPTH: Final = 24
MAX_NODES: Final = 5_000
MAX_TEXT: Final = 2_000
MAX_FINDINGS: Final = 50


def form(value: object) -> str:
    """The form of a value for a finding: short, never the whole of it."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        # Turning an integer of thousands of digits into text raises; its size says enough.
        return str(value) if value.bit_length() <= 64 else "a number of more than 64 bits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return f"an object of {len(value)} members"
    return f"a list of {len(value)} items" if isinstance(value, list) else f"a {type(value).__name__}"


def bounds(document: object) -> Finding | None:
    """The first place where a document is too deep, too large or no JSON; ``None`` when it is neither."""
    top: _Way = (None, "", document)
    waiting = [(top, 1)]
    nodes = 0
    while waiting:
        way, depth = waiting.pop()
        value = way[2]
        nodes += 1
        if depth > MAX_DEPTH:
            return Finding(_path(way), f"at most {MAX_DEPTH} levels deep")
        # Texts first: most values are, and to ask whether something is a mapping of any kind takes long.
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                return Finding(_path(way), f"texts of at most {MAX_TEXT} characters", form(value))
            continue
        inside = len(value) if isinstance(value, (dict, list, Mapping)) else 0
        if nodes + len(waiting) + inside > MAX_NODES:
            return Finding(_path(way), f"at most {MAX_NODES} values in a document")
        if isinstance(value, (dict, Mapping)):
            for key, item in value.items():
                if not isinstance(key, str) or len(key) > MAX_TEXT:
                    return Finding(_path(way), f"keys are texts of at most {MAX_TEXT} characters")
                waiting.append(((way, key, item), depth + 1))
        elif isinstance(value, list):
            waiting.extend(((way, index, item), depth + 1) for index, item in enumerate(value))
        elif not (value is None or isinstance(value, (bool, int, float))):
            return Finding(_path(way), "JSON values only", form(value))
    return None


_Way = tuple[Any, "str | int", object]
"""A value with its key and what it stands in: its path is put together only when there is something to tell."""


def _path(way: _Way) -> str:
    keys: list[str | int] = []
    above, key, _ = way
    while above is not None:
        keys.append(key)
        above, key, _ = above
    place = Place("", None)
    for key in reversed(keys):
        place = place.child(key, None)
    return place.path


class Reader:
    """Collects findings while a document is read; what it returns is usable only when there are none."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.names = Names(self.refuse)

    def refuse(self, place: Place, rule: str, known: Collection[str] = ()) -> None:
        """Note a finding; ``known`` are the terms that could have stood there."""
        if len(self.findings) < MAX_FINDINGS:
            text = place.value if isinstance(place.value, str) else ""
            near = difflib.get_close_matches(text[:80], sorted(known), 1, 0.4) if text and known else []
            self.findings.append(Finding(place.path, rule, form(place.value), near[0] if near else None))

    def context(self, place: Place) -> None:
        """Take in ``@context``: the ODRL context, and objects that declare prefixes and names."""
        for item in self.items(place):
            self.names.take(item)

    def canonical(self, text: str) -> str | None:
        """One spelling for a name; see ``Names.canonical``."""
        return self.names.canonical(text)

    def fields(self, place: Place, required: Iterable[str], optional: Iterable[str]) -> dict[str, Place]:
        """The members of an object by canonical name; unknown, double and missing ones are findings."""
        if not isinstance(place.value, (dict, Mapping)):
            self.refuse(place, "an object stands here")
            return {}
        known = {*required, *optional}
        found: dict[str, Place] = {}
        for key, value in place.value.items():
            member = place.child(key, value)
            name = self.canonical(key)
            if name is None:
                self.refuse(
                    Place(member.path, key), "this name needs a prefix or context that is declared", known
                )
            elif name not in known:
                self.refuse(Place(member.path, key), "this key is not part of the language", known)
            elif name in found:
                self.refuse(member, f"{name} stands here twice, in two spellings")
            else:
                found[name] = member
        for name in required:
            if name not in found:
                self.refuse(place, f"{name} is missing")
        return found

    def items(self, place: Place | None) -> list[Place]:
        """The items of a list, or of ``@list`` or ``@set``; a value that is no list counts as a list of one."""
        if place is None:
            return []
        if isinstance(place.value, str):
            return [place]
        inner = self.wrapped(place)
        if inner is not None:
            return self.items(inner)
        if isinstance(place.value, list):
            members = [place.child(index, item) for index, item in enumerate(place.value)]
            return self.items(members[0]) if len(members) == 1 and self.wrapped(members[0]) else members
        return [place]

    def wrapped(self, place: Place) -> Place | None:
        """The list in ``{"@list": …}`` or ``{"@set": …}``; ``None`` when the value is no such object."""
        if not isinstance(place.value, (dict, Mapping)) or len(place.value) != 1:
            return None
        (key,) = place.value
        name = self.canonical(key) if isinstance(key, str) else None
        return place.child(key, place.value[key]) if name in ("@list", "@set") else None

    def one(self, place: Place | None) -> Place | None:
        """The only item; ``None`` (with a finding) when there are several or none."""
        items = self.items(place)
        if place is not None and len(items) != 1:
            self.refuse(place, "exactly one value stands here")
        return items[0] if len(items) == 1 else None

    def name(self, place: Place | None) -> str | None:
        """The canonical name that one value refers to, written as text or as ``{"@id": …}``."""
        only = self.one(place)
        if only is not None and not isinstance(only.value, str) and isinstance(only.value, Mapping):
            only = self.one(self.fields(only, ("uid",), ()).get("uid"))
        if only is None:
            return None
        if not isinstance(only.value, str):
            self.refuse(only, "a term or identifier stands here")
            return None
        name = self.canonical(only.value)
        if name is None:
            self.refuse(only, "this name needs a prefix or context that is declared")
        return name

    def literal(self, place: Place | None) -> tuple[object, str | None]:
        """A plain value and its datatype, where ``{"@value": …, "@type": …}`` gives one."""
        only = self.one(place)
        if only is None:
            return None, None
        if isinstance(only.value, str) or not isinstance(only.value, Mapping):
            return only.value, None
        fields = self.fields(only, ("@value",), ("@type",))
        datatype = self.name(fields["@type"]) if "@type" in fields else None
        value = fields.get("@value")
        return (value.value if value is not None else None), datatype

    def term(self, place: Place | None, known: Collection[str], what: str) -> str | None:
        """One name out of ``known``; anything else is a finding with the nearest known one."""
        before = len(self.findings)
        name = self.name(place)
        if place is not None and name is not None and name not in known:
            self.refuse(Place(place.path, name), f"{what} is not known", known)
        return name if name in known and len(self.findings) == before else None

    def terms(self, place: Place | None, known: Collection[str], what: str) -> tuple[str, ...]:
        """Several names out of ``known``, at least one."""
        items = self.items(place)
        if place is not None and not items:
            self.refuse(place, f"at least one {what}")
        found = (self.term(item, known, what) for item in items)
        return tuple(dict.fromkeys(name for name in found if name is not None))
