"""An agreement of the information model in the project's own spelling: the document that both sides can sign.

Whatever form it came in (Turtle, JSON-LD with any context), this is the one that gates read. Reading it again gives the
same policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import ODRL, XSD, Action, Logical, Policy, Rule, Test, Thing, Value
from dmi_agreements.odrl.values import BOX
from dmi_agreements.odrl.vocabulary import DMI
from dmi_agreements.policy.context import ODRL_CONTEXTS

CONTEXT: Final = (ODRL_CONTEXTS[0], {"dmi": DMI})


def written(policy: Policy) -> dict[str, Any]:
    """The document of an agreement; raises ``PolicyRefused`` for one that is not between two parties."""
    rules = (*policy.permissions, *policy.prohibitions)
    parties = {
        role: {thing.uid or thing.source for rule in rules for thing in getattr(rule, f"{role}s")}
        for role in ("assigner", "assignee")
    }
    findings = [
        Finding(f"/{role}", "one party stands here for all rules", ", ".join(sorted(map(str, names)))[:100])
        for role, names in parties.items()
        if len(names) != 1 or None in names
    ]
    if findings:
        raise PolicyRefused(tuple(findings))
    own = {role: str(next(iter(names))) for role, names in parties.items()}
    document: dict[str, Any] = {
        "@context": list(CONTEXT),
        "@type": policy.kind,
        "uid": policy.uid,
        "profile": [_name(profile) for profile in policy.profiles],
        **{_name(name): _value(value) for name, value in policy.about},
        **own,
    }
    for kind, found in (("permission", policy.permissions), ("prohibition", policy.prohibitions)):
        if found:
            document[kind] = [_rule(rule, own) for rule in found]
    if policy.obligations:
        document["obligation"] = [_duty(duty, own) for duty in policy.obligations]
    if policy.conflict is not None:
        document["conflict"] = policy.conflict
    return document


def _name(iri: str) -> str:
    short = iri.removeprefix(ODRL)
    if short != iri:
        return short
    return iri.replace(DMI, "dmi:", 1) if iri in (DMI + "rulebook", DMI + "legalBasis") else iri


def _rule(rule: Rule, own: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"uid": rule.uid} if rule.uid else {}
    found["target"] = [_thing(thing) for thing in rule.targets]
    found["action"] = [_action(action) for action in rule.actions]
    for role in ("assigner", "assignee"):
        for thing in getattr(rule, f"{role}s"):
            if thing.refinements or (thing.uid or thing.source) != own[role]:
                found[role] = _thing(thing)
    _add(found, "constraint", [_test(test) for test in rule.constraints])
    _add(found, "duty", [_duty(duty) for duty in rule.duties])
    _add(found, "remedy", [_duty(duty) for duty in rule.remedies])
    return found


def _duty(duty: Rule, own: dict[str, str] | None = None) -> dict[str, Any]:
    """A duty; ``own`` are the parties of the policy, which an obligation need not repeat."""
    found: dict[str, Any] = {"uid": duty.uid} if duty.uid else {}
    found["action"] = (
        _action(duty.actions[0]) if len(duty.actions) == 1 else [_action(a) for a in duty.actions]
    )
    for role in ("assigner", "assignee", "target"):
        things = [_thing(thing) for thing in getattr(duty, f"{role}s")]
        _add(found, role, [] if own and things == [own.get(role)] else things)
    for name, thing in duty.functions:
        found.setdefault(_name(name), []).append(_thing(thing))
    _add(found, "constraint", [_test(test) for test in duty.constraints])
    _add(found, "consequence", [_duty(each) for each in duty.consequences])
    return found


def _add(found: dict[str, Any], name: str, values: list[Any]) -> None:
    if values:
        found[name] = values


def _action(action: Action) -> Any:
    if not action.refinements:
        return _name(action.iri)
    named: dict[str, Any] = {"rdf:value": {"@id": action.iri}, "refinement": _tests(action.refinements)}
    return {**named, "uid": action.uid} if action.uid else named


def _thing(thing: Thing) -> Any:
    if not thing.refinements:
        return thing.uid or thing.source
    named = {"uid": thing.uid} if thing.uid else {"source": thing.source}
    return {**named, "refinement": _tests(thing.refinements)}


def _tests(tests: Iterable[Test]) -> list[Any]:
    return [_test(test) for test in tests]


def _test(test: Test) -> dict[str, Any]:
    named: dict[str, Any] = {"uid": test.uid} if test.uid else {}
    if isinstance(test, Logical):
        return {**named, test.connective: _tests(test.operands)}
    values = [_value(value) for value in test.right]
    found = {
        **named,
        "leftOperand": _name(test.left),
        "operator": _name(test.operator),
        ("rightOperandReference" if test.reference else "rightOperand"): values[0]
        if len(values) == 1
        else values,
    }
    if test.unit is not None:
        found["unit"] = test.unit
    if test.status is not None:
        found["status"] = _value(test.status)
    return found


def _value(value: Value) -> Any:
    if isinstance(value, str):
        return value
    if value.datatype == BOX:
        return {"dmi:bbox": [float(edge) for edge in value.text.split()]}
    if value.datatype == XSD + "string" and value.language is None:
        return value.text
    tag = {"@language": value.language} if value.language else {"@type": value.datatype.replace(XSD, "xsd:")}
    return {"@value": value.text, **tag}
