"""The properties that may stand on each kind of node of a policy, and what else a document may say about one."""

from __future__ import annotations

from typing import Final

from rdflib import RDF

from dmi_agreements.odrl.model import ODRL, Connective, PolicyKind
from dmi_agreements.odrl.vocabulary import DMI

POLICY_KINDS: Final[dict[str, PolicyKind]] = {
    ODRL + "Policy": "Set",
    ODRL + "Set": "Set",
    ODRL + "Offer": "Offer",
    ODRL + "Request": "Request",
    ODRL + "Agreement": "Agreement",
}
UNUSED_KINDS: Final = frozenset(ODRL + name for name in ("Assertion", "Privacy", "Ticket"))
"""Kinds of policies that ODRL names without giving them a meaning."""


def _named(names: str) -> frozenset[str]:
    return frozenset(ODRL + name for name in names.split())


FUNCTIONS: Final = _named(
    "attributedParty attributingParty compensatedParty compensatingParty consentedParty consentingParty "
    "contractedParty contractingParty informedParty informingParty trackedParty trackingParty function"
)
RELATIONS: Final = _named("relation output")
SHARED: Final = _named("action target assigner assignee") | FUNCTIONS | RELATIONS
"""What a policy may say for all its rules (section 2.7.1)."""
ABOUT: Final = frozenset({DMI + "rulebook", DMI + "legalBasis"})
"""What the project's profile says of a policy as a whole."""
POLICY: Final = (
    _named("uid permission prohibition obligation profile inheritFrom conflict")
    | SHARED
    | ABOUT
    | {str(RDF.type)}
)
RULE: Final = _named("uid constraint") | SHARED | {str(RDF.type)}
FURTHER: Final = {
    "permission": _named("duty"),
    "prohibition": _named("remedy"),
    "obligation": _named("consequence"),
    "duty": _named("consequence"),
    "consequence": frozenset[str](),
    "remedy": frozenset[str](),
}
"""The duties that a rule of this kind may ask for besides. Consequences and remedies have none of their own."""
RULE_TYPES: Final = {
    "permission": _named("Permission Rule"),
    "prohibition": _named("Prohibition Rule"),
    **dict.fromkeys(("obligation", "duty", "consequence", "remedy"), _named("Duty Rule")),
}
CONNECTIVES: Final[dict[str, Connective]] = {
    ODRL + "and": "and",
    ODRL + "or": "or",
    ODRL + "xone": "xone",
    ODRL + "andSequence": "andSequence",
}
ANCHORS: Final = frozenset({DMI + "anchor", "http://w3id.org/drk/ontology/anchor"})
DATATYPE: Final = _named("datatype dataType")
CONSTRAINT: Final = (
    _named("uid leftOperand operator rightOperand rightOperandReference unit status")
    | DATATYPE
    | ANCHORS
    | {str(RDF.type)}
)
CONSTRAINT_TYPES: Final = _named("Constraint LogicalConstraint")
LOGICAL: Final = _named("uid") | frozenset(CONNECTIVES) | {str(RDF.type)}
ACTION: Final = _named("uid refinement includedIn implies") | {str(RDF.value), str(RDF.type)}
THING: Final = _named("uid partOf source refinement hasPolicy assigneeOf assignerOf") | {str(RDF.type)}
COLLECTIONS: Final = _named("AssetCollection PartyCollection")

NAMING: Final = _named("uid") | {str(RDF.type)}
"""What names a node and its kind, without saying anything more of it."""
OF_POLICIES: Final = _named("hasPolicy assigneeOf assignerOf")
"""What makes an asset or party that of all rules of the policy that it points at."""
FREE: Final = OF_POLICIES | _named("uid partOf includedIn implies")
"""What may be said of nodes that no policy leads to: memberships, and what points at a policy itself."""
PARTS_OF_POLICIES: Final = frozenset[str]().union(*RULE_TYPES.values(), CONSTRAINT_TYPES)
"""Kinds of nodes that mean something only as part of a policy."""

_ANNOTATIONS: Final = (
    "http://purl.org/dc/terms/",
    "http://purl.org/dc/elements/1.1/",
    "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2000/01/rdf-schema#comment",
    "http://www.w3.org/2000/01/rdf-schema#seeAlso",
    "http://www.w3.org/2000/01/rdf-schema#isDefinedBy",
)
_DESCRIPTIONS: Final = (
    *_ANNOTATIONS,
    "http://xmlns.com/foaf/0.1/",
    "http://www.w3.org/2006/vcard/ns#",
    "http://schema.org/",
    "https://schema.org/",
    "http://www.w3.org/ns/dcat#",
    "http://www.w3.org/ns/prov#",
    "http://www.w3.org/ns/org#",
)


def is_annotation(name: str) -> bool:
    """Whether a property only tells people something, and changes nothing that a policy permits."""
    return name.startswith(_ANNOTATIONS)


def is_description(name: str) -> bool:
    """Whether a property only describes an asset or party."""
    return name.startswith(_DESCRIPTIONS)
