"""Mandates in the form of iSHARE delegation evidence: out as a signed JWT, and in.

The evidence holds one policy: a resource of the type ``DMI.Dataset`` whose identifiers are the datasets and
whose attributes are the purposes, the actions, and the rule ``Permit``. Whatever else evidence could say, a
rule to deny or a second policy, is refused with its place: read in part it would permit more than it says.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from dmi_agreements.mandates import MandateTerms
from dmi_infra.errors import InputRefused
from dmi_infra.outside import EVIDENCE_SECONDS

RESOURCE: Final = "DMI.Dataset"
LICENCE: Final = "ISHARE.0001"
"""Re-sharing with adherent parties alone; of iSHARE's licences the one that a mandate asks."""


class _Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accessSubject: str


class _Licences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    licenses: list[str]


class _SetTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    environment: _Licences


class _Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["DMI.Dataset"]
    identifiers: list[str]
    attributes: list[str]


class _PolicyTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    resource: _Resource
    actions: list[str]


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    effect: Literal["Permit"]


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: _PolicyTarget
    rules: list[_Rule]


class _PolicySet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: _SetTarget
    policies: list[_Policy]
    maxDelegationDepth: int = 0


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The member ``delegationEvidence``; times are seconds since 1970."""

    notBefore: int
    notOnOrAfter: int
    policyIssuer: str
    target: _Subject
    policySets: list[_PolicySet]


def claims_of(terms: MandateTerms, issuer: str, audience: str, now: int) -> dict[str, Any]:
    """The claims of evidence about a mandate, for ``audience``."""
    begin, until = terms.period
    resource = _Resource(RESOURCE, terms.datasets, terms.purposes)
    policy = _Policy(_PolicyTarget(resource, terms.actions), [_Rule("Permit")])
    whole = _PolicySet(_SetTarget(_Licences([LICENCE])), [policy], terms.onward)
    subject = _Subject(terms.mandatary)
    evidence = Evidence(begin // 1_000_000, until // 1_000_000, terms.mandator, subject, [whole])
    return {
        "iss": issuer,
        "sub": terms.mandatary,
        "aud": audience,
        "iat": now,
        "exp": now + EVIDENCE_SECONDS,
        "jti": str(uuid.uuid4()),
        "delegationEvidence": msgspec.to_builtins(evidence),
    }


def document_of(claims: Mapping[str, Any], rulebook: str) -> dict[str, Any]:
    """The document of a mandate that evidence gives; raises ``InputRefused`` with the place of what is not taken."""
    try:
        evidence = msgspec.convert(claims.get("delegationEvidence"), Evidence, strict=True)
        moments = [
            datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
            for at in (evidence.notBefore, evidence.notOnOrAfter)
        ]
    except (msgspec.ValidationError, ValueError, OverflowError, OSError) as exc:
        raise InputRefused.of("delegationEvidence", str(exc)) from exc
    if evidence.policyIssuer != claims["iss"]:
        raise InputRefused.of(
            "delegationEvidence/policyIssuer", "must be who signed it", evidence.policyIssuer
        )
    if len(evidence.policySets) != 1 or len(evidence.policySets[0].policies) != 1:
        raise InputRefused.of("delegationEvidence/policySets", "must be one set of one policy")
    (chosen,) = evidence.policySets
    (policy,) = chosen.policies
    if len(policy.rules) != 1:
        raise InputRefused.of("delegationEvidence/policySets/0/policies/0/rules", "must be one rule, Permit")
    if chosen.target.environment.licenses != [LICENCE]:
        raise InputRefused.of(
            "delegationEvidence/policySets/0/target/environment/licenses", f"must be {LICENCE}"
        )
    return {
        "uid": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(claims['iss']) + ' ' + str(claims['jti']))}",
        "type": "dmi:Mandate",
        "mandator": evidence.policyIssuer,
        "mandatary": evidence.target.accessSubject,
        "actions": policy.target.actions,
        "datasets": policy.target.resource.identifiers,
        "purposes": policy.target.resource.attributes,
        "from": moments[0],
        "until": moments[1],
        "onward": chosen.maxDelegationDepth,
        "dmi:rulebook": rulebook,
    }
