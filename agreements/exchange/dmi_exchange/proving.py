"""The proof of a decision: which rules and conditions of an agreement hold, on which facts, for people and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import EVERYONE
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.own import asked
from dmi_agreements.odrl.proof import explain
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.situation import Counts, Situation, Use
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
) -> dict[str, Any]:
    """What ``state``'s document says to ``question``, whether or not the agreement is in force.

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
    return {
        "agreement": state.id,
        "state": state.state,
        "at": to_text(question.at),
        "verdict": report.verdict,
        "told": {"nl": list(explain(report, "nl")), "en": list(explain(report, "en"))},
        "report": json_ld(report),
    }


def proofs(exchange: Exchange, entry: Entry, party: str | None, known: bool) -> list[dict[str, Any]]:
    """The proof of a decision of the log, by each agreement that it rests on or that was about the same.

    ``known``: as for ``prove``.
    """
    record, before = entry.record(), UsesBefore(exchange, entry)
    question = Question(record.assignee, record.action, record.dataset, record.purpose, record.at)
    return [
        prove(exchange, state, question, known, partial(before.of, state.id))
        for state in _grounds(exchange, record)
        if model.may_see(state, party)
    ]


def _grounds(exchange: Exchange, record: DecisionRecord) -> Iterable[AgreementState]:
    named = [exchange.store.get(AgreementState, identifier) for identifier in record.agreements]
    found = [state for state in named if state is not None and not model.is_consent(state)]
    if found:
        return found
    concerned = (
        *exchange.store.find(AgreementState, record.assignee),
        *exchange.store.find(AgreementState, EVERYONE),
    )
    return [
        state
        for state in concerned
        if not model.is_consent(state)
        and state.concluded_at is not None
        and model.assignee(state.document) in (record.assignee, EVERYONE)
        and record.dataset in model.targets(state.document)
    ]
