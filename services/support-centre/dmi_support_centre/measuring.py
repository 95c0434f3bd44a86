"""Measures: rules propose, people decide, the city is told, and afterwards one looks back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Measure
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.decision import Reason
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.gate import Gate
from dmi_infra.identity import Identity
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.deciding import Deciding
from dmi_support_centre.desk import consented
from dmi_support_centre.grounds import Book, envelope
from dmi_support_centre.looking_back import LookBacks, Times
from dmi_support_centre.model import (
    DAY,
    MEASURE,
    Result,
)
from dmi_support_centre.models.measures import (
    PROPOSED,
    PUBLISHED,
    CrowdRule,
    CrowdState,
    GarageRule,
    GarageState,
    IllegalTransition,
    Rule,
    State,
    approve,
    evaluate,
    expire,
    forecast_share,
    lapse,
    reject,
    withdraw,
)
from dmi_support_centre.ruling import Ruling
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import MeasureRow, RuleRow, Step

log = structlog.get_logger("support-centre")

TOPIC = BY_NAME["measures"].topic or ""
LONGEST: Micros = DAY


class Measures:
    """Evaluates rules after each round and brings measures from one state to the next."""

    def __init__(
        self,
        store: Store,
        atlas: Atlas,
        gate: Gate,
        book: Book,
        city: Times,
        tell: Callable[[Message], list[dict[str, Any]]],
        wake: Callable[[], None],
        ruling: Ruling,
    ) -> None:
        self._store = store
        self._atlas = atlas
        self._gate = gate
        self._book = book
        self._city = city
        self._tell = tell
        self._wake = wake
        self._ruling = ruling
        self._deciding = Deciding(gate)
        self._look_backs = LookBacks(store, atlas, gate, book, city)

    def evaluate_all(self) -> None:
        """Every rule at every place that it is about; then look back on what is over."""
        self._ruling.seed()
        for rule, state in list(self._ruling.states()):
            self._evaluate(rule, state)
        self._look_backs.round()

    def _evaluate(self, rule: Rule, state: State) -> None:
        now = self._moment(state)
        for measure in state.measures:
            ended = lapse(rule, measure, state, now)
            if ended is not None:
                self._close(measure, ended)
        if _released(rule, state, now):
            self._store.measures.release(rule.id, rule.place, now)
        made = evaluate(rule, state, now).measure
        if made is None:
            return
        if made.state == PUBLISHED:
            try:
                self._let_publish(rule, made)
                return
            except Refused as exc:
                # What may not be published by itself waits for a person to decide on it.
                log.warning("automatic measure not published", measure=made.id, reason=exc.reasons[0].code)
                made = _undecided(made)
        self._begin(Step(made))

    @staticmethod
    def _moment(state: State) -> Micros:
        """The moment of the data that the rule looks at: it may run ahead of the clock or behind."""
        if isinstance(state, GarageState):
            return max(one.issued_at for one in state.forecasts)
        return state.at

    # -- decisions ----------------------------------------------------------

    def approve(self, identifier: str, person: Identity, until: Micros | None) -> MeasureRow:
        """Publish a proposal; raises ``Refused`` when its ground or the right to publish has fallen away."""
        measure = self._proposal(identifier)
        now = self._city.now(measure.grounds.datasets)
        if until is not None:
            if not now < until <= now + LONGEST:
                raise Conflict.of("until", "must lie in the next 24 hours")
            measure = msgspec.structs.replace(measure, valid_to=until)
        decided = _decided(approve, measure, person.participant, now)
        self._deciding.check(person, measure.grounds.datasets)
        self._check(decided)
        if not self._store.measures.save(self._telling(decided), PROPOSED, person.name):
            raise _no_proposal(self.get(identifier).measure)
        self._told(decided)
        self._wake()
        return self.get(identifier)

    def reject(self, identifier: str, person: Identity, reason: str) -> MeasureRow:
        """Turn a proposal down; raises ``Refused`` for who could not have approved it either."""
        measure = self._proposal(identifier)
        self._deciding.check(person, measure.grounds.datasets)
        now = self._city.now(measure.grounds.datasets)
        try:
            after = reject(measure, person.participant, now, reason)
        except IllegalTransition as exc:
            raise Conflict(str(exc)) from exc
        if not self._store.measures.save(Step(after), PROPOSED, person.name):
            raise _no_proposal(self.get(identifier).measure)
        return self.get(identifier)

    def get(self, identifier: str) -> MeasureRow:
        """One measure; raises ``NotFound``."""
        row = self._store.measures.get(identifier)
        if row is None:
            raise NotFound("no measure has this id")
        return row

    def _proposal(self, identifier: str) -> Measure:
        measure = self.get(identifier).measure
        if measure.state != PROPOSED:
            raise _no_proposal(measure)
        return measure

    def check_steering(self, person: Identity, rule: Rule) -> None:
        """Raises ``Refused`` unless the person may publish about every place that the rule is about.

        A rule about no known place asks for no right, so nobody may make one: ``InputRefused`` names its place.
        """
        about = self._about(rule)
        self._deciding.check(person, about)
        if not about:
            raise InputRefused.of("place", "must be a known place, of the kind that such a rule is about")

    def check_standing(self, person: Identity, row: RuleRow) -> None:
        """Raises ``Refused`` unless the person may change a rule as it stands now, whatever it is to become.

        Of one whose place is known no more, nothing tells whose right counts: it is left to who made it so.
        """
        about = self._about(row.rule)
        self._deciding.check(person, about)
        if not about and row.changed_by != person.participant:
            detail = "the place of this rule is not known any more; only who changed it last may change it"
            raise Refused([Reason("not_yours", detail)])

    def rule_shown(self, row: RuleRow) -> dict[str, Any]:
        """A rule for the interface, with all its settings; and why it may not publish by itself, where it is to."""
        shown = _rule_shown(row)
        refused = None
        if shown["automatic"] and row.rule.automatic is not None:
            try:
                self._deciding.check_later(row.rule.automatic, self._about(row.rule))
            except Refused as exc:
                refused = {"code": exc.reasons[0].code, "detail": exc.reasons[0].detail}
        return {**shown, "automatic": shown["automatic"] and refused is None, "automatic_refused": refused}

    def _about(self, rule: Rule) -> list[str]:
        """The datasets of the places that a rule is about."""
        return sorted({place.dataset for place in self._ruling.places(rule)})

    def _let_publish(self, rule: Rule, measure: Measure) -> None:
        """Publish what a rule may publish by itself; raises ``Refused`` once who allowed that may not decide."""
        if rule.automatic is not None:
            self._deciding.check_later(rule.automatic, measure.grounds.datasets)
        self._check(measure)
        self._begin(self._telling(measure))

    def _check(self, measure: Measure) -> None:
        """Raise ``Refused`` unless the layer and who decided, also by a rule, have the right to publish a measure."""
        fallen = self._book.fallen(measure.grounds)
        if fallen is not None:
            raise fallen.refused()
        # Nobody is no recipient that the gate would leave out: nobody has the right.
        decider = measure.decided_by or ""
        for dataset in measure.grounds.datasets:
            permit = self._gate.permit("measures", "dmi:publish", dataset, recipient=decider)
            consented(self._gate, permit, measure.grounds)

    def _begin(self, step: Step) -> None:
        """Keep and tell of a measure that a rule made, unless its ground fell away while it was being made."""
        measure = step.measure

        def holds() -> bool:
            return self._book.fallen(measure.grounds) is None

        if self._store.measures.begin(step, self._result(measure), holds):
            self._told(measure)
            self._wake()

    # -- the end of a measure -----------------------------------------------

    def expire(self) -> None:
        """Bring every measure to its end whose time is over."""
        for row in self._store.measures.measures(PROPOSED, PUBLISHED):
            now = self._city.now(row.measure.grounds.datasets)
            if row.measure.valid_to <= now:
                self._close(row.measure, expire(row.measure, now))

    def taken_back(self, before: Measure, result: Result) -> Step:
        """How a measure whose ground has fallen away ends; the figures behind it are told no more."""
        withdrawal = self._book.withdrawal(result)
        told = withdrawal.refused().reasons[0] if withdrawal else None
        reason = f"ground withdrawn: {(told.agreement or told.detail) if told else ''}"
        now = self._city.now(before.grounds.datasets)
        return self._end(before, withdraw(msgspec.structs.replace(before, properties={}), now, reason))

    def _close(self, before: Measure, after: Measure) -> None:
        if self._store.measures.save(self._end(before, after), before.state):
            self._wake()

    def _end(self, before: Measure, after: Measure) -> Step:
        """An end is told of a measure that had been published; a proposal ends in silence."""
        return self._telling(after) if before.state == PUBLISHED else Step(after)

    def _telling(self, measure: Measure) -> Step:
        message = _message(measure)
        return Step(measure, TOPIC, message, self._tell(message))

    # -- parts --------------------------------------------------------------

    def _result(self, measure: Measure) -> Result:
        # The same advice is given at several places; the place tells them apart where results stand together.
        title = measure.title.get("nl", measure.rule)
        return Result(
            measure.id,
            MEASURE,
            f"{self._atlas.name(measure.place) or measure.place}: {title}",
            measure.place,
            measure.proposed_at,
            measure.grounds,
            {},
        )

    def _told(self, measure: Measure) -> None:
        steps = [
            f"rule {measure.rule} at {measure.place}: {json.dumps(measure.properties, sort_keys=True)}",
            f"decided by {measure.decided_by}" if measure.decided_by else "proposed; a person decides",
        ]
        self._book.tell(self._result(measure), MEASURE, steps)


def _no_proposal(measure: Measure) -> InputRefused:
    return Conflict.of("state", f"this measure is {measure.state}; only a proposal can be decided on")


def _rule_shown(row: RuleRow) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.to_builtins(row.rule)
    automatic = row.rule.automatic
    return {
        **settings,
        "kind": settings["type"],
        "title": row.title,
        "automatic": automatic is not None and automatic.until > clock.now(),
        "decided_by": automatic.decided_by if automatic else None,
        "until": clock.to_text(automatic.until) if automatic else None,
        "changed_by": row.changed_by,
        "changed_at": clock.to_text(row.changed_at),
        "version": row.version,
    }


def public_measure(measure: Measure) -> dict[str, Any]:
    """A measure for the street: what to do, where, until when; not who decided, nor on which figures."""
    audience = measure.properties.get("audience")
    return {
        "id": measure.id,
        "rule": measure.rule,
        "state": measure.state,
        "place": measure.place,
        "title": measure.title,
        "advice": measure.advice,
        "audience": audience,
        "valid_from": clock.to_text(measure.valid_from),
        "valid_to": clock.to_text(measure.valid_to),
        "geometry": measure.geometry,
    }


def _undecided(measure: Measure) -> Measure:
    """A measure that a rule decided on itself, as one that waits for a person."""
    properties = {
        name: value
        for name, value in measure.properties.items()
        if name not in ("automatic", "automatic_until")
    }
    return msgspec.structs.replace(
        measure, state=PROPOSED, decided_by=None, decided_at=None, properties=properties
    )


def _message(measure: Measure) -> Message:
    kind = f"nl.dmi.measure.{measure.state}.v1"
    return Message(measure.place, encode(measure), envelope(kind, measure.place, measure.grounds))


def _decided(
    decide: Callable[[Measure, str, int], Measure], measure: Measure, person: str, now: Micros
) -> Measure:
    try:
        return decide(measure, person, now)
    except IllegalTransition as exc:
        raise Conflict(str(exc)) from exc


def _released(rule: Rule, state: State, now: Micros) -> bool:
    """Whether the value is below the lower threshold, so that an earlier rejection no longer holds."""
    if isinstance(rule, GarageRule) and isinstance(state, GarageState):
        found = forecast_share(rule, state, now)
        return found is not None and found[0] < rule.release_share
    if isinstance(rule, CrowdRule) and isinstance(state, CrowdState):
        return not state.levels[-1].at_least(rule.threshold)
    return False
