"""The terms of ODRL 2.2 and of the project's profile: what each is, and where the truth about it comes from.

A term that is not in a vocabulary is not understood: reading refuses it, evaluating knows nothing of it. Further
profiles are added as data (``Vocabulary.extended``), never as code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from dmi_agreements.odrl.model import ODRL

DMI: Final = "urn:dmi:"
"""Namespace of the project's own profile."""
CC: Final = "http://creativecommons.org/ns#"
AXIS: Final = "http://w3id.org/odrl/spatial-axis#"
"""Profile that splits sizes and positions into one axis each, so that they can be compared."""

ValueType = Literal[
    "dateTime", "time", "duration", "integer", "number", "concept", "place", "text", "boolean", "structure"
]
"""What values a left operand takes: ``concept`` an IRI in a hierarchy, ``place`` an area or its name, ``structure``
several numbers in one text, which only equality can compare."""
Source = Literal["clock", "request", "asset", "assignee", "log", "payment", "law", "carried-out"]
"""Where the truth comes from: the node's clock; what the assignee states, which binds it; the description of the
asset; what is known of the assignee; the log of use; the transaction module; the agreement and its rulebook; the
duty that the gate itself carries out."""


@dataclass(frozen=True, slots=True)
class Left:
    """A left operand: its IRI, type, unit (UCUM, or a fixed word) and source of truth."""

    iri: str
    type: ValueType
    unit: str | None
    source: Source
    same_as: str | None = None
    """The left operand whose facts it shares, for a profile's own name of a known one."""


def _words(text: str) -> list[str]:
    return text.split()


def _lefts() -> tuple[Left, ...]:
    return tuple(
        Left(namespace + name, kind, unit, source)
        for namespace, rows in ((ODRL, _ODRL_LEFTS), (DMI, _DMI_LEFTS), (AXIS, _AXIS_LEFTS))
        for name, kind, unit, source in rows
    )


_Row = tuple[str, ValueType, str | None, Source]

# The one table of left operands. Units are UCUM codes; None means that the value has none or names its own.
_ODRL_LEFTS: Final[tuple[_Row, ...]] = (
    ("absolutePosition", "structure", None, "request"),
    ("absoluteSpatialPosition", "structure", None, "request"),
    ("absoluteTemporalPosition", "duration", "s", "request"),
    ("absoluteSize", "structure", None, "request"),
    ("count", "integer", "1", "log"),
    ("dateTime", "dateTime", None, "clock"),
    ("delayPeriod", "duration", "s", "log"),
    ("deliveryChannel", "concept", None, "request"),
    ("device", "concept", None, "request"),
    ("elapsedTime", "duration", "s", "log"),
    ("event", "concept", None, "request"),
    ("fileFormat", "concept", None, "request"),
    ("industry", "concept", None, "assignee"),
    ("language", "concept", None, "asset"),
    ("media", "concept", None, "request"),
    ("meteredTime", "duration", "s", "log"),
    ("payAmount", "number", "currency", "payment"),
    ("percentage", "number", "%", "request"),
    ("product", "concept", None, "request"),
    ("purpose", "concept", None, "request"),
    ("recipient", "concept", None, "request"),
    ("relativePosition", "structure", "%", "request"),
    ("relativeSize", "number", "%", "request"),
    ("relativeSpatialPosition", "structure", "%", "request"),
    ("relativeTemporalPosition", "number", "%", "request"),
    ("resolution", "number", None, "request"),
    ("spatial", "place", None, "asset"),
    ("spatialCoordinates", "structure", None, "asset"),
    ("system", "concept", None, "request"),
    ("systemDevice", "concept", None, "request"),
    ("timeInterval", "duration", "s", "log"),
    ("unitOfCount", "concept", None, "log"),
    ("version", "text", None, "asset"),
    ("virtualLocation", "concept", None, "request"),
)
# The parameters of the duties of the rulebook (k-anonymity, grid size, retention, aggregation), and the clock's parts.
_DMI_LEFTS: Final[tuple[_Row, ...]] = (
    ("minimumGroup", "integer", "{person}", "carried-out"),
    ("gridSize", "integer", "m", "carried-out"),
    ("distance", "integer", "m", "carried-out"),
    ("days", "integer", "d", "carried-out"),
    ("seconds", "integer", "s", "carried-out"),
    ("window", "integer", "s", "carried-out"),
    ("areaLevel", "text", None, "carried-out"),
    ("property", "text", None, "carried-out"),
    ("cents", "integer", "EUR cent", "carried-out"),
    ("per", "integer", None, "carried-out"),
    ("chargedUnit", "text", None, "carried-out"),
    ("role", "concept", None, "assignee"),
    ("dayOfWeek", "text", None, "clock"),
    ("timeOfDay", "time", None, "clock"),
)
_AXIS_LEFTS: Final[tuple[_Row, ...]] = (
    *((f"absoluteSize{axis}", "number", "px", "request") for axis in ("Width", "Height", "Depth")),
    *((f"absolutePosition{axis}", "number", "px", "request") for axis in ("X", "Y", "Z")),
    *((f"relativeSize{axis}", "number", "%", "request") for axis in ("Width", "Height", "Depth")),
    *((f"relativePosition{axis}", "number", "%", "request") for axis in ("X", "Y", "Z")),
    *(
        (f"spatialCoordinates{axis}", "number", unit, "asset")
        for axis, unit in (("Longitude", "deg"), ("Latitude", "deg"), ("Altitude", "m"))
    ),
)

# Action -> the actions it is part of (odrl:includedIn). All of ODRL's stand below use or transfer.
_USES: Final = _words(
    "acceptTracking aggregate annotate anonymize archive attribute compensate concurrentUse delete derive digitize "
    "distribute ensureExclusivity execute grantUse include index inform install modify move nextPolicy "
    "obtainConsent play present print read reproduce reviewPolicy stream synchronize textToSpeech transform "
    "translate uninstall watermark"
)
# Deprecated terms (section 4.5 of the vocabulary) and the term whose meaning each has, else use itself.
_DEPRECATED: Final = {
    **dict.fromkeys(
        _words(
            "adHocShare append appendTo attachPolicy attachSource commercialize license preview secondaryUse share "
            "shareAlike write writeTo"
        ),
        "use",
    ),
    "copy": "reproduce",
    "export": "transform",
    "pay": "compensate",
    "lease": "transfer",
    "lend": "transfer",
}


def _actions() -> dict[str, frozenset[str]]:
    below = {
        "use": (),
        "transfer": (),
        **dict.fromkeys(_USES, ("use",)),
        "display": ("play",),
        "extract": ("reproduce",),
        "give": ("transfer",),
        "sell": ("transfer",),
        **{name: (parent,) for name, parent in _DEPRECATED.items()},
    }
    named = {ODRL + name: frozenset(ODRL + parent for parent in parents) for name, parents in below.items()}
    use = frozenset({ODRL + "use"})
    for name in _words(
        "Attribution CommericalUse CommercialUse DerivativeWorks Distribution Notice Reproduction"
    ):
        named[CC + name] = use
    for name in _words("ShareAlike Sharing SourceCode"):
        named[CC + name] = use
    for name, parent in {
        "read": "read",
        "display": "display",
        "analyse": "use",
        "export": "reproduce",
    }.items():
        named[DMI + name] = frozenset({ODRL + parent})
    for name in _words(
        "contribute process publish sample leaveOut coarsen aggregate suppress cutEnds delay deleteAfter pay"
    ):
        named[DMI + name] = use
    return named


OPERATORS: Final = frozenset(
    ODRL + name for name in _words("eq neq lt lteq gt gteq isA hasPart isPartOf isAllOf isAnyOf isNoneOf")
)
SET_OPERATORS: Final = frozenset(ODRL + name for name in ("isAllOf", "isAnyOf", "isNoneOf"))
"""These take more than one value on the right."""


# Names of units that policies use, besides the UCUM and currency codes that they stand for.
_UNITS: Final = {
    "dbpedia.org/resource/Euro": "EUR",
    "dbpedia.org/resource/Dots_per_inch": "[dpi]",
    "dbpedia.org/resource/Percentage": "%",
    "dbpedia.org/resource/Pixel": "px",
    "dbpedia.org/resource/Metre": "m",
    "dbpedia.org/resource/Second": "s",
    "qudt.org/vocab/unit/Euro": "EUR",
    "qudt.org/vocab/unit/CCY_EUR": "EUR",
    "qudt.org/vocab/unit/M": "m",
    "qudt.org/vocab/unit/SEC": "s",
    "qudt.org/vocab/unit/PERCENT": "%",
    "qudt.org/vocab/unit/DEG": "deg",
}


def unit_of(name: str) -> str:
    """The code of a unit; one that is not known stands for itself, whether written with http or https."""
    bare = name.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return _UNITS.get(bare, bare)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms that are understood: ODRL's, and those of profiles."""

    lefts: Mapping[str, Left] = field(default_factory=lambda: {left.iri: left for left in _lefts()})
    actions: Mapping[str, frozenset[str]] = field(default_factory=_actions)
    implies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Action -> the actions without which it cannot be exercised (odrl:implies)."""
    profiles: frozenset[str] = frozenset(
        {ODRL + "core", "http://www.w3.org/ns/odrl/2/core", DMI + "profile:1", AXIS.rstrip("#"), AXIS}
    )

    def extended(
        self,
        profiles: Iterable[str] = (),
        lefts: Iterable[Left] = (),
        actions: Mapping[str, Iterable[str]] | None = None,
        implies: Mapping[str, Iterable[str]] | None = None,
    ) -> Vocabulary:
        """This vocabulary with the terms of a profile; a term that is known keeps its meaning."""
        return replace(
            self,
            profiles=self.profiles | frozenset(profiles),
            lefts={**{left.iri: left for left in lefts}, **self.lefts},
            actions={**{iri: frozenset(above) for iri, above in (actions or {}).items()}, **self.actions},
            implies={**{iri: frozenset(other) for iri, other in (implies or {}).items()}, **self.implies},
        )

    def covers(self, wide: str, narrow: str) -> bool:
        """Whether action ``narrow`` is ``wide`` or part of it, at any depth."""
        seen: set[str] = set()
        todo = [narrow]
        while todo:
            action = todo.pop()
            if action == wide:
                return True
            if action not in seen:
                seen.add(action)
                todo.extend(self.actions.get(action, ()))
        return False

    def needs(self, action: str) -> frozenset[str]:
        """The action and all that it implies."""
        found = {action}
        todo = [action]
        while todo:
            for other in self.implies.get(todo.pop(), ()):
                if other not in found:
                    found.add(other)
                    todo.append(other)
        return frozenset(found)

    def nearest(self, iri: str, kind: Literal["left", "action", "operator"]) -> str | None:
        """The known term of this kind that is spelled most alike, for a person to correct a slip."""
        terms = {"left": self.lefts.keys(), "action": self.actions.keys(), "operator": OPERATORS}[kind]
        return nearest(iri, terms)


def nearest(iri: str, terms: Iterable[str]) -> str | None:
    """The term whose last part is most like that of ``iri``; ``None`` when none is."""
    if len(iri) > 200:
        return None  # no slip of a known term, and long to compare
    by_name = {_last(term).lower(): term for term in sorted(terms, reverse=True)}
    close = difflib.get_close_matches(_last(iri).lower(), list(by_name), n=1, cutoff=0.6)
    return by_name[close[0]] if close else None


def _last(iri: str) -> str:
    for mark in ("#", "/", ":"):
        if mark in iri:
            iri = iri.rstrip(mark).rpartition(mark)[2]
    return iri


CORE: Final = Vocabulary()
"""ODRL's own terms, the project's profile and the axis profile."""
