"""A report as a graph in the terms of the compliance report model, as Turtle or JSON-LD, and as plain JSON."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any, Final

from rdflib import RDF, XSD, Graph, Literal, Namespace, URIRef

from dmi_agreements.odrl.model import ODRL, Constraint, Logical, Value
from dmi_agreements.odrl.model import XSD as XSD_NAMESPACE
from dmi_agreements.odrl.proof import explain
from dmi_agreements.odrl.report import DutyReport, PolicyReport, Premise, RuleReport
from dmi_agreements.odrl.values import Truth
from dmi_agreements.odrl.vocabulary import DMI
from dmi_exchange.rdf.constraints import is_iri

REPORT: Final = Namespace("https://w3id.org/force/compliance-report#")
DCT: Final = Namespace("http://purl.org/dc/terms/")
_KINDS: Final = {
    "permission": "PermissionReport",
    "prohibition": "ProhibitionReport",
    "obligation": "DutyReport",
}
DRAFT: Final = Namespace("http://example.com/report/temp/")
"""Where the W3C draft's examples have these terms, under the names of ``_DRAFT_NAMES`` where they differ."""
_DRAFT_NAMES: Final = {
    "PolicyReport": "ComplianceReport",
    "policyRequest": "evaluationRequest",
    "Unsatisfied": "Not-Satisfied",
    "NonSet": "Not-set",
}
_SPACE: Final = uuid.UUID("6f1f6e0c-5a0e-5f0e-9c55-0d1b6b1c7a10")


def graph_of(report: PolicyReport) -> Graph:
    """The report as a graph, in the draft's terms when the request was in them.

    The same report has the same ids, so that it can be cited and compared.
    """
    return _Writer(report).graph


def turtle(report: PolicyReport) -> str:
    """The report as Turtle."""
    return graph_of(report).serialize(format="turtle")


def json_ld(report: PolicyReport) -> list[Any]:
    """The report as JSON-LD, expanded: it needs no context."""
    document: list[Any] = json.loads(graph_of(report).serialize(format="json-ld"))
    return document


class _Writer:
    def __init__(self, report: PolicyReport) -> None:
        self.graph = Graph(bind_namespaces="none")
        self.draft = report.draft
        for prefix, namespace in (
            ("report", DRAFT if report.draft else REPORT),
            ("odrl", ODRL),
            ("dct", DCT),
            ("xsd", XSD_NAMESPACE),
        ):
            self.graph.bind(prefix, namespace)
        self.seed = f"{report.policy}|{report.request}|{report.world}|{report.created}"
        node = self._node("")
        self._say(node, RDF.type, self._term("PolicyReport"))
        if report.created is not None:
            self._say(node, DCT.created, _term(report.created))
        self._named(node, self._term("policy"), report.policy)
        self._named(node, self._term("policyRequest"), report.request)
        for position, rule in enumerate(report.rules):
            self._say(node, self._term("ruleReport"), self._rule(rule, f"/{position}"))

    def _term(self, name: str) -> URIRef:
        return DRAFT[_DRAFT_NAMES.get(name, name)] if self.draft else REPORT[name]

    def _node(self, place: str) -> URIRef:
        return URIRef(uuid.uuid5(_SPACE, self.seed + place).urn)

    def _say(self, node: URIRef, name: URIRef, value: URIRef | Literal) -> None:
        self.graph.add((node, name, value))

    def _rule(self, report: RuleReport, place: str) -> URIRef:
        node = self._node(place)
        self._say(node, RDF.type, self._term(_KINDS[report.rule.kind]))
        self._say(node, self._term("attemptState"), self._term(_attempted(report)))
        self._named(node, self._term("rule"), report.rule.uid)
        if report.attempt is not None:
            self._named(node, self._term("ruleRequest"), report.attempt.uid)
        self._premises(node, report.premises, place)
        for position, duty in enumerate(report.conditions):
            self._say(node, self._term("conditionReport"), self._duty(duty, f"{place}/condition/{position}"))
        self._say(node, self._term("activationState"), self._active(_in_terms(report, self.draft)))
        if self.draft and report.rule.kind == "permission":
            self._say(node, self._term("controlState"), self._term(_control(report)))
        if report.duty is not None:
            self._states(node, report.duty)
        elif report.performed:
            self._say(node, self._term("performanceState"), self._term("Performed"))
            mended = bool(report.conditions) and all(
                each.deontic == "Fulfilled" for each in report.conditions
            )
            if report.active:
                self._say(node, self._term("deonticState"), self._term("Fulfilled" if mended else "Violated"))
        return node

    def _duty(self, duty: DutyReport, place: str) -> URIRef:
        if duty.report is not None:
            # The state of the world holds this report; it is named, not repeated.
            return URIRef(duty.report)
        node = self._node(place)
        self._say(node, RDF.type, self._term("DutyReport"))
        self._named(node, self._term("rule"), duty.rule.uid)
        self._premises(node, duty.premises, place)
        for position, each in enumerate(duty.further):
            self._say(node, self._term("conditionReport"), self._duty(each, f"{place}/condition/{position}"))
        self._say(node, self._term("activationState"), self._active(duty.active))
        self._states(node, duty)
        return node

    def _states(self, node: URIRef, duty: DutyReport) -> None:
        self._say(node, self._term("performanceState"), self._term(duty.performance))
        self._say(node, self._term("deonticState"), self._term(duty.deontic))

    def _named(self, node: URIRef, name: URIRef, uid: str | None) -> None:
        if uid is not None and is_iri(uid):
            self._say(node, name, URIRef(uid))

    def _premises(self, node: URIRef, premises: Iterable[Premise], place: str) -> None:
        for position, premise in enumerate(premises):
            self._say(
                node, self._term("premiseReport"), self._premise(premise, f"{place}/premise/{position}")
            )

    def _premise(self, premise: Premise, place: str) -> URIRef:
        node = self._node(place)
        self._say(node, RDF.type, self._term(f"{premise.kind}Report"))
        if premise.test is not None:
            self._named(node, self._term("constraint"), premise.test.uid)
        if isinstance(premise.test, Logical):
            self._say(node, self._term("constraintLogicalOperand"), URIRef(ODRL + premise.test.connective))
        if isinstance(premise.test, Constraint):
            for value in premise.found:
                self._say(node, self._term("constraintLeftOperand"), _term(value))
            # The model's own reports tell what was asked only of a constraint that is satisfied.
            if premise.holds is True:
                self._say(node, self._term("constraintOperator"), URIRef(premise.test.operator))
                for value in premise.expected:
                    self._say(node, self._term("constraintRightOperand"), _term(value))
        self._premises(node, premise.parts, place)
        self._say(node, self._term("satisfactionState"), self._satisfied(premise.holds))
        return node

    def _active(self, active: bool) -> URIRef:
        return self._term("Active" if active else "Inactive")

    def _satisfied(self, holds: Truth) -> URIRef:
        """The model has no word for what is not known; the project's profile has."""
        return (
            URIRef(DMI + "NotKnown") if holds is None else self._term("Satisfied" if holds else "Unsatisfied")
        )


def _in_terms(report: RuleReport, draft: bool) -> bool:
    """The draft counts a rule as active by its constraints and conditions; whether it permits is another state."""
    return report.in_force if draft else report.active


def _control(report: RuleReport) -> str:
    return "Permit" if report.active else "Deny"


def _attempted(report: RuleReport) -> str:
    return "NotAttempted" if report.attempt is None else "Attempted"


def _term(value: Value) -> URIRef | Literal:
    if isinstance(value, str):
        return URIRef(value) if is_iri(value) else Literal(value)
    if value.language is not None:
        return Literal(value.text, lang=value.language)
    datatype = URIRef(value.datatype)
    return Literal(value.text) if datatype == XSD.string else Literal(value.text, datatype=datatype)


def plain(report: PolicyReport) -> dict[str, Any]:
    """The report as a JSON object for programs that know no RDF: the model's names, values without namespace."""
    return _filled(
        {
            "type": _worded("PolicyReport", report.draft),
            "policy": report.policy,
            "policyRequest": report.request,
            "state": report.world,
            "created": report.created.text if report.created else None,
            "verdict": report.verdict,
            "allowed": report.allowed,
            "conflictStrategy": report.strategy,
            "ruleReport": [_plain_rule(rule, report.draft) for rule in report.rules],
            "proof": {"nl": list(explain(report, "nl")), "en": list(explain(report, "en"))},
        }
    )


def _worded(name: str, draft: bool) -> str:
    return _DRAFT_NAMES.get(name, name) if draft else name


def _plain_rule(report: RuleReport, draft: bool) -> dict[str, Any]:
    duty = report.duty
    return _filled(
        {
            "type": _KINDS[report.rule.kind],
            "rule": report.rule.uid,
            "path": report.rule.path,
            "ruleRequest": report.attempt.uid if report.attempt else None,
            "attemptState": _attempted(report),
            "activationState": "Active" if _in_terms(report, draft) else "Inactive",
            "controlState": _control(report) if draft and report.rule.kind == "permission" else None,
            "performanceState": duty.performance if duty else "Performed" if report.performed else None,
            "deonticState": _worded(duty.deontic, draft) if duty else None,
            "premiseReport": [_plain_premise(premise, draft) for premise in report.premises],
            "conditionReport": [_plain_duty(each, draft) for each in report.conditions],
        }
    )


def _plain_duty(duty: DutyReport, draft: bool) -> dict[str, Any]:
    return _filled(
        {
            "type": "DutyReport",
            "id": duty.report,
            "rule": duty.rule.uid,
            "path": duty.rule.path,
            "attemptState": "Attempted" if duty.attempted else "NotAttempted",
            "activationState": "Active" if duty.active else "Inactive",
            "performanceState": duty.performance,
            "deonticState": _worded(duty.deontic, draft),
            "premiseReport": [_plain_premise(premise, draft) for premise in duty.premises],
            "conditionReport": [_plain_duty(each, draft) for each in duty.further],
        }
    )


def _plain_premise(premise: Premise, draft: bool) -> dict[str, Any]:
    test = premise.test
    truth = _worded({True: "Satisfied", False: "Unsatisfied", None: "Unknown"}[premise.holds], draft)
    found: dict[str, Any] = {"type": f"{premise.kind}Report"}
    if isinstance(test, Logical):
        found |= {"constraint": test.uid, "path": test.path, "constraintLogicalOperand": test.connective}
    elif test is not None:
        found |= {
            "constraint": test.uid,
            "path": test.path,
            "leftOperand": test.left,
            "constraintLeftOperand": [_plain_value(value) for value in premise.found],
            "constraintOperator": test.operator.removeprefix(ODRL),
            "constraintRightOperand": [_plain_value(value) for value in premise.expected],
            "unit": test.unit,
        }
    else:
        found |= {"asked": list(premise.expected), "found": [_plain_value(each) for each in premise.found]}
    found |= {
        "satisfactionState": truth,
        "premiseReport": [_plain_premise(part, draft) for part in premise.parts],
    }
    return _filled(found)


def _plain_value(value: Value) -> str:
    return value if isinstance(value, str) else value.text


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [])}
