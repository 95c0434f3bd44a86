"""Reading an agreement: an ODRL 2.2 document of profile ``urn:dmi:profile:1`` becomes validated terms.

Every key, term, operator and value is accounted for; whatever the language does not know refuses the
document with its place. The subset is described in the rulebook and in ``constraints``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from dmi_agreements.decision import EVERYONE, Duty, LeaveOut
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.constraints import identifier, own_type, read_constraint, read_duty
from dmi_agreements.policy.jsonld import MAX_FINDINGS, Place, Reader, bounds
from dmi_agreements.policy.terms import PERSON, AgreementTerms, PurposeTest, RuleTerms, TimeTest
from dmi_agreements.rulebook import ROOT_PURPOSE, Rulebook

__all__ = ["PROFILE", "Finding", "PolicyRefused", "read_agreement"]

PROFILE: Final = "dmi:profile:1"
"""The only profile, in canonical spelling."""

_REQUIRED: Final = ("uid", "@type", "profile", "dmi:rulebook", "dmi:legalBasis", "assigner", "assignee")
_OPTIONAL: Final = ("@context", "permission", "prohibition", "conflict")
_SLUG: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_PARTY: Final = re.compile(rf"urn:dmi:(?:participant|person):{_SLUG}", re.ASCII)
_ASSIGNEE: Final = re.compile(rf"{_PARTY.pattern}|{EVERYONE}", re.ASCII)
_DATASET: Final = re.compile(rf"urn:dmi:dataset:{_SLUG}:{_SLUG}", re.ASCII)
_UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


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
    if "conflict" in fields:
        reader.term(fields["conflict"], ("prohibit",), "this conflict strategy")
    uid = identifier(reader, fields.get("uid"), _UUID, "urn:uuid: and a lower-case UUID")
    version = _version(reader, fields.get("dmi:rulebook"), rulebook)
    basis = reader.term(fields.get("dmi:legalBasis"), rulebook.legal_bases, "this legal basis")
    assigner = identifier(reader, fields.get("assigner"), _PARTY, "a participant or person")
    assignee = identifier(reader, fields.get("assignee"), _ASSIGNEE, f"a participant, person or {EVERYONE}")
    parties = {"assigner": assigner, "assignee": assignee}
    permissions = [
        _rule(reader, place, rulebook, "Permission", parties, layer=assignee in layers)
        for place in reader.items(fields.get("permission"))
    ]
    prohibitions = [
        _rule(reader, place, rulebook, "Prohibition", parties)
        for place in reader.items(fields.get("prohibition"))
    ]
    if fields and not permissions and not prohibitions:
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
    terms = AgreementTerms(uid, version, basis, assigner, assignee, tuple(permissions), tuple(prohibitions))
    if terms.is_consent:
        _check_consent(reader, terms, fields)
    return terms


def _version(reader: Reader, place: Place | None, rulebook: Rulebook) -> str | None:
    value, datatype = reader.literal(place)
    if place is None:
        return None
    if isinstance(value, str) and value in rulebook.accepted and datatype in (None, "xsd:string"):
        return value
    shown = Place(place.path, value)
    reader.refuse(shown, "a version of the rulebook that is in force", rulebook.accepted)
    return None


def _rule(
    reader: Reader,
    place: Place,
    rulebook: Rulebook,
    kind: str,
    parties: Mapping[str, str | None],
    layer: bool = False,
) -> RuleTerms:
    permission = kind == "Permission"
    optional = ["constraint", "uid", "@type", "assigner", "assignee", *(["duty"] if permission else [])]
    fields = reader.fields(place, ("target", "action"), optional)
    own_type(reader, fields, kind)
    for role, party in parties.items():
        if role in fields and identifier(reader, fields[role], _ASSIGNEE, "a party") not in (None, party):
            reader.refuse(fields[role], f"the {role} of a rule is that of the agreement")
    targets = [identifier(reader, item, _DATASET, "a dataset") for item in reader.items(fields.get("target"))]
    if "target" in fields and not targets:
        reader.refuse(fields["target"], "at least one dataset")
    actions = reader.terms(fields.get("action"), rulebook.actions, "this action")
    tests = [read_constraint(reader, item, rulebook) for item in reader.items(fields.get("constraint"))]
    purposes = tuple(test for test in tests if isinstance(test, PurposeTest))
    areas = tuple(test for test in tests if isinstance(test, tuple))
    if permission and fields and not purposes:
        reader.refuse(place, "a permission names its purpose")
    if not permission and areas:
        reader.refuse(fields["constraint"], "a prohibition has no area")
    return RuleTerms(
        place.path,
        tuple(dict.fromkeys(target for target in targets if target is not None)),
        actions,
        purposes=purposes,
        times=tuple(test for test in tests if isinstance(test, TimeTest)),
        recipients=tuple(test for test in tests if isinstance(test, frozenset)),
        areas=areas,
        duties=_duties(reader, fields.get("duty"), rulebook, actions if layer else ()),
    )


def _duties(
    reader: Reader, place: Place | None, rulebook: Rulebook, own: Collection[str]
) -> tuple[Duty, ...]:
    """The duties of a permission; ``own`` are the actions that it gives to a layer itself."""
    found: list[Duty] = []
    for item in reader.items(place):
        read = read_duty(reader, item, rulebook)
        if read is None:
            continue
        term, duty = read
        bar = rulebook.duties[term].not_in_layers
        if bar is not None and not set(bar.actions).isdisjoint(own):
            reader.refuse(item, f"{bar.reason['en']} / {bar.reason['nl']}")
        if not isinstance(duty, LeaveOut) and any(type(duty) is type(other) for other in found):
            reader.refuse(item, "each duty stands once in a permission")
        found.append(duty)
    return tuple(found)


def _check_consent(reader: Reader, terms: AgreementTerms, fields: Mapping[str, Place]) -> None:
    """A consent is specific: one basis, stated purposes, stated recipients.

    It carries no duties and no area, because those of the recipient's agreement hold for all rows alike;
    one carried by a single subject's rows could not be carried out on a batch.
    """
    if terms.legal_basis != "dmi:basis:consent":
        reader.refuse(fields["dmi:legalBasis"], "a person grants rights by dmi:basis:consent")
    for rule in terms.permissions:
        place = Place(rule.path, "permission")
        if any(ROOT_PURPOSE in test.purposes for test in rule.purposes):
            reader.refuse(place, f"a consent is for a stated purpose, not {ROOT_PURPOSE}")
        if terms.assignee == EVERYONE and not rule.recipients:
            reader.refuse(place, "a consent names its recipients")
        if rule.duties or rule.areas:
            reader.refuse(place, "a consent has no duties and no area; the recipient's agreement has them")
    if terms.assignee.startswith(PERSON) and terms.assignee == terms.assigner:
        reader.refuse(fields["assignee"], "a consent is given to another party")
