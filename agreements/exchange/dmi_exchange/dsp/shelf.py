"""What this node itself offers: offers that owners made from templates, and agreements of theirs in the law."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.dsp.terms import DOCUMENT, SIGNATURE, rules_of, same_terms, with_rules
from dmi_exchange import model
from dmi_exchange.dsp.imports import Imports
from dmi_exchange.dsp.offers import CONSENT_STAYS, Entry, Offer, Page
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import new_id
from dmi_exchange.dsp.transfer import Grant
from dmi_exchange.errors import StepRefused
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.case import UNKNOWN_PARTY
from dmi_exchange.tables import law, offer
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound
from dmi_infra.http.stories import sentences
from dmi_infra.sql import reading, transaction


class OwnOffer(msgspec.Struct, frozen=True):
    """An offer as its owner made it: a template with all its places filled in but the assignee."""

    id: str
    dataset: str
    owner: str
    template: str
    parameters: dict[str, Any]
    rules: dict[str, Any]


class StoreShelf:
    """Offers in the exchange's store."""

    def __init__(
        self, engine: sa.Engine, exchange: Exchange, imports: Imports, formats: tuple[str, ...]
    ) -> None:
        self._imports = imports
        self._formats = formats
        self._engine = engine
        self._exchange = exchange
        self.aside = exchange.before_signing.aside
        """Where requests run that ``put``, which needs the solver."""

    # -- owners -------------------------------------------------------------

    def put(
        self, owner: str, dataset: str, template: str, parameters: Mapping[str, Any]
    ) -> tuple[OwnOffer, list[dict[str, Any]]]:
        """Offer a dataset of one's own under a template, with what to tell about it (see ``Exchange.review``).

        Raises when the filled-in document is not right, or can never be used.
        """
        entry = self._exchange.dataset(dataset)
        if entry.owner != owner:
            raise InputRefused.of("dataset", "must be a dataset of yours", dataset)
        for taken in ("assigner", "assignee", "datasets", "uid"):
            if taken in parameters:
                raise InputRefused.of(f"parameters.{taken}", "follows from the offer and from who accepts it")
        draft = self._draft(owner, dataset, template, parameters, UNKNOWN_PARTY)
        self._exchange.require(draft)
        warnings = self._exchange.before_signing.told(owner, draft)
        warnings += (
            [{"kind": "stays here", "path": "", "message": sentences(CONSENT_STAYS)}]
            if entry.needs_consent
            else []
        )
        made = OwnOffer(new_id(), dataset, owner, template, dict(parameters), rules_of(draft))
        row = {
            "id": made.id,
            "dataset": dataset,
            "owner": owner,
            "made_at": clock.now(),
            "body": msgspec.json.encode(made).decode(),
        }
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(offer).values(row))
        return made, warnings

    def own(self, owner: str | None, dataset: str | None = None) -> Sequence[OwnOffer]:
        """Offers that stand, of one owner or all, and of one dataset or all, oldest first."""
        query = sa.select(offer.c.body).where(offer.c.ended_at.is_(None))
        if owner is not None:
            query = query.where(offer.c.owner == owner)
        if dataset is not None:
            query = query.where(offer.c.dataset == dataset)
        with reading(self._engine) as connection:
            bodies = connection.execute(query.order_by(offer.c.made_at, offer.c.id)).scalars().all()
        return [msgspec.json.decode(body, type=OwnOffer) for body in bodies]

    def end(self, owner: str, identifier: str) -> None:
        """Take an offer back; agreements that it led to stay. Raises ``NotFound``."""
        ended = (
            sa.update(offer)
            .where(offer.c.id == identifier, offer.c.owner == owner, offer.c.ended_at.is_(None))
            .values(ended_at=clock.now())
        )
        with transaction(self._engine) as connection:
            if connection.execute(ended).rowcount == 0:
                raise NotFound("no offer of yours has this id")

    def _draft(
        self, owner: str, dataset: str, template: str, parameters: Mapping[str, Any], assignee: str
    ) -> dict[str, Any]:
        filled = {**parameters, "assigner": owner, "assignee": assignee, "datasets": [dataset]}
        return self._exchange.draft(template, filled)

    # -- the catalogue: see ``offers.Shelf`` --------------------------------

    def page(self, after: str, before: str | None, limit: int, wanted: Mapping[str, str]) -> Page:
        """See ``offers.Shelf``."""
        fits: list[sa.ColumnElement[bool]] = [offer.c.ended_at.is_(None)]
        fits += [offer.c[name] == wanted[name] for name in ("dataset", "owner") if name in wanted]
        if "text" in wanted:
            like = law.c.body.icontains(wanted["text"], autoescape=True)
            fits.append(offer.c.dataset.in_(sa.select(law.c.id).where(law.c.type == "dataset", like)))
        here = offer.c.dataset > after if before is None else offer.c.dataset < before
        order = offer.c.dataset if before is None else offer.c.dataset.desc()
        query = sa.select(offer.c.dataset).where(*fits, here).distinct().order_by(order).limit(limit + 1)
        with reading(self._engine) as connection:
            found = list(connection.execute(query).scalars())
            more, names = len(found) > limit, sorted(found[:limit])
            rows = connection.execute(
                sa.select(offer.c.body)
                .where(offer.c.dataset.in_(names), offer.c.ended_at.is_(None))
                .order_by(offer.c.id)
            ).scalars()
            offers = defaultdict[str, list[OwnOffer]](list)
            for body in rows:
                standing = msgspec.json.decode(body, type=OwnOffer)
                offers[standing.dataset].append(standing)
            bodies = connection.execute(
                sa.select(law.c.body).where(law.c.id.in_(names), law.c.type == "dataset")
            ).scalars()
            datasets = {d.id: d for d in (msgspec.json.decode(body, type=Dataset) for body in bodies)}
        entries = [
            self._entry(datasets[name], offers[name])
            for name in names
            if name in datasets and not datasets[name].withdrawn
        ]
        if not names:
            return Page(entries, None, None)
        is_before, is_after = (more, True) if before is not None else (after != "", more)
        return Page(entries, names[0] if is_before else None, names[-1] if is_after else None)

    def entry(self, dataset: str) -> Entry | None:
        """See ``offers.Shelf``."""
        found = self._exchange.store.get(Dataset, dataset)
        query = sa.select(offer.c.body).where(offer.c.dataset == dataset, offer.c.ended_at.is_(None))
        with reading(self._engine) as connection:
            bodies = connection.execute(query.order_by(offer.c.id)).scalars().all()
        if found is None or found.withdrawn or not bodies:
            return None
        return self._entry(found, [msgspec.json.decode(body, type=OwnOffer) for body in bodies])

    def _entry(self, dataset: Dataset, offers: Sequence[OwnOffer]) -> Entry:
        return Entry(
            dataset.id, dataset.owner, dataset.title, dataset.description, [_offer(o) for o in offers],
            self._formats, msgspec.to_builtins(dataset),
        )  # fmt: skip

    def offer(self, identifier: str) -> Offer | None:
        """See ``offers.Shelf``."""
        found = self._standing(identifier)
        return None if found is None else _offer(found)

    def _standing(self, identifier: str) -> OwnOffer | None:
        query = sa.select(offer.c.body).where(offer.c.id == identifier, offer.c.ended_at.is_(None))
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=OwnOffer)

    # -- agreements: see ``offers.Shelf`` -----------------------------------

    def useless(self, dataset: str, peer: str) -> str | None:
        """See ``offers.Shelf``."""
        asking = self._exchange.store.get(Participant, peer)
        entry = self._exchange.store.get(Dataset, dataset)
        # A member of this node needs no transfer: the gate judges row by row who has consented.
        abroad = asking is not None and asking.home != ""
        return CONSENT_STAYS if abroad and entry is not None and entry.needs_consent else None

    def signs(self, participant: str) -> bool:
        """See ``offers.Shelf``."""
        return self._exchange.custody.keeps(participant)

    def draft(self, process: Process) -> dict[str, Any]:
        """See ``offers.Shelf``."""
        found = self._own(process)
        made = self._draft(found.owner, found.dataset, found.template, found.parameters, process.peer)
        if not same_terms(process.offer, rules_of(made)):
            # What the consumer asks for instead, or was offered before the template changed: the owner agrees to
            # what is on the table by signing, and to nothing else.
            made = with_rules(made, process.offer, found.dataset)
        self._exchange.require(made)
        return made

    def _own(self, process: Process) -> OwnOffer:
        """The own offer that is negotiated about."""
        found = self._standing(str(process.offer.get("@id")))
        if found is None or found.dataset != process.dataset:
            raise Conflict.of("offer", "does not stand any more")
        return found

    def agreement(self, process: Process, jws: str | None) -> tuple[dict[str, Any], dict[str, str]]:
        """See ``offers.Shelf``."""
        found = self._own(process)
        draft = process.draft or self.draft(process)
        jws = jws or self._exchange.custody.sign(found.owner, draft)
        self._exchange.check_signature(found.owner, draft, jws)
        agreement = {
            "@id": draft["uid"],
            "@type": "Agreement",
            "target": found.dataset,
            "assigner": found.owner,
            "assignee": process.peer,
            "timestamp": clock.to_text(clock.now()),
            **rules_of(draft),
            DOCUMENT: draft,
            SIGNATURE: jws,
        }
        return agreement, {found.owner: jws}

    def document(self, process: Process) -> dict[str, Any] | None:
        """See ``offers.Shelf``."""
        agreement = process.agreement
        if (agreement.get("assigner"), agreement.get("assignee")) != (process.peer, process.owner):
            raise InputRefused.of("agreement/assigner", "must be the two sides of the negotiation")
        document = agreement.get(DOCUMENT)
        if document is None:
            self._imports.same(process, None)
            return None
        if not isinstance(document, dict):
            raise InputRefused.of(f"agreement/{DOCUMENT}", "must be a document")
        named = (document.get("uid"), model.assigner(document), model.assignee(document))
        if named != (agreement.get("@id"), process.peer, process.owner):
            raise InputRefused.of(f"agreement/{DOCUMENT}", "must have the agreement's id and parties")
        if model.targets(document) != [process.dataset]:
            raise InputRefused.of(f"agreement/{DOCUMENT}", "must be about the dataset of the negotiation")
        self._imports.check(process, document)
        return document

    def verification(self, process: Process, jws: str | None) -> dict[str, Any]:
        """See ``offers.Shelf``."""
        document = self.document(process)
        if document is None:
            return {}
        jws = jws or self._exchange.custody.sign(process.owner, document)
        self._exchange.check_signature(process.owner, document, jws)
        return {SIGNATURE: jws}

    def verified(self, process: Process, body: Mapping[str, Any]) -> Process:
        """See ``offers.Shelf``."""
        document = process.agreement[DOCUMENT]
        jws = body.get(SIGNATURE)
        if jws is None and self._exchange.custody.keeps(process.peer):
            jws = self._exchange.custody.sign(process.peer, document)
        if not isinstance(jws, str):
            rule = f"/{SIGNATURE}: a detached JWS of the assignee over the document of the agreement"
            raise StepRefused(rule, process=process)
        try:
            self._exchange.check_signature(process.peer, document, jws)
        except (InputRefused, NotFound) as exc:
            raise StepRefused(f"/{SIGNATURE}: {exc}", process=process) from exc
        return msgspec.structs.replace(process, signatures={**process.signatures, process.peer: jws})

    def conclude(self, process: Process) -> dict[str, Any]:
        """See ``offers.Shelf``. What a killed process had begun is gone on with."""
        document = process.agreement[DOCUMENT]
        known = self._exchange.store.get(AgreementState, process.agreement_id)
        if known is None:
            # With both signatures at once: it is judged and stored once.
            also = {process.peer: process.signatures[process.peer]}
            known = self._exchange.propose(process.owner, document, process.signatures[process.owner], also)
        elif known.state == "proposed":
            known = self._exchange.sign(process.peer, known.id, process.signatures[process.peer])
        if known.state != "active":
            raise Conflict.of("agreement", f"has {known.state} already")
        return {}

    def undo(self, process: Process) -> None:
        """See ``offers.Shelf``."""
        found = self._exchange.store.get(AgreementState, process.agreement_id)
        if found is not None and found.state != "ended":
            by = process.owner if process.ended_by == process.role else process.peer
            self._exchange.end(by, found.id, process.reason[:500])

    def keep(self, process: Process) -> None:
        """See ``offers.Shelf``."""
        self._imports.keep(process)

    # -- data: see ``transfer.DataPlane`` -----------------------------------

    def agreed(self, agreement: str, owner: str, peer: str) -> str | None:
        """The dataset of an agreement in the law that ``owner`` has with ``peer`` as its assigner; ``None``: none."""
        found = self._exchange.store.get(AgreementState, agreement)
        if found is None or (model.assigner(found.document), model.assignee(found.document)) != (peer, owner):
            return None
        return next(iter(model.targets(found.document)), "")

    def grant(self, agreement: str, peer: str) -> Grant | None:
        """See ``transfer.DataPlane``."""
        found = self._exchange.store.get(AgreementState, agreement)
        if found is None or found.state != "active" or model.is_consent(found):
            return None
        targets = model.targets(found.document)
        if model.assignee(found.document) != peer or not targets:
            return None
        return Grant(targets[0], model.assigner(found.document), self._formats)


def _offer(found: OwnOffer) -> Offer:
    return Offer(found.id, found.dataset, found.owner, found.rules)
