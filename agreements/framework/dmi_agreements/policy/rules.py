"""Reading permissions and prohibitions: their actions, assets, parties, conditions and duties."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from dmi_agreements.decision import EVERYONE, Duty, LeaveOut
from dmi_agreements.odrl.model import (
    ODRL,
    Action,
    Constraint,
    Logical,
    Rule,
    RuleKind,
    Test,
    Thing,
    Typed,
)
from dmi_agreements.odrl.vocabulary import CORE
from dmi_agreements.policy.constraints import Context, node_uid, own_type, read_tests
from dmi_agreements.policy.context import Place
from dmi_agreements.policy.duties import read_duty
from dmi_agreements.policy.jsonld import Reader
from dmi_agreements.policy.operands import PLACES, box_of, identifier, iri, moment_of
from dmi_agreements.policy.terms import BBox, RuleTerms, TimeTest
from dmi_agreements.prices import Price
from dmi_agreements.rulebook import Rulebook

SLUG: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
PARTY: Final = re.compile(rf"urn:dmi:(?:participant|person):{SLUG}", re.ASCII)
ASSIGNEE: Final = re.compile(rf"{PARTY.pattern}|{EVERYONE}", re.ASCII)
DATASET: Final = re.compile(rf"urn:dmi:dataset:{SLUG}:{SLUG}", re.ASCII)
PURPOSE: Final = ODRL + "purpose"
SPATIAL: Final = iri(PLACES)


@dataclass(frozen=True, slots=True)
class Policywide:
    """What a policy says for all its rules (section 2.7.1), and what its rules are read with."""

    rulebook: Rulebook
    parties: Mapping[str, str | None]
    target: Place | None = None
    action: Place | None = None
    layer: bool = False
    """Whether the assignee operates a layer: its own rights cannot carry every duty."""
    targets: dict[str, list[_Target]] = field(default_factory=dict, init=False)
    """The targets as they were read, by the kind of rule: a long list for many rules is read once."""


@dataclass(frozen=True, slots=True)
class _Target:
    dataset: str
    thing: Thing
    areas: tuple[BBox, ...] = ()


@lru_cache(maxsize=4_096)
def covered(rulebook: Rulebook, action: str) -> tuple[str, ...]:
    """The actions of the rulebook that an action (IRI) covers, in its order."""
    return tuple(each for each in rulebook.actions if CORE.covers(action, iri(each)))


@lru_cache(maxsize=16)
def gate_actions(rulebook: Rulebook) -> frozenset[str]:
    """The actions that a rule can name: those of the rulebook, and those of ODRL that cover one of them."""
    wide = (each for each in CORE.actions if each.startswith(ODRL) and covered(rulebook, each))
    return frozenset({*rulebook.actions, *(each.removeprefix(ODRL) for each in wide)})


def read_rule(reader: Reader, place: Place, kind: RuleKind, shared: Policywide) -> RuleTerms:
    """One permission or prohibition; usable only when there are no findings."""
    permission = kind == "permission"
    further = "duty" if permission else "remedy"
    optional = ["constraint", "uid", "@type", "assigner", "assignee", further, "target", "action"]
    fields = reader.fields(place, (), optional)
    own_type(reader, fields, kind.capitalize(), "Rule")
    context = Context("permission" if permission else "prohibition", shared.rulebook, places=True)
    targets = _targets(reader, place, fields, context, shared)
    actions = _actions(reader, place, fields, context, shared)
    constraints = read_tests(reader, fields.get("constraint"), context)
    if permission and fields and not _purposeful(constraints, actions):
        reader.refuse(place, "a permission names its purpose")
    areas = tuple(area for test in constraints for area in _areas(test))
    if not permission and (areas or any(target.areas for target in targets)):
        reader.refuse(fields.get("constraint", place), "a prohibition has no area")
    reached = _reached(shared.rulebook, actions)
    duties, carried, price = _duties(reader, fields.get("duty"), shared, reached if shared.layer else ())
    remedies = (
        read_duty(reader, item, shared.rulebook, "remedy") for item in reader.items(fields.get("remedy"))
    )
    rule = Rule(
        kind,
        place.path,
        actions,
        node_uid(reader, fields),
        targets=tuple(target.thing for target in targets),
        assigners=_party(reader, fields, "assigner", shared),
        assignees=_party(reader, fields, "assignee", shared),
        constraints=constraints,
        duties=duties,
        remedies=tuple(duty.rule for duty in remedies if duty is not None),
    )
    return RuleTerms(
        place.path,
        rule,
        tuple(dict.fromkeys(target.dataset for target in targets)),
        reached,
        times=tuple(limit for test in constraints for limit in _limits(test)),
        areas=areas,
        duties=carried,
        area_of={target.dataset: target.areas for target in targets if target.areas},
        price=price,
    )


def in_force_for(rule: RuleTerms, assigner: str, assignee: str) -> RuleTerms:
    """An inherited rule that names no parties is between those of the policy that inherits it."""
    found = rule.rule
    named = replace(
        found,
        assigners=found.assigners or (Thing(assigner),),
        assignees=found.assignees or (Thing(assignee),),
    )
    return replace(rule, rule=named)


def _party(reader: Reader, fields: Mapping[str, Place], role: str, shared: Policywide) -> tuple[Thing, ...]:
    """The party of a rule: that of the agreement, or a part of it told by refinements."""
    own = shared.parties[role]
    default = () if own is None else (Thing(own),)
    place = fields.get(role)
    only = reader.one(place)
    if place is None or only is None:
        return default
    refinements: tuple[Test, ...] = ()
    named: Place | None = only
    if isinstance(only.value, Mapping) and len(only.value) > 1:
        found = reader.fields(only, (), ("uid", "source", "@type", "refinement"))
        own_type(reader, {key: found[key] for key in found if key == "@type"}, "Party", "PartyCollection")
        refinements = read_tests(reader, found.get("refinement"), Context("permission", shared.rulebook))
        named = found.get("uid") or found.get("source")
        if named is None or ("uid" in found and "source" in found):
            reader.refuse(only, "a party is named once, as uid or as source")
    party = identifier(reader, named, ASSIGNEE, "a party")
    if party is not None and party != own and own is not None:
        reader.refuse(only, f"the {role} of a rule is that of the agreement")
    if refinements and role == "assigner":
        reader.refuse(only, "who grants is one party, not those that meet a condition")
    return (Thing(party, refinements=refinements),) if party is not None else default


def _targets(
    reader: Reader, place: Place, fields: Mapping[str, Place], context: Context, shared: Policywide
) -> list[_Target]:
    own = reader.items(fields.get("target"))
    targets = [target for target in (_target(reader, item, context) for item in own) if target is not None]
    if shared.target is not None:
        if context.where not in shared.targets:
            found = (_target(reader, item, context) for item in reader.items(shared.target))
            shared.targets[context.where] = [target for target in found if target is not None]
        targets += shared.targets[context.where]
    if not own and not reader.items(shared.target):
        reader.refuse(fields.get("target", place), "at least one dataset")
    refined = [target.dataset for target in targets if target.thing.refinements]
    for target in targets:
        if refined.count(target.dataset) > 1 or (target.dataset in refined and not target.thing.refinements):
            reader.refuse(
                place, f"{target.dataset} stands once among the targets of a rule, whole or in part"
            )
    return targets


def _target(reader: Reader, item: Place, context: Context) -> _Target | None:
    if isinstance(item.value, Mapping) and len(item.value) > 1:
        fields = reader.fields(item, (), ("uid", "source", "@type", "refinement"))
        own_type(reader, {key: fields[key] for key in fields if key == "@type"}, "Asset", "AssetCollection")
        tests = read_tests(reader, fields.get("refinement"), context)
        for test in tests:
            if not _areas(test):
                reader.refuse(fields["refinement"], "a part of a dataset is told by its area")
        named = fields.get("uid") or fields.get("source")
        if named is None or ("uid" in fields and "source" in fields):
            reader.refuse(item, "an asset is named once, as uid or as source")
        dataset = identifier(reader, named, DATASET, "a dataset")
        areas = tuple(area for test in tests for area in _areas(test))
        return None if dataset is None else _Target(dataset, Thing(dataset, refinements=tests), areas)
    dataset = identifier(reader, item, DATASET, "a dataset")
    return None if dataset is None else _Target(dataset, Thing(dataset))


def _actions(
    reader: Reader, place: Place, fields: Mapping[str, Place], context: Context, shared: Policywide
) -> tuple[Action, ...]:
    places = [each for each in (fields.get("action"), shared.action) if each is not None]
    known = gate_actions(shared.rulebook)
    items = [item for each in places for item in reader.items(each)]
    if not items:
        reader.refuse(fields.get("action", place), "at least one action")
    inner = Context(context.where, context.rulebook)
    found = [_action(reader, item, inner, known) for item in items]
    return tuple(dict.fromkeys(action for action in found if action is not None))


def _action(reader: Reader, item: Place, context: Context, known: Collection[str]) -> Action | None:
    what = "this action is not one that passes a gate, or"
    if not (isinstance(item.value, Mapping) and len(item.value) > 1):
        if isinstance(item.value, Mapping) and {reader.canonical(key) for key in item.value} == {"rdf:value"}:
            reader.refuse(item, "a narrowed action says by what: it has refinements")
            return None
        name = reader.term(item, known, f"{what} it")
        return None if name is None else Action(iri(name))
    fields = reader.fields(item, (), ("rdf:value", "uid", "@type", "refinement"))
    own_type(reader, {key: fields[key] for key in fields if key == "@type"}, "Action")
    named = fields.get("rdf:value") or fields.get("uid")
    if named is None:
        reader.refuse(item, "an action that is narrowed names the action as its rdf:value")
        return None
    if "rdf:value" in fields and isinstance(named.value, str):
        reader.refuse(named, 'an action is named as {"@id": …} here: a text would be no name')
        return None
    name = reader.term(named, known, f"{what} it")
    refinements = read_tests(reader, fields.get("refinement"), context)
    uid = node_uid(reader, fields) if "rdf:value" in fields else None
    return None if name is None else Action(iri(name), refinements, uid)


def _reached(rulebook: Rulebook, actions: Collection[Action]) -> tuple[str, ...]:
    """The actions of the rulebook that these cover, in the order in which they are named."""
    found: dict[str, None] = {}
    for action in actions:
        found.update(dict.fromkeys(covered(rulebook, action.iri)))
    return tuple(found)


def _duties(
    reader: Reader, place: Place | None, shared: Policywide, own: Collection[str]
) -> tuple[tuple[Rule, ...], tuple[Duty, ...], Price | None]:
    """The duties of a permission, what the gate carries out for them, and what the exchange bills."""
    rules: list[Rule] = []
    carried: list[Duty] = []
    price: Price | None = None
    for item in reader.items(place):
        read = read_duty(reader, item, shared.rulebook, "duty", own)
        if read is None:
            continue
        rules.append(read.rule)
        if read.price is not None:
            if price is not None:
                reader.refuse(item, "a permission has one price")
            price = read.price
        if read.carried is None:
            continue
        once = not isinstance(read.carried, LeaveOut)
        if once and any(type(read.carried) is type(other) for other in carried):
            reader.refuse(item, "each duty stands once in a permission")
        carried.append(read.carried)
    return tuple(rules), tuple(carried), price


def _purposeful(constraints: Collection[Test], actions: Collection[Action]) -> bool:
    """Whether a permission holds for stated purposes only, whatever else holds."""
    if any(_of_purpose(test) for test in constraints):
        return True
    return bool(actions) and all(any(_of_purpose(test) for test in each.refinements) for each in actions)


def _of_purpose(test: Test) -> bool:
    if isinstance(test, Logical):
        return all(_of_purpose(operand) for operand in test.operands)
    return test.left == PURPOSE


def _areas(test: Test) -> tuple[BBox, ...]:
    return (box_of(test.right[0]),) if isinstance(test, Constraint) and test.left == SPATIAL else ()


def _limits(test: Test) -> tuple[TimeTest, ...]:
    if not isinstance(test, Constraint) or test.left != ODRL + "dateTime":
        return ()
    right = test.right[0]
    assert isinstance(right, Typed)
    moment = moment_of(right.text)
    assert moment is not None
    return (TimeTest(test.operator.removeprefix(ODRL), moment),)
