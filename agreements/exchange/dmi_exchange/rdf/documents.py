"""A Turtle or JSON-LD text becomes a graph. Contexts come from the project; nothing is fetched.

A context URL that the project knows stands for the project's own context; any other is refused. The context that
W3C published maps ``neq`` to ``odrl:eq``: who writes ``neq`` means "not equal", so that mapping is set right, also
where a document carries it along.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from importlib import resources
from typing import Any, Final

import rdflib
from rdflib import Graph
from rdflib.plugins.parsers.jsonld import to_rdf

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.values import BOX
from dmi_agreements.odrl.vocabulary import nearest

# It logs a stack trace for each text that breaks its datatype; those are refused with their place here.
logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)

BASE: Final = "urn:dmi:relative:/"
"""What relative IRIs are resolved against, since a document from elsewhere has no place here."""
UNMAPPED: Final = "urn:dmi:unmapped:"
"""Where terms of JSON-LD stand that no context gives a meaning."""
LIMIT: Final = 4 * 1024 * 1024
"""Characters that a document may have."""
DEPTH: Final = 60
"""How deep a document may nest."""

_DRAFT: Final = "raw.githubusercontent.com/w3c/odrl/refs/heads/master/formal-semantics/ontology"
CONTEXTS: Final = {
    **{
        f"{scheme}://{url}": "odrl"
        for scheme in ("http", "https")
        for url in ("www.w3.org/ns/odrl.jsonld", "www.w3.org/ns/odrl/2/odrl.jsonld", "www.w3.org/ns/odrl/2/")
    },
    f"https://{_DRAFT}/evaluation_request.json": "evaluation-request",
    f"https://{_DRAFT}/stow.json": "state-of-the-world",
}
"""URL -> our context of that meaning, in ``contexts/``."""


@cache
def context(name: str) -> dict[str, Any]:
    """One of our contexts, as the value of ``@context``."""
    text = resources.files("dmi_exchange.rdf").joinpath("contexts", f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)["@context"]
    return found


def refuse(path: str, rule: str, value: str = "", near: str | None = None) -> PolicyRefused:
    """A refusal with one finding."""
    return PolicyRefused((Finding(path, rule, value[:200], near),))


def read_text(text: str) -> Graph:
    """The graph of a document; JSON-LD when it begins like JSON, else Turtle."""
    if len(text) > LIMIT:
        raise refuse("", f"a document has at most {LIMIT} characters", str(len(text)))
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        # Turtle may begin with a blank node's bracket; no JSON document parses as Turtle, so JSON comes first.
        try:
            document = json.loads(text, object_pairs_hook=_once, parse_constant=_finite)
        except (ValueError, RecursionError) as exc:
            if text.lstrip().startswith("{"):
                raise refuse("", f"this is not JSON: {exc}"[:300]) from exc
        else:
            return read_json(document)
    graph = _empty()
    try:
        graph.parse(data=text, format="turtle", publicID=BASE)
    except Exception as exc:
        # The parser raises whatever its parts raise; a text that it cannot read is refused, not passed on.
        raise refuse("", f"this is neither Turtle nor JSON-LD: {_in_short(exc)}") from exc
    return graph


def read_json(document: Any) -> Graph:
    """The graph of a JSON-LD document that was parsed already."""
    prepared = _prepared(document, "", 0)
    graph = _empty()
    try:
        # A term without meaning would be dropped without a word; so it gets one that no reader knows.
        to_rdf(prepared, graph, base=BASE, context_data={"@vocab": UNMAPPED})
    except Exception as exc:
        raise refuse("", f"this is not JSON-LD: {_in_short(exc)}") from exc
    return graph


def _empty() -> Graph:
    # Texts stay as their author wrote them: "2024-02-12T11:20:10.999Z" must come out as it went in. The library has
    # this as a setting of the whole process, which others change (a SHACL validator does): so it is set each time.
    rdflib.NORMALIZE_LITERALS = False
    # This store alone keeps the order of the document, by which reports list rules.
    return Graph(store="SimpleMemory", bind_namespaces="none")


def _in_short(exc: Exception) -> str:
    lines = str(exc).strip().splitlines() or [type(exc).__name__]
    # A parser of Turtle tells the line first, then what was wrong there.
    return " ".join(lines[:2])[:200]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} stands twice in one object")
    return found


def _finite(word: str) -> float:
    raise ValueError(f"{word} is not a number of JSON")


def _prepared(value: Any, path: str, depth: int) -> Any:
    """``value`` with each context replaced by the project's own, and nothing left that names an address."""
    if depth > DEPTH:
        raise refuse(path, f"a document nests at most {DEPTH} deep")
    if isinstance(value, list):
        return [_prepared(each, f"{path}/{index}", depth + 1) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found = {
        name: _context(each, f"{path}/@context", depth)
        if name == "@context"
        else _prepared(each, f"{path}/{name.replace('~', '~0').replace('/', '~1')}", depth + 1)
        for name, each in value.items()
    }
    for name in (BOX, BOX.replace("urn:dmi:", "dmi:")):
        # Values without order would lose the second of two equal numbers.
        if isinstance(found.get(name), list):
            found[name] = {"@list": found[name]}
    return found


def _context(value: Any, path: str, depth: int) -> Any:
    if depth > DEPTH:
        raise refuse(path, f"a document nests at most {DEPTH} deep")
    if value is None:
        raise refuse(path, "a context must not take the meaning of terms away")
    if isinstance(value, list):
        return [_context(each, f"{path}/{index}", depth + 1) for index, each in enumerate(value)]
    if isinstance(value, str):
        name = CONTEXTS.get(value.rstrip("#"))
        if name is None:
            known = nearest(value, CONTEXTS)
            raise refuse(path, "this context is not known here, and contexts are not fetched", value, known)
        return context(name)
    if not isinstance(value, dict):
        raise refuse(path, "a context is an object, a known URL or a list of these", str(value))
    if "@context" in value:
        # The library would look into it, and fetch what it names.
        raise refuse(f"{path}/@context", "a context holds no context of its own")
    if "@import" in value:
        imported = _context(value["@import"], f"{path}/@import", depth + 1)
        value = {**imported, **{name: each for name, each in value.items() if name != "@import"}}
    return {name: _term(name, each, value, f"{path}/{name}", depth) for name, each in value.items()}


def _term(name: str, meaning: Any, whole: dict[str, Any], path: str, depth: int) -> Any:
    if meaning is None or (isinstance(meaning, dict) and meaning.get("@id", name) is None):
        raise refuse(path, "a context must not take the meaning of terms away")
    if isinstance(meaning, dict) and "@context" in meaning:
        meaning = {**meaning, "@context": _context(meaning["@context"], f"{path}/@context", depth + 1)}
    if name == "neq":
        iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
        prefix, _, rest = str(iri).partition(":")
        if str(iri) == ODRL + "eq" or (rest == "eq" and whole.get(prefix, ODRL) == ODRL):
            return {**meaning, "@id": ODRL + "neq"} if isinstance(meaning, dict) else ODRL + "neq"
    return meaning
