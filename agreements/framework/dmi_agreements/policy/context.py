"""The names of a JSON-LD document: contexts by URL or embedded, taken in without fetching and without guessing.

A context may give ODRL's terms other names, in any order and any number of objects. It may not give a name of ODRL
another meaning, take one away, or reach into what stands within: such a context could make a policy say the
contrary of what its words say to a reader. The slip of the published context, ``neq`` for ``odrl:eq``, is set right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from dmi_agreements.odrl.vocabulary import CORE, OPERATORS

ODRL: Final = "http://www.w3.org/ns/odrl/2/"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
ODRL_CONTEXTS: Final = tuple(
    f"{scheme}://{url}"
    for scheme in ("http", "https")
    for url in ("www.w3.org/ns/odrl.jsonld", "www.w3.org/ns/odrl/2/odrl.jsonld", "www.w3.org/ns/odrl/2/")
)
PREFIXES: Final = {"odrl": ODRL, "xsd": XSD, "rdf": RDF, "dmi": "urn:dmi:"}
"""The prefixes that are understood; the ODRL context declares the first three."""

_NAME: Final = re.compile(r"[A-Za-z]+")
_TERM: Final = re.compile(r"\w[\w.-]{0,254}")
"""What a context may call a term: JSON-LD forbids the empty name, and a colon or an @ would say something else.

At most 255 characters, since such names stand in the paths of rules, under which uses are counted and findings told.
"""
_ALIASES: Final = {"@id": "uid", "id": "uid", "type": "@type", "dataType": "datatype"}
_KEYWORDS: Final = frozenset({"@id", "@type", "@value", "@list", "@set", "@graph"})
_DEFINITION: Final = frozenset({"@id", "@type", "@container", "@prefix", "@protected"})
_STRUCTURE: Final = (
    "Agreement Offer Set Request Policy Permission Prohibition Duty Rule Constraint LogicalConstraint Action Asset "
    "AssetCollection Party PartyCollection uid type id profile inheritFrom conflict permission prohibition obligation "
    "duty consequence remedy target assigner assignee action constraint refinement leftOperand operator rightOperand "
    "rightOperandReference unit dataType datatype status and or xone andSequence partOf source perm prohibit invalid"
)

Refuse = Callable[["Place", str, tuple[str, ...]], None]


class Place(NamedTuple):
    """A value and its JSON pointer in the document as it was handed in."""

    path: str
    value: object

    def child(self, key: str | int, value: object) -> Place:
        """The place of a member of this value."""
        name = str(key)
        if "~" in name or "/" in name:
            name = name.replace("~", "~0").replace("/", "~1")
        return Place(f"{self.path}/{name}", value)


@cache
def odrl_names() -> frozenset[str]:
    """Every bare name that means something in ODRL."""
    iris = (*CORE.lefts, *CORE.actions, *OPERATORS)
    return frozenset({*_STRUCTURE.split(), *(iri.removeprefix(ODRL) for iri in iris if iri.startswith(ODRL))})


class Names:
    """The names that the contexts of one document declare."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self._prefixes: set[str] = set()
        self._others: dict[str, str] = {}
        self._terms: dict[str, str] = {}
        self._spelled: dict[str, str | None] = {}
        self.bare = False
        self.ordered = False
        """Whether a plain list under ``andSequence`` has an order, as the published context says."""

    def canonical(self, text: str) -> str | None:
        """One spelling for a name: ODRL's bare, others ``dmi:…``, ``xsd:…`` or ``rdf:…``; ``None`` if undeclared."""
        if text not in self._spelled:
            self._spelled[text] = self._canonical(text)
        return self._spelled[text]

    def _canonical(self, text: str) -> str | None:
        if text.startswith("@"):
            return _ALIASES.get(text, text)
        if text in self._terms:
            return self._terms[text]
        for prefix, iri in PREFIXES.items():
            if text.startswith(iri):
                return _joined(prefix, text[len(iri) :])
        prefix, colon, name = text.partition(":")
        if colon:
            if prefix in PREFIXES:
                return _joined(prefix, name) if prefix in self._prefixes else None
            return self._others[prefix] + name if prefix in self._others else text
        return _ALIASES.get(text, text) if self.bare else None

    def take(self, item: Place) -> None:
        """Take in one context: an address that is known, or an object."""
        self._spelled.clear()
        if isinstance(item.value, str):
            if item.value.rstrip("#") not in ODRL_CONTEXTS:
                self._refuse(item, "only the ODRL context is known, nothing is fetched", ODRL_CONTEXTS)
                return
            self.bare = self.ordered = True
            self._prefixes |= {"odrl", "xsd", "rdf"}
        elif isinstance(item.value, Mapping):
            for prefix, meaning in _prefixes(item.value):
                self._prefix(item.child(prefix, item.value[prefix]), prefix, meaning)
            known = {prefix for prefix, _ in _prefixes(item.value)}
            for name in item.value.keys() - known:
                self._term(item.child(name, item.value[name]), name, item.value[name])
        else:
            self._refuse(item, "a context is an address or an object of prefixes", ())

    def _prefix(self, place: Place, prefix: str, meaning: str) -> None:
        if prefix not in PREFIXES:
            if prefix in odrl_names() or self._others.get(prefix, meaning) != meaning:
                self._refuse(place, "a name means one thing throughout a document", ())
            self._others[prefix] = meaning
        elif meaning == PREFIXES[prefix]:
            self._prefixes.add(prefix)
        else:
            self._refuse(place, "a context declares only known prefixes", ())

    def _term(self, place: Place, name: str, meaning: object) -> None:
        if name == "@version" and meaning == 1.1:
            return
        if name == "@vocab" and meaning == ODRL:
            self.bare = True
            return
        given: Mapping[Any, Any] = meaning if isinstance(meaning, Mapping) else {"@id": meaning}
        iri = given.get("@id")
        if not _TERM.fullmatch(name) or name in PREFIXES or not isinstance(iri, str):
            self._refuse(place, "a context declares only prefixes and names for terms of ODRL", ())
            return
        means = iri if iri in _KEYWORDS else self._canonical(iri)
        if name == "neq" and means == "eq":
            means = "neq"
        means = _ALIASES.get(means, means) if means is not None else None
        expected = _ALIASES.get(name, name)
        if means is None or not (_NAME.fullmatch(means) or means in _KEYWORDS):
            self._refuse(place, "a context declares only prefixes and names for terms of ODRL", ())
        elif (name in odrl_names() and means != expected) or self._terms.get(name, means) != means:
            self._refuse(place, "a name means one thing throughout a document", ())
        elif given.keys() - _DEFINITION or given.get("@type", "@id") not in ("@id", "@vocab"):
            self._refuse(place, "a context gives a term a name, and no type or nesting of its own", ())
        elif given.get("@container", "@set") not in ("@set", "@list"):
            self._refuse(place, "a container is @list or @set", ())
        else:
            self._terms[name] = means
            self.ordered = self.ordered or (means == "andSequence" and given.get("@container") == "@list")


def _prefixes(context: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """What looks like the declaration of a prefix, with the namespace."""
    for name, meaning in context.items():
        iri = (
            meaning.get("@id") if isinstance(meaning, Mapping) and meaning.get("@prefix") is True else meaning
        )
        if not isinstance(name, str) or not isinstance(iri, str) or name.startswith("@") or ":" in name:
            continue
        if ":" in iri and iri.endswith(("#", "/", ":", "?")):
            yield name, iri


def _joined(prefix: str, name: str) -> str | None:
    if prefix == "odrl":
        # Only letters: otherwise an ODRL name such as odrl:dmi:read would pass for a term of another prefix.
        return _ALIASES.get(name, name) if _NAME.fullmatch(name) else None
    return f"{prefix}:{name}"
