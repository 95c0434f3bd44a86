"""Consent records and receipts after ISO/IEC TS 27560:2023, in the terms of the Data Privacy Vocabulary (JSON-LD).

Fields follow the DPV community group's guide on that standard (w3id.org/dpv/guides/consent-27560), in its form for
the GDPR.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.decision import DeleteAfter
from dmi_agreements.policy.compiled import FOREVER
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.rulebook import Rulebook
from dmi_exchange import model
from dmi_exchange.consent.giving import Consents
from dmi_exchange.consent.once import Once, same
from dmi_exchange.consent.wording import Told, in_words
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.claims import Claim
from dmi_infra.clock import day_of, now, to_text
from dmi_infra.errors import NotFound
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.jose import RECEIPT, SigningKey

CONTEXT: Final[Mapping[str, Any]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    **{
        name: {"@type": "@id"}
        for name in (
            "dct:conformsTo", "dpv:hasAddress", "dpv:hasDataSource", "dpv:hasJurisdiction", "dpv:hasLegalBasis",
            "dpv:hasLocation", "dpv:hasProcessing", "dpv:isExercisedAt", "dpv:isIndicatedBy", "skos:broader",
        )
    },
}  # fmt: skip
"""Everything that a record names, spelled out, so that nothing has to be fetched to read it."""
SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#"
GDPR: Final = "http://data.europa.eu/eli/reg/2016/679/oj"
AUTHORITY: Final = "https://www.autoriteitpersoonsgegevens.nl"

PROCESSING: Final = {
    "dmi:contribute": "dpv:Collect",
    "dmi:process": "dpv:Transform",
    "dmi:read": "dpv:Consult",
    "dmi:display": "dpv:Display",
    "dmi:analyse": "dpv:Analyse",
    "dmi:publish": "dpv:Disclose",
    "dmi:export": "dpv:Share",
}
"""What an action of the rulebook is to the vocabulary."""

RIGHTS: Final = {
    "eu-gdpr:A7-3": ("Toestemming intrekken", "Withdraw consent"),
    "eu-gdpr:A15": ("Inzien", "Access"),
    "eu-gdpr:A16": ("Verbeteren", "Rectify"),
    "eu-gdpr:A17": ("Wissen", "Erase"),
    "eu-gdpr:A18": ("Gebruik beperken", "Restrict processing"),
    "eu-gdpr:A20": ("Meenemen", "Take along"),
    "eu-gdpr:A77": ("Klagen bij de toezichthouder", "Complain to the authority"),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: its content, the signature of this node over it (a compact JWS), and the words for people."""

    content: Mapping[str, Any]
    jws: str
    text: Mapping[str, Sequence[str]]
    person: str
    """The name of whose consent it is."""
    holds: bool
    key: str
    """The name of the key that signed it."""

    def whole(self) -> dict[str, Any]:
        """All that somebody needs to keep, and to check it."""
        return {"receipt": self.content, "jws": self.jws, "text": self.text}


class Records:
    """Makes records and receipts of consents; ``address`` is where people find this node."""

    def __init__(self, exchange: Exchange, consents: Consents, key: SigningKey, address: str) -> None:
        self._exchange = exchange
        self._consents = consents
        self._key = key
        self._address = address.rstrip("/")

    def receipt(self, party: str, identifier: str) -> Receipt:
        """The receipt of a consent for who gave it, as things stand now; raises ``NotFound``."""
        consent = self._consents.one(party, identifier)
        once = self.once()
        record = self.record(consent, once)
        made = now()
        content = {
            "@context": CONTEXT,
            "@id": f"{self._address}/exchange/v1/consents/{identifier}/receipt",
            "@type": "dpv:ConsentReceipt",
            "dct:conformsTo": f"{SCHEMA}receipt-eu-gdpr",
            "dct:identifier": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{identifier} {made}")),
            "dct:created": to_text(made),
            "dct:publisher": EXCHANGE_PARTICIPANT,
            "dct:audience": model.assigner(consent.document),
            "dct:description": record["dpv:hasNotice"]["dct:description"],
            "dpv:hasRecordOfActivity": record,
        }
        name = self.name(model.assigner(consent.document))
        holds = consent.state == "active"
        signed = self._key.sign_token(content, RECEIPT)
        return Receipt(content, signed, self.words(consent, once), name, holds, self._key.kid)

    def once(self) -> Once:
        """What one answer looks up, to tell of one consent or of many."""
        return Once(self._exchange.store, self._consents.claims)

    def record(self, consent: AgreementState, once: Once) -> dict[str, Any]:
        """The consent record: who consented to what, for whom, for how long, and what became of it."""
        claim = self._claim(consent, once)
        book = self._book(consent)
        _dataset, owner, _recipients = self._things(claim)
        words = self.words(consent, once)
        return {
            "@context": CONTEXT,
            "@id": f"{self._address}/exchange/v1/consents/{consent.id}/record",
            "@type": "dpv:ConsentRecord",
            "dct:conformsTo": f"{SCHEMA}record-eu-gdpr",
            "dct:identifier": consent.id.removeprefix("urn:uuid:"),
            "dpv:hasDataSubject": self._subject(consent),
            "dpv:hasDataController": _entity(owner, "dpv:DataController"),
            "dpv:hasApplicableLaw": {"@id": GDPR},
            "dpv:hasProcess": self._process(claim, book, once),
            "dpv:hasNotice": {
                "@id": f"{self._address}/exchange/v1/rulebook/versions/{book.version}",
                "@type": "dpv:ConsentNotice",
                "dct:language": ["nl", "en"],
                "dct:hasVersion": book.version,
                "dct:description": _texts({tongue: " ".join(lines) for tongue, lines in words.items()}),
            },
            "dpv:hasConsentStatus": self._statuses(consent, claim, once),
        }

    def _process(self, claim: Claim, book: Rulebook, once: Once) -> dict[str, Any]:
        """What may be done with which data: purpose, recipient, term, and how to stop it."""
        dataset, owner, recipients = self._things(claim)
        page = f"{self._address}/my-data"
        return {
            "@type": "dpv:Process",
            "dpv:hasPurpose": [
                {
                    "@id": purpose,
                    "skos:broader": book.purposes[purpose].dpv,
                    "skos:prefLabel": _texts(book.purposes[purpose].label),
                    "skos:definition": _texts(book.purposes[purpose].description),
                }
                for purpose in claim.roots
            ],
            "dpv:hasLegalBasis": ["eu-gdpr:A6-1-a", *(["eu-gdpr:A9-2-a"] if _special(dataset) else [])],
            "dpv:hasPersonalData": {
                "@id": claim.datasets[0],
                "skos:broader": "dpv:SpecialCategoryPersonalData"
                if _special(dataset)
                else "dpv:PersonalData",
                "dct:title": _texts(dataset.title if dataset is not None else {}),
            },
            "dpv:hasProcessing": sorted(PROCESSING[action] for action in claim.actions),
            "dpv:hasDataSource": "dpv:DataSubjectDataSource",
            "dpv:hasRecipient": [_entity(one, "dpv:Recipient") for one in recipients],
            "dpv:hasStorageCondition": self._storage(claim, owner, once),
            "dpv:hasLocation": "loc:EU",
            "dpv:hasJurisdiction": ["loc:NL", "loc:EU"],
            "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": page},
            "dpv:hasRight": _rights(page),
            "dpv:hasAuthority": {"@id": AUTHORITY, "dpv:hasName": "Autoriteit Persoonsgegevens"},
        }

    def words(self, consent: AgreementState, once: Once) -> dict[str, list[str]]:
        """The consent in plain words by language."""
        claim, book = self._claim(consent, once), self._book(consent)
        dataset, owner, recipients = self._things(claim)
        person = model.assigner(consent.document)
        by = next((one for one in consent.signatures if one != person), None)
        ended = None
        if consent.state == "ended" and consent.ended_at is not None:
            ended = day_of(consent.ended_at), consent.end_reason or ""
        told = Told(
            self.name(person), dataset.title if dataset is not None else {},
            ", ".join(one.name for one in recipients), owner.name, claim.roots[0], sorted(claim.actions),
            day_of(claim.ends - 1) if claim.ends < FOREVER else None, self._kept_days(claim, owner, once),
            tuple(claim.duties), None if by is None else self.name(by), ended, consent.replaced_by is not None,
        )  # fmt: skip
        return in_words(told, book, f"{self._address}/my-data")

    # -- parts --------------------------------------------------------------

    @staticmethod
    def _claim(consent: AgreementState, once: Once) -> Claim:
        claims = once.claims(consent)
        if not claims or not claims[0].roots:
            raise NotFound("this consent allows nothing")
        return claims[0]

    def _book(self, consent: AgreementState) -> Rulebook:
        return self._exchange.rulebooks.under(consent.document)

    def _things(self, claim: Claim) -> tuple[Dataset | None, Participant, list[Participant]]:
        dataset = self._exchange.store.get(Dataset, claim.datasets[0])
        owner = self._party(dataset.owner if dataset is not None else "")
        return dataset, owner, [self._party(one) for one in sorted(claim.recipients or ())]

    def _party(self, identifier: str) -> Participant:
        return self._exchange.store.get(Participant, identifier) or Participant(identifier, identifier, [])

    def name(self, identifier: str) -> str:
        """What a participant is called; its id when it is not known (any more)."""
        return self._party(identifier).name

    def _subject(self, consent: AgreementState) -> dict[str, Any]:
        person = self._party(model.assigner(consent.document))
        minor = person.of_age_at is not None and (consent.concluded_at or 0) < person.of_age_at
        return {"@id": person.id, "@type": ["dpv:DataSubject", *(["dpv:Child"] if minor else [])]}

    @staticmethod
    def _kept_days(claim: Claim, owner: Participant, once: Once) -> int | None:
        """After how many days all recipients delete the data, as their agreements with its owner say.

        ``None`` when one of these sets no term: who uses the data under that keeps it for longer.
        """
        found: list[int | None] = []
        for recipient in claim.recipients or ():
            for other in once.permitted(owner.id).get(recipient, ()):
                if set(claim.datasets) & set(other.datasets) and claim.actions & other.actions:
                    days = [duty.days for duty in other.duties if isinstance(duty, DeleteAfter)]
                    found.append(min(days, default=None))
        terms = [days for days in found if days is not None]
        return max(terms) if terms and len(terms) == len(found) else None

    def _storage(self, claim: Claim, owner: Participant, once: Once) -> list[dict[str, Any]]:
        days = self._kept_days(claim, owner, once)
        until = (
            {"@type": "dpv:UntilTimeDuration", "rdf:value": to_text(claim.ends)}
            if claim.ends < FOREVER
            else None
        )
        term = f"P{days}D" if days is not None else until
        return [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": "loc:EU"},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": term},
        ]

    @staticmethod
    def _statuses(consent: AgreementState, claim: Claim, once: Once) -> list[dict[str, Any]]:
        """What happened to it: given (or given again), then withdrawn, expired, or ended by a rule."""
        given_at = consent.concluded_at or 0
        first = once.first_given(model.assigner(consent.document)).get(same(consent, claim), given_at)
        kind = "dpv:RenewedConsentGiven" if first < given_at else "dpv:ConsentGiven"
        by = [_signer(one, model.assigner(consent.document)) for one in consent.signatures]
        given: dict[str, Any] = {
            "@type": [kind, "dpv:ExplicitlyExpressedConsent"],
            "dpv:isIndicatedBy": by[0] if len(by) == 1 else by,
            "dpv:isIndicatedAtTime": to_text(given_at),
        }
        if claim.ends < FOREVER:
            given["dpv:hasDuration"] = {"@type": "dpv:UntilTimeDuration", "rdf:value": to_text(claim.ends)}
        if consent.state != "ended" or consent.ended_at is None:
            return [given]
        if (consent.ended_by or "").startswith(PERSON):
            ending = "dpv:ConsentWithdrawn"
        else:
            ending = "dpv:ConsentExpired" if claim.ends < consent.ended_at else "dpv:ConsentInvalidated"
        last = {
            "@type": ending,
            "dpv:isIndicatedBy": _signer(consent.ended_by or "", model.assigner(consent.document)),
            "dpv:isIndicatedAtTime": to_text(consent.ended_at),
        }
        return [given, last]


def _entity(party: Participant, role: str) -> dict[str, Any]:
    return {
        "@id": party.id,
        "@type": ["dpv:LegalEntity", role],
        "dct:identifier": party.id,
        "dpv:hasName": party.name,
        "dpv:hasAddress": f"loc:{party.country}",
    }


def _signer(party: str, person: str) -> Any:
    if party == person:
        return "dpv:DataSubject"
    return {"@id": party, "@type": "dpv:Representative"} if party.startswith(PERSON) else {"@id": party}


def _special(dataset: Dataset | None) -> bool:
    return dataset is not None and dataset.data_category == "dmi:data:special"


def _rights(page: str) -> list[dict[str, Any]]:
    """What the person may ask, and where."""
    return [
        {
            "@type": ["dpv:DataSubjectRight", right],
            "dct:title": _texts({"nl": nl, "en": en}),
            "dpv:isExercisedAt": AUTHORITY if right == "eu-gdpr:A77" else page,
        }
        for right, (nl, en) in RIGHTS.items()
    ]


def _texts(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": tongue} for tongue, text in sorted(texts.items())]
