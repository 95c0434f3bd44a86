"""Nodes of a graph, and the constraints among them, read with every statement accounted for."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cached_property

from rdflib import RDF, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import ODRL, XSD, Constraint, Logical, Test, Typed, Value
from dmi_agreements.odrl.values import BOX, Box, Lasting, Span, meaning
from dmi_agreements.odrl.vocabulary import DMI, OPERATORS, SET_OPERATORS, Left, Vocabulary, nearest
from dmi_exchange.rdf import references, terms

_DEPTH = 32
FINDINGS = 100
"""Rules that a document may break before it is read no further."""
# A list may name one node twice, and that node a list again: without a bound such a text doubles with each line.
_TESTS = 20_000
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_ORDERED = frozenset(ODRL + name for name in ("lt", "lteq", "gt", "gteq"))
# What a text without datatype may stand for, by the type of the left operand.
_READINGS = {
    "dateTime": ("dateTime", "date"),
    "time": ("time",),
    "duration": ("duration", "decimal"),
    "integer": ("integer",),
    "number": ("decimal", "double"),
    "boolean": ("boolean",),
}


def is_iri(text: str) -> bool:
    """Whether a text has the shape of an absolute IRI (RFC 3987, without its ranges of characters)."""
    return _IRI.fullmatch(text) is not None


def typed(literal: Literal) -> Typed:
    """A literal of the graph as a value."""
    if literal.language is not None:
        return Typed(str(literal), XSD + "string", literal.language)
    return Typed(str(literal), str(literal.datatype or XSD + "string"))


class ConstraintReader:
    """Reads nodes of one policy; what is wrong gathers in ``findings``, and what was read in ``reached``."""

    def __init__(self, graph: Graph, vocabulary: Vocabulary) -> None:
        self.graph = graph
        self.vocabulary = vocabulary
        self.findings: list[Finding] = []
        self.reached: set[Node] = set()
        self.count = 0

    def wrong(self, path: str, rule: str, value: str = "", near: str | None = None) -> None:
        """Note that a rule is broken; a document that breaks too many is not read to its end."""
        self.findings.append(Finding(path, rule, value[:200], near))
        if len(self.findings) >= FINDINGS:
            raise PolicyRefused(tuple(self.findings))

    def dangling(self, node: Node, path: str, rule: str) -> None:
        """Note that ``node`` lacks what it has to say; who mistyped a reference is told which may be meant."""
        if isinstance(node, BNode):
            self.wrong(path, rule)
        else:
            self.wrong(path, rule, str(node), nearest(str(node), self._loose))

    @cached_property
    def _loose(self) -> tuple[str, ...]:
        return references.loose(self.graph)

    def account(
        self,
        node: Node,
        known: frozenset[str],
        path: str,
        types: frozenset[str] | None = None,
        described: bool = False,
    ) -> None:
        """Note every property of ``node`` that is not known, and every type that is not one of ``types``."""
        self.reached.add(node)
        for name in dict.fromkeys(str(name) for name in self.graph.predicates(node)):
            allowed = terms.is_description(name) if described else terms.is_annotation(name)
            if name not in known and not allowed:
                short = name.removeprefix(ODRL)
                self.wrong(f"{path}/{short}", "this property is not known here", name, nearest(name, known))
        for each in self.graph.objects(node, RDF.type) if types is not None else ():
            if types is not None and str(each) not in types:
                self.wrong(
                    f"{path}/type", "this is another kind of node", str(each), nearest(str(each), types)
                )

    def values(self, node: Node, name: str) -> list[Node]:
        """The values of a property in the order of the document; a list counts as its members.

        A list in a list counts too: that is what the library makes of ``@list`` under a term that is a list.
        """
        found: list[Node] = []
        seen: set[Node] = set()
        todo = list(reversed(list(self.graph.objects(node, URIRef(name)))))
        while todo:
            value = todo.pop()
            if value == RDF.nil:
                continue
            firsts, rests = (list(self.graph.objects(value, each)) for each in (RDF.first, RDF.rest))
            if not firsts and not rests:
                found.append(value)
            elif len(firsts) != 1 or len(rests) != 1 or value in seen:
                self.wrong("", "a list has one member and one rest in each place, and an end", str(value))
            else:
                seen.add(value)
                todo += [rests[0], firsts[0]]
        return found

    def single(self, node: Node, name: str, path: str) -> Node | None:
        """The one value of a property that may stand once."""
        found = self.values(node, name)
        if len(found) > 1:
            short = name.removeprefix(ODRL)
            self.wrong(f"{path}/{short}", "this property stands once", ", ".join(map(str, found)))
        return found[0] if found else None

    def uid(self, node: Node, path: str) -> str | None:
        """The IRI of a node, which ``odrl:uid`` may repeat, or give to a node without one."""
        given = self.single(node, ODRL + "uid", path)
        if isinstance(node, URIRef):
            if given is not None and str(given) != str(node):
                self.wrong(f"{path}/uid", "uid is the node's own IRI", str(given))
            return str(node)
        return None if given is None else self.iri(given, f"{path}/uid")

    def iri(self, node: Node, path: str) -> str:
        """An IRI; a text that has the shape of one counts, since contexts differ in which values they type."""
        text = str(node)
        if isinstance(node, BNode) or not is_iri(text):
            self.wrong(path, "an IRI is wanted here", "" if isinstance(node, BNode) else text)
        return text

    def tests(self, node: Node, name: str, path: str) -> tuple[Test, ...]:
        """The constraints or refinements of a node; all of them must hold."""
        short = name.removeprefix(ODRL)
        return tuple(
            self._test(each, f"{path}/{short}/{position}", 0)
            for position, each in enumerate(self.values(node, name))
        )

    def _test(self, node: Node, path: str, depth: int) -> Test:
        joined = (
            [] if isinstance(node, Literal) else [each for each in terms.CONNECTIVES if self._has(node, each)]
        )
        self.count += 1
        if self.count > _TESTS:
            self.wrong(path, f"a policy has at most {_TESTS} constraints")
            raise PolicyRefused(tuple(self.findings))
        if depth > _DEPTH:
            self.wrong(path, f"logical constraints nest at most {_DEPTH} deep")
        elif joined:
            return self._logical(node, joined, path, depth)
        elif not isinstance(node, Literal) and self._has(node, ODRL + "leftOperand"):
            return self._constraint(node, path)
        else:
            rule = "a constraint has a leftOperand, or joins others by and, or, xone or andSequence"
            self.dangling(node, path, rule)
        return Logical("and", (), path)

    def types(self, node: Node) -> set[str]:
        """The types of a node."""
        return {str(each) for each in self.graph.objects(node, RDF.type)}

    def _has(self, node: Node, name: str) -> bool:
        return (node, URIRef(name), None) in self.graph

    def _logical(self, node: Node, joined: list[str], path: str, depth: int) -> Logical:
        self.account(node, terms.LOGICAL, path, types=terms.CONSTRAINT_TYPES)
        connective = terms.CONNECTIVES[joined[0]]
        if len(joined) > 1:
            self.wrong(path, "a logical constraint has one connective", ", ".join(joined))
        given = list(self.graph.objects(node, URIRef(joined[0])))
        if connective == "andSequence" and len(given) > 1:
            self.wrong(f"{path}/andSequence", "a sequence is a list, since other values have no order")
        operands = tuple(
            self._test(each, f"{path}/{connective}/{position}", depth + 1)
            for position, each in enumerate(self.values(node, joined[0]))
        )
        if not operands:
            self.wrong(f"{path}/{connective}", "a connective joins at least one constraint")
        return Logical(connective, operands, path, self.uid(node, path))

    def _constraint(self, node: Node, path: str) -> Constraint:
        self.account(node, terms.CONSTRAINT, path, types=terms.CONSTRAINT_TYPES)
        left = self.iri(self.single(node, ODRL + "leftOperand", path) or BNode(), f"{path}/leftOperand")
        known = self.vocabulary.lefts.get(left)
        if known is None:
            near = self.vocabulary.nearest(left, "left")
            self.wrong(f"{path}/leftOperand", "this left operand is not known", left, near)
        operator = self._operator(node, path, known)
        named = [str(each) for name in sorted(terms.DATATYPE) for each in self.values(node, name)]
        # The published context leaves the prefix of a datatype as it is written.
        datatype = named[0].replace("xsd:", XSD, 1) if named else None
        references = self.values(node, ODRL + "rightOperandReference")
        given = self.values(node, ODRL + "rightOperand")
        if bool(given) == bool(references):
            self.wrong(path, "a constraint has a rightOperand, or a rightOperandReference in its place")
        if len(given or references) > 1 and operator not in SET_OPERATORS:
            self.wrong(f"{path}/rightOperand", "only isAnyOf, isAllOf and isNoneOf take several values")
        place = f"{path}/rightOperand"
        right: tuple[Value, ...] = tuple(
            self._right(each, known, datatype, place) for each in given
        ) or tuple(self.iri(each, f"{place}Reference") for each in references)
        unit = self.single(node, ODRL + "unit", path)
        status = self.single(node, ODRL + "status", path)
        anchor = next((each for name in terms.ANCHORS for each in self.values(node, name)), None)
        return Constraint(
            left,
            operator,
            right,
            path,
            uid=self.uid(node, path),
            unit=None if unit is None else str(unit),
            datatype=datatype,
            status=None if status is None else self.value(status, f"{path}/status"),
            reference=bool(references) and not given,
            anchor=None if anchor is None else self.value(anchor, f"{path}/anchor"),
        )

    def _operator(self, node: Node, path: str, left: Left | None) -> str:
        operator = self.iri(self.single(node, ODRL + "operator", path) or BNode(), f"{path}/operator")
        if operator not in OPERATORS:
            near = self.vocabulary.nearest(operator, "operator")
            self.wrong(f"{path}/operator", "this operator is not known", operator, near)
        elif (
            operator in _ORDERED
            and left is not None
            and left.type in ("concept", "text", "structure", "place")
        ):
            self.wrong(f"{path}/operator", "the values of this left operand have no order", operator)
        return operator

    def value(self, node: Node, path: str) -> Value:
        """A literal, an IRI, or an area: a node with a bounding box. The prefix ``dmi:`` stands for ours in texts."""
        if isinstance(node, Literal):
            found = typed(node)
            plain = found.datatype == XSD + "string" and found.language is None
            own = plain and found.text.startswith("dmi:") and is_iri(found.text)
            return DMI + found.text.removeprefix("dmi:") if own else found
        box = self.values(node, BOX)
        if not box:
            return self.iri(node, path)
        self.account(node, frozenset({BOX}), path)
        area = Typed(" ".join(_plain(str(each)) for each in box), BOX)
        if meaning(area) is None:
            self.wrong(path, "an area is west, south, east and north in degrees", area.text)
        return area

    def _right(self, node: Node, left: Left | None, datatype: str | None, path: str) -> Value:
        value = self.value(node, path)
        if isinstance(value, Typed) and datatype is not None and datatype != value.datatype:
            if value.datatype != XSD + "string":
                self.wrong(path, "the value has another datatype than the constraint names", value.datatype)
            value = Typed(value.text, datatype)
        if left is None or value == ODRL + "policyUsage":
            return value
        if isinstance(value, Typed) and value.datatype == XSD + "string" and left.type in _READINGS:
            readings = (Typed(value.text, XSD + name) for name in _READINGS[left.type])
            value = next((each for each in readings if meaning(each) is not None), value)
        if isinstance(value, Typed) and left.type == "concept" and is_iri(value.text):
            # The published context gives right operands no type, so that IRIs come as texts.
            value = value.text
        if not _fits(value, left):
            self.wrong(path, f"the value does not fit {left.iri}, which takes a {left.type}", _shown(value))
        return value


def _plain(number: str) -> str:
    """A number without exponent, as Turtle may write a double; what is none, or beyond all degrees, as it is."""
    try:
        known = Decimal(number)
    except InvalidOperation:
        return number
    return format(known, "f") if known.is_finite() and -20 <= known.adjusted() <= 5 else number


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else f"{value.text} ({value.datatype})"


def _fits(value: Value, left: Left) -> bool:
    """Whether this left operand can take the value."""
    known = meaning(value)
    if known is None:
        return False
    if left.type in ("dateTime", "time"):
        return isinstance(known, Span)
    if left.type == "duration":
        # Durations are also written as a number, in the unit of the table.
        return isinstance(known, Lasting) or _is_number(value)
    if left.type in ("integer", "number"):
        return _is_number(value)
    if left.type == "boolean":
        return isinstance(known, bool)
    return True


def _is_number(value: Value) -> bool:
    known = meaning(value)
    return known is not None and not isinstance(known, str | bool | Span | Lasting | Box)
