"""How the exchange's objects look in JSON; times as RFC 3339 text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from dmi_agreements.contracts.law import About, AgreementState, Dataset, Mandate, Participant, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import Quality
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.sealing import is_sealed
from dmi_exchange import model
from dmi_exchange.catalogue import dcat
from dmi_exchange.catalogue.model import Item
from dmi_exchange.logbook.entries import Entry
from dmi_exchange.performances import Duty
from dmi_exchange.resting import FIGURE, bearers, is_dataset, kind_of
from dmi_exchange.usage import Use
from dmi_infra.clock import to_text
from dmi_infra.http.stories import story


def participant(item: Participant) -> dict[str, Any]:
    """A participant, keys included: they are public."""
    return {
        "id": item.id,
        "name": item.name,
        "roles": item.roles,
        "keys": item.keys,
        "identifiers": item.identifiers,
        "rulebook": item.rulebook,
        "active": item.active,
        "country": item.country,
        "representatives": item.representatives,
        "of_age_on": None if item.of_age_at is None else to_text(item.of_age_at)[:10],
        "home": item.home or None,
        "excluded": item.excluded,
    }


def represented(person: Participant, by: Iterable[Participant]) -> dict[str, Any]:
    """A person with who acts for it, by name."""
    return {
        "id": person.id,
        "name": person.name,
        "representatives": [{"id": one.id, "name": one.name} for one in by],
        "of_age_on": None if person.of_age_at is None else to_text(person.of_age_at)[:10],
    }


def dataset(item: Dataset) -> dict[str, Any]:
    """A dataset of the catalogue."""
    return {
        "id": item.id,
        "owner": item.owner,
        "title": item.title,
        "description": item.description,
        "personal": item.personal,
        "basis": item.basis,
        "data": item.data_category,
        "commons_cents": item.commons_cents,
        "purpose": item.purpose,
        "category": item.category,
        "licence": item.licence,
        "source": item.source,
        "layer": item.layer,
        "withdrawn": item.withdrawn,
        "about": None if item.about is None else about(item.about),
    }


def about(item: About) -> dict[str, Any]:
    """What the catalogue tells of an entry beside its title, description and conditions."""
    return {
        "spatial": {"bbox": list(item.place.bbox), "name": item.place.name, "codes": item.place.codes},
        "themes": item.themes,
        "keywords": item.keywords,
        "contact": item.contact,
        "page": item.page,
        "languages": item.languages,
        "modified_at": to_text(item.modified_at) if item.modified_at else None,
    }


def item(entry: Item) -> dict[str, Any]:
    """An entry of the catalogue."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "direction": entry.direction,
        "owner": entry.owner,
        "title": entry.title,
        "description": entry.description,
        "licence": entry.licence,
        "access": entry.access,
        "personal": entry.personal,
        "address": entry.address,
        "layer": entry.layer,
        "withdrawn": entry.withdrawn,
        "about": None if entry.about is None else about(entry.about),
    }


def quality(measured: Quality, personal: bool = False) -> dict[str, Any]:
    """What the platform measured of a dataset; shares from 0 to 1, ``None`` where there was nothing to measure.

    ``personal``: it is about persons, for who need not see any of it. Counts, and when the newest row came, would tell
    of rows that it may not see.
    """
    shares = dcat.told(measured, personal)
    newest = None if measured.newest is None or personal else to_text(measured.newest)
    return {
        "at": to_text(measured.at),
        "seconds": measured.seconds,
        "datastreams": None if personal else measured.datastreams,
        "rows": None if personal else measured.rows,
        "newest": newest,
        **{name: shares.get(name) for name in dcat.MEASURES},
    }


def agreement(item: AgreementState) -> dict[str, Any]:
    """An agreement or consent with its document and state."""
    return {
        "id": item.id,
        "assigner": model.assigner(item.document),
        "assignee": model.assignee(item.document),
        "datasets": model.targets(item.document),
        "consent": model.is_consent(item),
        "state": item.state,
        "document": item.document,
        "signatures": item.signatures,
        "waiting_for": sorted(model.wanted_signatures(item.document) - item.signatures.keys())
        if item.state == "proposed"
        else [],
        "concluded_at": None if item.concluded_at is None else to_text(item.concluded_at),
        "ended_at": None if item.ended_at is None else to_text(item.ended_at),
        "ended_by": item.ended_by,
        # A node that was not told why may say so in words of its own.
        "end_reason": None if item.end_reason is None else story(item.end_reason),
        "objections": [
            {"rule": one.rule, "path": one.path, "since": to_text(one.since)} for one in item.objections
        ],
        "performed": [{"duty": done.rule, "at": to_text(done.at), "by": done.by} for done in item.performed],
        "replaces": item.replaces,
        "replaced_by": item.replaced_by,
    }


def duty(item: AgreementState, owed: Duty) -> dict[str, Any]:
    """A duty of an agreement: who carries it out, and when that was confirmed."""
    return {
        "agreement": item.id,
        "duty": owed.path,
        "action": owed.action,
        "carried_out": "node" if owed.by_node else "party",
        "performed": None
        if owed.performed is None
        else {"at": to_text(owed.performed.at), "by": owed.performed.by},
    }


def mandate(item: Mandate) -> dict[str, Any]:
    """A mandate with its document and state."""
    return {
        "id": item.id,
        **{
            name: item.document.get(name)
            for name in ("mandator", "mandatary", "actions", "datasets", "purposes")
        },
        **{name: item.document.get(name) for name in ("from", "until", "onward", "parent")},
        "state": item.state,
        "document": item.document,
        "signature": item.signature,
        "made_at": to_text(item.made_at),
        "ended_at": None if item.ended_at is None else to_text(item.ended_at),
        "ended_by": item.ended_by,
        "end_reason": item.end_reason,
    }


def subject_request(item: SubjectRequest) -> dict[str, Any]:
    """What a person asked for its data."""
    return {
        "id": item.id,
        "right": item.right,
        "dataset": item.dataset,
        "purpose": item.purpose or None,
        "state": item.state,
        "reason": item.reason,
        "made_at": to_text(item.made_at),
        "made_by": item.made_by or None,
        "corrections": [
            {"datastream": one.datastream, "time": to_text(one.phenomenon_time), "result": one.result}
            for one in item.corrections
        ],
        "ended_at": None if item.ended_at is None else to_text(item.ended_at),
        "ended_by": item.ended_by,
        "end_reason": item.end_reason,
    }


def log_entry(entry: Entry) -> dict[str, Any]:
    """One entry of the log with its number and leaf hash; ``None`` stands for a person who was erased."""
    record = entry.record()
    return {
        "sequence": entry.sequence,
        "hash": entry.hash,
        "id": record.id,
        "at": to_text(record.at),
        "service": record.service,
        "crossing": record.crossing,
        "assignee": None if is_sealed(record.assignee) else record.assignee,
        "actor": None if is_sealed(record.actor) else record.actor or None,
        "mandate": record.mandate or None,
        "asked_by": None if is_sealed(record.asked_by) else record.asked_by or None,
        "action": record.action,
        "dataset": record.dataset,
        "purpose": record.purpose,
        "allowed": record.allowed,
        "reasons": ["erased" if is_sealed(reason) else reason for reason in record.reasons],
        "agreements": record.agreements,
        "persons": len(record.subjects),
        "rows": record.rows,
    }


def use(item: Use) -> dict[str, Any]:
    """What one participant did with one dataset lately."""
    return {
        "dataset": item.dataset,
        "assignee": item.assignee,
        "crossing": item.crossing,
        "action": item.action,
        "purposes": sorted(item.purposes),
        "agreements": sorted(item.agreements),
        "allowed": item.allowed,
        "refused": item.refused,
        "rows": item.rows,
        "last_allowed": None if item.last_allowed is None else to_text(item.last_allowed),
        "last_refused": None if item.last_refused is None else to_text(item.last_refused),
        "last_reasons": item.last_reasons,
    }


@dataclass(frozen=True, slots=True)
class Law:
    """How the things that a result rests on are found; each answers ``None`` for what is not there."""

    dataset: Callable[[str], Dataset | None]
    agreement: Callable[[str], AgreementState | None]
    result: Callable[[str], Lineage | None]
    taken: Callable[[str], Micros]
    """Up to when results of a dataset were taken back since rows of a person went from it; 0: none."""


def lineage(item: Lineage, law: Law, consents: Collection[str]) -> dict[str, Any]:
    """A result and the ground it rests on; ``withdrawn`` when part of the ground has fallen away.

    Of its ``consents`` those given are counted, never listed; where there are none nothing is said of them.
    """
    ended = [identifier for identifier in consents if _ended(law.agreement(identifier))]
    counted = {"active": len(consents) - len(ended), "withdrawn": len(ended)}
    return {
        "result": item.result,
        "kind": kind_of(item),
        "title": item.title,
        "made_at": to_text(item.made_at),
        "code": item.code,
        "transformations": item.transformations,
        "grounds": {
            "datasets": [_dataset_ground(d, law.dataset(d)) for d in item.grounds.datasets],
            "agreements": [_agreement_ground(a, law.agreement(a)) for a in item.grounds.agreements],
            **({"consents": counted} if consents else {}),
            "results": item.grounds.results,
        },
        "withdrawn": withdrawn(item, law),
    }


def dependent(item: Lineage, law: Law) -> dict[str, Any]:
    """A result in the list of all that rests on a ground."""
    return {
        "result": item.result,
        "kind": kind_of(item),
        "title": item.title,
        "made_at": to_text(item.made_at),
        "withdrawn": withdrawn(item, law),
    }


def withdrawn(item: Lineage, law: Law) -> bool:
    """Whether a right or dataset under the result has fallen away.

    Of a whole dataset that is no consent: the rows of who withdrew go, and those of the others stand.
    """
    of_all = is_dataset(item)
    for one in bearers(item, law.result):
        grounds = one.grounds
        rights = grounds.agreements if of_all else (*grounds.agreements, *grounds.consents)
        if any(_ended(law.agreement(identifier)) for identifier in rights):
            return True
        if any(found is None or found.withdrawn for found in map(law.dataset, grounds.datasets)):
            return True
        # Of the data itself the rest stands.
        if kind_of(item) != FIGURE and any(
            item.made_at <= law.taken(dataset) for dataset in grounds.datasets
        ):
            return True
    return False


def _ended(found: AgreementState | None) -> bool:
    return found is None or found.state == "ended"


def _dataset_ground(identifier: str, found: Dataset | None) -> dict[str, Any]:
    return {
        "id": identifier,
        "title": found.title if found else {},
        "owner": found.owner if found else None,
        "withdrawn": found is None or found.withdrawn,
    }


def _agreement_ground(identifier: str, found: AgreementState | None) -> dict[str, Any]:
    if found is None:
        return {"id": identifier, "state": "unknown", "ended_at": None, "assigner": None, "assignee": None}
    return {
        "id": identifier,
        "state": found.state,
        "ended_at": None if found.ended_at is None else to_text(found.ended_at),
        "assigner": model.assigner(found.document),
        "assignee": model.assignee(found.document),
    }
