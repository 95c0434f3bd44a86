"""The proof of a decision: which rules and conditions of an agreement hold, on which facts, for people and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import EVERYONE
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.own import asked, name_of
from dmi_agreements.odrl.proof import Named, explain
from dmi_agreements.odrl.wording import Language, pick
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.situation import Counts, Situation, Use
from dmi_agreements.rulebook import Rulebook
from dmi_exchange import model
from dmi_exchange.errors import DocumentRefused
from dmi_exchange.handlers import Exchange
from dmi_exchange.logbook.entries import Entry
from dmi_exchange.rdf.reports import json_ld
from dmi_exchange.usage import MOST_ENTRIES
from dmi_infra.clock import to_text


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked or might be asked: who wants to do what with which data for what, and when (microseconds UTC)."""

    assignee: str
    action: str
    dataset: str
    purpose: str
    at: int


class StoredUses:
    """The uses of one party under one agreement, as the exchange has counted them."""

    def __init__(self, exchange: Exchange, agreement: str, party: str) -> None:
        self._exchange, self._agreement, self._party = exchange, agreement, party

    def get(self, path: str, default: Use, /) -> Use:
        """The uses of a rule."""
        found = self._exchange.store.usage(self._agreement, path, self._party)
        return default if found is None else Use(sum(found.counts.values()), found.first, found.last)


class UsesBefore:
    """The uses that the log held before an entry, by the one whom that is about, read once for all agreements."""

    def __init__(self, exchange: Exchange, entry: Entry) -> None:
        self._exchange, self._entry, self._record = exchange, entry, entry.record()

    @cached_property
    def _found(self) -> dict[tuple[str, str], list[Micros]] | None:
        log = self._exchange.store.log
        return log.counted(self._entry.sequence, self._record.assignee, MOST_ENTRIES)

    def of(self, agreement: str) -> Counts | None:
        """Those of the rules of an agreement; ``None``, not known, of who has more entries than are looked through.

        A decision that went on with a use does not count it anew.
        """
        if self._found is None:
            return None
        uses = {rule: at for (named, rule), at in self._found.items() if named == agreement}
        if self._record.begins:
            return {rule: Use(len(at), min(at), max(at)) for rule, at in uses.items()}
        return {rule: Use(len(at) - 1, min(at)) for rule, at in uses.items()}


def prove(
    exchange: Exchange,
    state: AgreementState,
    question: Question,
    known: bool,
    uses: Callable[[], Counts | None],
    reader: str | None,
) -> dict[str, Any]:
    """What ``state``'s document says to ``question``, whether or not the agreement is in force, told to ``reader``.

    ``uses`` gives those of its rules (``None``: not known), where one counts them; roles and confirmed duties are those
    that the exchange knows now. Not ``known`` is of whom nothing may be learned: that one has neither roles nor uses,
    whether it takes part or not. Raises ``DocumentRefused``.
    """
    book = exchange.rulebooks.under(state.document)
    try:
        terms = read_agreement(state.document, book, exchange.layers)
    except PolicyRefused as exc:
        raise DocumentRefused.from_findings(exc, "document") from exc
    party = exchange.store.get(Participant, question.assignee) if known else None
    compiled = compile_agreement(terms, book)
    rules = (*compiled.permissions.values(), *compiled.prohibitions.values())
    counts = known and any(rule.counted for found in rules for rule in found)
    situation = Situation(
        question.assignee,
        question.action,
        question.dataset,
        question.purpose,
        question.at,
        None if party is None else frozenset(party.roles),
        state.concluded_at,
        tuple(state.performed),
        uses() if counts else {},
    )
    report = evaluate(terms.policy, *asked(terms.policy, situation, book))
    named = _names(exchange, book, reader)
    return {
        "agreement": state.id,
        "state": state.state,
        "at": to_text(question.at),
        "verdict": report.verdict,
        "told": {"nl": list(explain(report, "nl", named)), "en": list(explain(report, "en", named))},
        "report": json_ld(report),
    }


def _names(exchange: Exchange, book: Rulebook, reader: str | None) -> Named:
    """What a member calls datasets, organisations and terms; of persons nobody is named, but ``reader`` is told."""

    def named(identifier: str, language: Language) -> str | None:
        if identifier.startswith(model.PERSON):
            return pick(("u", "you"), language) if identifier == reader else None
        if identifier.startswith(model.DATASET):
            title = getattr(exchange.store.get(Dataset, identifier), "title", {})
            return title.get(language) or next(iter(title.values()), None)
        if identifier.startswith(model.ORGANISATION):
            member = exchange.store.get(Participant, identifier)
            return None if member is None else member.name
        return name_of(book, identifier, language)

    return named


def proofs(exchange: Exchange, entry: Entry, party: str | None, known: bool) -> list[dict[str, Any]]:
    """The proof of a decision of the log, by each agreement that it rests on or that was about the same.

    A person whose data it let through reads its own consent that permits it as well. ``known``: as for ``prove``.
    """
    record, before = entry.record(), UsesBefore(exchange, entry)
    question = Question(record.assignee, record.action, record.dataset, record.purpose, record.at)

    def told(state: AgreementState) -> dict[str, Any]:
        return prove(exchange, state, question, known, partial(before.of, state.id), party)

    agreed = [told(state) for state in _grounds(exchange, record) if model.may_see(state, party)]
    consented = map(told, _consents(exchange, record, party))
    return agreed + [each for each in consented if each["verdict"] == "permit"]


def _consents(exchange: Exchange, record: DecisionRecord, party: str | None) -> Iterable[AgreementState]:
    """What ``party`` as a person consented to about this dataset, and held then."""
    if party is None or party not in record.subjects:
        return []
    return [
        state
        for state in exchange.store.find(AgreementState, party)
        if model.is_consent(state)
        and model.assigner(state.document) == party
        and state.concluded_at is not None
        and state.concluded_at <= record.at
        and (state.ended_at is None or state.ended_at > record.at)
        and record.dataset in model.targets(state.document)
    ]


def _grounds(exchange: Exchange, record: DecisionRecord) -> Iterable[AgreementState]:
    named = [exchange.store.get(AgreementState, identifier) for identifier in record.agreements]
    found = [state for state in named if state is not None and not model.is_consent(state)]
    if found:
        return found
    concerned = (
        *exchange.store.find(AgreementState, record.assignee),
        *exchange.store.open_data(),
    )
    return [
        state
        for state in concerned
        if not model.is_consent(state)
        and state.concluded_at is not None
        and model.assignee(state.document) in (record.assignee, EVERYONE)
        and record.dataset in model.targets(state.document)
    ]
