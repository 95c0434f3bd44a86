"""Reading an agreement: an ODRL 2.2 document of profile ``urn:dmi:profile:1`` becomes the information model.

Every key, term, operator and value is accounted for; whatever is not understood, or cannot be told at the gate,
refuses the document with its place. What it inherits stands in the document itself, so that both sides sign it and
nobody can change it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from dmi_agreements.decision import EVERYONE, CutEnds
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.inheritance import inherit
from dmi_agreements.odrl.model import Constraint, Policy, PolicyKind, Rule, Strategy, Thing, Typed
from dmi_agreements.odrl.vocabulary import DMI
from dmi_agreements.own_duties import personal
from dmi_agreements.policy.constraints import own_type
from dmi_agreements.policy.context import Place
from dmi_agreements.policy.duties import PAY, DutyTerms, read_duty
from dmi_agreements.policy.jsonld import MAX_FINDINGS, Reader, bounds
from dmi_agreements.policy.operands import OPERANDS, UUID, identifier, iri
from dmi_agreements.policy.rules import (
    ASSIGNEE,
    PARTY,
    Policywide,
    in_force_for,
    read_rule,
)
from dmi_agreements.policy.terms import PERSON, AgreementTerms, RuleTerms
from dmi_agreements.rulebook import ROOT_PURPOSE, Rulebook

__all__ = ["PROFILE", "Finding", "PolicyRefused", "read_agreement"]

PROFILE: Final = "dmi:profile:1"
"""The only profile, in canonical spelling."""

_REQUIRED: Final = ("uid", "@type", "profile", "dmi:rulebook", "dmi:legalBasis", "assigner", "assignee")
_RULES: Final = ("permission", "prohibition", "obligation")
_SHARED: Final = ("target", "action")
_OPTIONAL: Final = ("@context", *_RULES, *_SHARED, "conflict", "inheritFrom")
_PARENT: Final = ("@type", "uid", "profile", *_RULES, *_SHARED, "conflict", "inheritFrom")
_KINDS: Final[dict[str, PolicyKind]] = {
    "Set": "Set",
    "Policy": "Set",
    "Offer": "Offer",
    "Agreement": "Agreement",
}
_ANY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]{1,500}")
_PLAIN: Final = frozenset(iri(name) for name in ("purpose", "dateTime", "recipient"))


@dataclass(frozen=True, slots=True)
class _Read:
    """A policy and what the gate makes of it, its parents' rules before its own."""

    policy: Policy
    permissions: tuple[RuleTerms, ...]
    prohibitions: tuple[RuleTerms, ...]
    obligations: tuple[DutyTerms, ...]


def read_agreement(document: object, rulebook: Rulebook, layers: Collection[str] = ()) -> AgreementTerms:
    """The terms of a JSON document (an object, or the list of one that JSON-LD expansion gives).

    ``layers`` are the participants that operate layers: their own rights cannot carry every duty.
    Raises ``PolicyRefused`` with every finding, and nothing else, whatever the JSON value is.
    """
    beyond = bounds(document)
    if beyond is not None:
        raise PolicyRefused((beyond,))
    reader = Reader()
    terms = _agreement(reader, Place("", document), rulebook, layers)
    if reader.findings or terms is None:
        raise PolicyRefused(tuple(reader.findings[:MAX_FINDINGS]))
    return terms


def _agreement(
    reader: Reader, document: Place, rulebook: Rulebook, layers: Collection[str]
) -> AgreementTerms | None:
    top = reader.one(document)
    if top is None:
        return None
    if isinstance(top.value, Mapping) and "@context" in top.value:
        reader.context(top.child("@context", top.value["@context"]))
    fields = reader.fields(top, _REQUIRED, _OPTIONAL)
    own_type(reader, fields, "Agreement")
    reader.term(fields.get("profile"), (PROFILE,), "this profile")
    uid = identifier(reader, fields.get("uid"), UUID, "urn:uuid: and a lower-case UUID")
    version = _version(reader, fields.get("dmi:rulebook"), rulebook)
    basis = reader.term(fields.get("dmi:legalBasis"), rulebook.legal_bases, "this legal basis")
    assigner = identifier(reader, fields.get("assigner"), PARTY, "a participant or person")
    assignee = identifier(reader, fields.get("assignee"), ASSIGNEE, f"a participant, person or {EVERYONE}")
    shared = Policywide(
        rulebook,
        {"assigner": assigner, "assignee": assignee},
        fields.get("target"),
        fields.get("action"),
        layer=assignee in layers,
    )
    read = _policy(reader, top, fields, "Agreement", uid or "", shared, ())
    if fields and not read.permissions and not read.prohibitions:
        reader.refuse(top, "at least one permission or prohibition")
    if (
        reader.findings
        or uid is None
        or version is None
        or basis is None
        or assigner is None
        or assignee is None
    ):
        return None
    about = ((DMI + "legalBasis", iri(basis)), (DMI + "rulebook", Typed(version)))
    terms = AgreementTerms(
        uid,
        version,
        basis,
        assigner,
        assignee,
        read.permissions,
        read.prohibitions,
        replace(read.policy, about=about),
        tuple(duty.carried for duty in read.obligations if duty.carried is not None),
    )
    if terms.is_consent:
        _check_consent(reader, terms, fields)
    else:
        _check_cut_ends(reader, terms)
    _check_prices(reader, terms, read.obligations)
    return None if reader.findings else terms


def _check_cut_ends(reader: Reader, terms: AgreementTerms) -> None:
    """Ends of trips are cut at intake, where no agreement of a recipient is carried out."""
    for rule in terms.permissions:
        if any(isinstance(duty, CutEnds) for duty in rule.duties):
            reader.refuse(Place(rule.path, "dmi:cutEnds"), "is a duty of a person's own consent")
    if any(isinstance(duty, CutEnds) for duty in terms.obligations):
        reader.refuse(Place("/obligation", "dmi:cutEnds"), "is a duty of a person's own consent")


def _check_prices(reader: Reader, terms: AgreementTerms, obligations: Sequence[DutyTerms]) -> None:
    """A price stands in the permission that it is asked for, and has a payer who is named."""
    for duty in obligations:
        if duty.price is not None:
            reader.refuse(Place(duty.rule.path, PAY), "a price stands in the permission that it is asked for")
    for rule in terms.permissions:
        if rule.price is not None and terms.assignee == EVERYONE:
            reader.refuse(Place(rule.path, PAY), "what everyone may use is free: a price has one payer")


def _policy(
    reader: Reader,
    place: Place,
    fields: Mapping[str, Place],
    kind: PolicyKind,
    uid: str,
    shared: Policywide,
    above: tuple[str, ...],
) -> _Read:
    """A policy with the rules of all that it inherits from (section 2.9) before its own."""
    permissions = [
        read_rule(reader, each, "permission", shared) for each in reader.items(fields.get("permission"))
    ]
    prohibitions = [
        read_rule(reader, each, "prohibition", shared) for each in reader.items(fields.get("prohibition"))
    ]
    if "obligation" in fields and not reader.items(fields["obligation"]):
        reader.refuse(fields["obligation"], "at least one obligation: an empty list says nothing")
    reached = {action for rule in permissions for action in rule.actions} if shared.layer else ()
    duties = (
        read_duty(reader, each, shared.rulebook, "obligation", reached)
        for each in reader.items(fields.get("obligation"))
    )
    obligations = [duty for duty in duties if duty is not None]
    parents = [
        _parent(reader, each, shared, (*above, uid)) for each in reader.items(fields.get("inheritFrom"))
    ]
    lines = [parent for parent in parents if parent is not None]
    own = Policy(
        kind,
        uid,
        tuple(rule.rule for rule in permissions),
        tuple(rule.rule for rule in prohibitions),
        tuple(_between(duty.rule, shared) for duty in obligations),
        profiles=(DMI + PROFILE.removeprefix("dmi:"),),
        inherits=tuple(parent.policy.uid for parent in lines),
        conflict=_conflict(reader, fields.get("conflict")),
    )
    whole = inherit(own, {parent.policy.uid: parent.policy for parent in lines})
    return _Read(
        replace(whole, inherits=()),
        (*(rule for parent in lines for rule in parent.permissions), *permissions),
        (*(rule for parent in lines for rule in parent.prohibitions), *prohibitions),
        (*(duty for parent in lines for duty in parent.obligations), *obligations),
    )


def _between(duty: Rule, shared: Policywide) -> Rule:
    """An obligation that names no parties is between those of the policy."""
    assigner, assignee = (
        () if party is None else (Thing(party),)
        for party in (shared.parties["assigner"], shared.parties["assignee"])
    )
    return replace(duty, assigners=duty.assigners or assigner, assignees=duty.assignees or assignee)


def _parent(reader: Reader, place: Place, shared: Policywide, above: tuple[str, ...]) -> _Read | None:
    if not isinstance(place.value, Mapping) or len(place.value) < 2:
        reader.refuse(
            place, "the policy that it inherits from stands here itself, so that both sides sign it"
        )
        return None
    fields = reader.fields(
        place, ("uid", "@type"), tuple(each for each in _PARENT if each not in ("uid", "@type"))
    )
    kind = reader.term(fields.get("@type"), ("Set", "Policy", "Offer"), "this kind of policy to inherit from")
    if "profile" in fields:
        reader.term(fields["profile"], (PROFILE,), "this profile")
    uid = identifier(reader, fields.get("uid"), _ANY, "the IRI of the policy")
    if kind is None or uid is None:
        return None
    if uid in above:
        reader.refuse(fields["uid"], "a policy must not inherit from itself")
        return None
    inner = replace(shared, target=fields.get("target"), action=fields.get("action"))
    read = _policy(reader, place, fields, _KINDS[kind], uid, inner, above)
    parties = shared.parties["assigner"] or "", shared.parties["assignee"] or ""
    permissions = tuple(in_force_for(rule, *parties) for rule in read.permissions)
    prohibitions = tuple(in_force_for(rule, *parties) for rule in read.prohibitions)
    policy = replace(
        read.policy,
        permissions=tuple(rule.rule for rule in permissions),
        prohibitions=tuple(rule.rule for rule in prohibitions),
    )
    return replace(read, policy=policy, permissions=permissions, prohibitions=prohibitions)


def _conflict(reader: Reader, place: Place | None) -> Strategy | None:
    if place is None:
        return None
    strategies: tuple[Strategy, ...] = get_args(Strategy)
    found = reader.term(place, strategies, "this conflict strategy")
    return next((strategy for strategy in strategies if strategy == found), None)


def _version(reader: Reader, place: Place | None, rulebook: Rulebook) -> str | None:
    value, datatype = reader.literal(place)
    if place is None:
        return None
    if isinstance(value, str) and value in rulebook.accepted and datatype in (None, "xsd:string"):
        return value
    shown = Place(place.path, value)
    reader.refuse(shown, "a version of the rulebook that is in force", rulebook.accepted)
    return None


def _check_consent(reader: Reader, terms: AgreementTerms, fields: Mapping[str, Place]) -> None:
    """A consent is specific: one basis, stated purposes, stated recipients.

    It carries no area and no condition beside purpose, recipient and time, and of the duties those alone that can be
    done to one person's rows (``own_duties``); the rest stands in the recipient's agreement and holds for all rows
    alike. A prohibition in it wins whatever else it says.
    """
    if terms.legal_basis != "dmi:basis:consent":
        reader.refuse(fields["dmi:legalBasis"], "a person grants rights by dmi:basis:consent")
    for rule in terms.permissions:
        place = Place(rule.path, "permission")
        tests = [test for test in rule.rule.constraints if isinstance(test, Constraint)]
        purposes = {value for test in tests if test.left == iri("purpose") for value in test.right}
        if iri(ROOT_PURPOSE) in purposes:
            reader.refuse(place, f"a consent is for a stated purpose, not {ROOT_PURPOSE}")
        if terms.assignee == EVERYONE and not any(test.left == iri("recipient") for test in tests):
            reader.refuse(place, "a consent names its recipients")
        if rule.areas or rule.area_of:
            reader.refuse(place, "a consent has no area; the recipient's agreement has it")
        if len(rule.duties) != len(rule.rule.duties) or not all(map(personal, rule.duties)):
            reader.refuse(place, "a consent has duties that are done to one person's rows alone")
    for rule in (*terms.permissions, *terms.prohibitions):
        if not _plain(rule.rule):
            words = "a consent has conditions of purpose, recipient and time only, each by itself"
            reader.refuse(Place(rule.path, rule.rule.kind), words)
    if terms.policy.conflict not in (None, "prohibit"):
        reader.refuse(fields.get("conflict", Place("", "")), "in a consent a prohibition wins")
    if terms.policy.obligations:
        reader.refuse(fields.get("obligation", Place("", "")), "a consent has no obligations")
    if terms.assignee.startswith(PERSON) and terms.assignee == terms.assigner:
        reader.refuse(fields["assignee"], "a consent is given to another party")


def _plain(rule: Rule) -> bool:
    things = (*rule.targets, *rule.assignees)
    narrowed = [each.refinements for each in rule.actions] + [each.refinements for each in things]
    return not any(narrowed) and all(
        isinstance(test, Constraint) and test.left in _PLAIN and test.operator in _POSITIVE
        for test in rule.constraints
    )


_POSITIVE: Final = frozenset(
    iri(operator) for name in ("purpose", "dateTime", "recipient") for operator in OPERANDS[name].operators
)
