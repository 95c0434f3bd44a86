"""All that the exchange keeps of a person, to take along (GDPR art. 15 and 20); the rows come from the platform."""

from __future__ import annotations

from itertools import islice
from typing import Any

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import Micros
from dmi_exchange import model, present
from dmi_exchange.consent.giving import Consents
from dmi_exchange.consent.record import Records
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata.done import Done
from dmi_exchange.mydata.requests import Rights
from dmi_exchange.mydata.uses import Used, read_back, uses
from dmi_exchange.notices.model import answered
from dmi_exchange.notices.store import Notices
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import NotFound

MOST_ENTRIES = 5_000
"""The newest entries of the log that one answer looks at; it tells when there are more."""
MOST_OF_A_COPY = 200_000
DAY: Micros = 86_400_000_000


class Copies:
    """Reads a person's own part of what the exchange keeps, as it is shown."""

    def __init__(
        self, exchange: Exchange, consents: Consents, records: Records, rights: Rights, notices: Notices
    ) -> None:
        self._exchange = exchange
        self._consents = consents
        self._records = records
        self._rights = rights
        self._notices = notices

    def used(self, person: str, days: int, dataset: str | None, most: int = MOST_ENTRIES) -> dict[str, Any]:
        """Who used the person's data; ``complete``: whether all of these days was looked at."""
        entries = read_back(self._exchange.store.log, person, clock.now() - days * DAY)
        shown = [self._use(one) for one in uses(islice(entries, most), person, dataset)]
        whole = next(entries, None) is None
        return {"days": days, "complete": whole, "items": shown, "next": None}

    def asked(self, person: str) -> list[dict[str, Any]]:
        """What the person has asked for, what each layer did about it, and who else was told."""
        made = self._rights.requests(person)
        done = self._exchange.store.carried_out([one.id for one in made])
        told = self.told(person)
        return [
            {
                **present.subject_request(one),
                "carried_out": [_done(each) for each in done.get(one.id, ())],
                "told": [each for each in told if each["request"] == one.id],
            }
            for one in made
        ]

    def told(self, person: str) -> list[dict[str, Any]]:
        """Who received the person's data and was told what it asked, or is not yet, and what they answered."""
        return [
            {
                "request": one.cause, "right": one.right, "state": one.state, "dataset": one.dataset,
                "recipient": one.recipient, "name": self.name(one.recipient), "agreements": one.agreements,
                **answered(one),
            }
            for one in self._notices.about(person)
        ]  # fmt: skip

    def datasets(self, person: str) -> list[dict[str, Any]]:
        """The datasets with personal data: what for, on which basis, whether the person consents, and ``held``.

        That is whether the platform was ever given them: of others it can keep nothing of anybody.
        """
        given = {
            target
            for one in self._consents.given(person)
            if one.state == "active"
            for target in model.targets(one.document)
        }
        held = {
            target
            for one in self._exchange.store.given_to(self._exchange.layers)
            if one.concluded_at is not None
            for target in model.targets(one.document)
        }
        return [
            {
                "id": one.id, "title": one.title, "owner": one.owner, "owner_name": self.name(one.owner),
                "purpose": one.purpose, "basis": one.basis or "dmi:basis:consent",
                "needs_consent": one.needs_consent, "consented": one.id in given, "held": one.id in held,
            }
            for one in self._exchange.store.find(Dataset)
            if one.personal
        ]  # fmt: skip

    def copy(self, person: str) -> dict[str, Any]:
        """All of it in one document."""
        records = []
        once = self._records.once()
        for one in self._consents.given(person):
            shown: dict[str, Any] = {"consent": present.agreement(one)}
            try:
                shown["record"] = self._records.record(one, once)
            except NotFound as exc:
                # The language lost a term of it: the document itself says what was agreed.
                shown["record_missing"] = str(exc)
            records.append(shown)
        return {
            "made_at": to_text(clock.now()),
            "person": present.participant(self._exchange.participant(person)),
            "datasets": self.datasets(person),
            "consents": records,
            "uses": self.used(person, 3650, None, MOST_OF_A_COPY),
            "requests": self.asked(person),
            "told": self.told(person),
        }

    def _use(self, one: Used) -> dict[str, Any]:
        book = self._exchange.rulebook
        return {
            "dataset": one.dataset,
            "participant": one.participant,
            "name": self.name(one.participant),
            "purpose": one.purpose,
            "purpose_label": book.purposes[one.purpose].label if one.purpose in book.purposes else {},
            "action": one.action,
            "times": one.times,
            "first": to_text(one.first),
            "last": to_text(one.last),
            "agreements": sorted(one.grounds),
        }

    def name(self, identifier: str) -> str:
        """What a participant is called; its id when it is not known (any more)."""
        try:
            return self._exchange.participant(identifier).name
        except NotFound:
            return identifier


def _done(one: Done) -> dict[str, Any]:
    return {"service": one.service, "rows": one.rows, "at": to_text(one.at)}
