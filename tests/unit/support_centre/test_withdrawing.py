"""No measure outlives its ground: neither when both come at once, nor when telling of it fails the first time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.contracts.results import Grounds, Measure
from dmi_agreements.decision import Reason
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.errors import Conflict, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_support_centre import grounds
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.deciding import allow
from dmi_support_centre.grounds import Book, Withdrawals
from dmi_support_centre.handlers import Views
from dmi_support_centre.looking_back import SEEN_AFTER
from dmi_support_centre.measuring import TOPIC, Measures
from dmi_support_centre.model import CROWD, MINUTE, Reading, Result
from dmi_support_centre.models.measures import GarageRule
from dmi_support_centre.rounds import Aftermath
from dmi_support_centre.store import Store
from dmi_support_centre.store.marks import Following
from dmi_support_centre.store.measures import RuleRow
from dmi_support_centre.store.tables import outbox
from tests.unit.infra.fakes import eventually
from tests.unit.support_centre.laws import (
    GARAGES,
    NOOR,
    NOW,
    OWNER,
    Agree,
    Times,
    take_back,
    withdrawals_of,
    withdrawals_over,
)
from tests.unit.support_centre.test_measuring import AHEAD, OFFICER, forecast, proposal

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def withdrawals(store: Store, measures: Measures, law: LawTable) -> Withdrawals:
    return withdrawals_over(store, measures, law)


@pytest.fixture
def meanwhile(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Has something happen once while a measure is being published: after the gate let it pass, before it is kept."""

    def arrange(happens: Callable[[], object]) -> None:
        permit = gate.permit

        def late(*args: Any, **more: Any) -> Permit:
            found = permit(*args, **more)
            if args[0] == "measures":
                monkeypatch.setattr(gate, "permit", permit)
                happens()
            return found

        monkeypatch.setattr(gate, "permit", late)

    return arrange


@pytest.fixture
def corrected(law: LawTable) -> SubjectRequest:
    """A person had a value corrected in data that is collected for a public task, so that no consent ends."""
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True, basis="dmi:basis:public-task"))
    request = SubjectRequest("urn:uuid:asked", NOOR, "rectification", GARAGES, clock.now())
    law.apply(request)
    return request


def published(store: Store) -> list[str]:
    """The types of what waits to go out about measures."""
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(outbox.c.envelope).where(outbox.c.topic == TOPIC)).scalars()
        return [msgspec.json.decode(row)["type"] for row in rows]


def full(store: Store, automatic: bool) -> None:
    """A garage that is about to be full, and a rule about it."""
    if automatic:
        rule = GarageRule("garage-full", "*", "garages.pr-noord", automatic=allow(OFFICER, AHEAD))
        store.measures.put_rule(RuleRow(rule, {"nl": "", "en": ""}, OWNER, NOW))
    forecast(store, "centrum", 99.0)
    forecast(store, "pr-noord", 30.0)


def test_a_ground_that_ends_while_a_person_approves_leaves_nothing_published(
    store: Store, measures: Measures, agree: Agree, withdrawals: Withdrawals, meanwhile: Meanwhile
) -> None:
    identifier = proposal(store, measures)
    meanwhile(lambda: withdrawals.withdraw(agree(1, state="ended").id))
    with pytest.raises(Conflict, match="is withdrawn"):
        measures.approve(identifier, OFFICER, None)
    assert measures.get(identifier).measure.state == "withdrawn"
    assert published(store) == []


def test_a_correction_while_a_person_approves_leaves_nothing_published(
    store: Store,
    measures: Measures,
    withdrawals: Withdrawals,
    meanwhile: Meanwhile,
    corrected: SubjectRequest,
) -> None:
    identifier = proposal(store, measures)
    meanwhile(lambda: withdrawals.withdraw(corrected.id))
    with pytest.raises(Conflict, match="is withdrawn"):
        measures.approve(identifier, OFFICER, None)
    assert measures.get(identifier).measure.state == "withdrawn"
    assert published(store) == []


def test_a_ground_that_ends_just_after_an_approval_takes_it_back(
    store: Store,
    measures: Measures,
    agree: Agree,
    withdrawals: Withdrawals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identifier = proposal(store, measures)
    monkeypatch.setattr(measures, "_wake", lambda: withdrawals.withdraw(agree(1, state="ended").id))
    assert measures.approve(identifier, OFFICER, None).measure.state == "withdrawn"
    assert published(store) == ["nl.dmi.measure.published.v1", "nl.dmi.measure.withdrawn.v1"]


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_ground_that_ends_while_a_rule_makes_a_measure_leaves_none(
    store: Store,
    measures: Measures,
    agree: Agree,
    withdrawals: Withdrawals,
    automatic: bool,
    again: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the marks of what it was made of; and by the law, where that was made ``again`` meanwhile."""
    full(store, automatic)
    begin = store.measures.begin

    def late(*args: Any) -> bool:
        withdrawals.withdraw(agree(1, state="ended").id)
        for slug in ("centrum", "pr-noord") if again else ():
            forecast(store, slug, 50.0, agreement=2)
        return begin(*args)

    monkeypatch.setattr(store.measures, "begin", late)
    measures.evaluate_all()
    assert (store.measures.measures(), published(store)) == ([], [])


def test_a_correction_while_a_rule_publishes_leaves_no_measure_of_the_wrong_values(
    store: Store,
    measures: Measures,
    withdrawals: Withdrawals,
    meanwhile: Meanwhile,
    corrected: SubjectRequest,
) -> None:
    full(store, automatic=True)
    meanwhile(lambda: withdrawals.withdraw(corrected.id))
    measures.evaluate_all()
    assert (store.measures.measures(), published(store)) == ([], [])
    full(store, automatic=True)
    measures.evaluate_all()
    assert published(store) == ["nl.dmi.measure.published.v1"], "the forecast has been made again"


def test_a_measure_that_was_taken_back_is_not_published_again_for_the_same_moment(
    store: Store, measures: Measures, withdrawals: Withdrawals, corrected: SubjectRequest
) -> None:
    """Its id is that of rule, place and moment: a second one would be told of, and never end."""
    full(store, automatic=True)
    measures.evaluate_all()
    withdrawals.withdraw(corrected.id)
    full(store, automatic=True)
    measures.evaluate_all()
    assert [row.measure.state for row in store.measures.measures()] == ["withdrawn"]
    assert published(store)[1:] == ["nl.dmi.measure.withdrawn.v1"]


@pytest.mark.parametrize("fault", [Unavailable("the store is away"), ValueError("what cannot be told")])
def test_what_cannot_be_told_of_at_first_is_marked_and_told_of_later(
    store: Store,
    measures: Measures,
    law: LawTable,
    agree: Agree,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grounds, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(grounds, "PAUSE_SECONDS", 0.01)
    identifier = proposal(store, measures)
    measures.approve(identifier, OFFICER, None)
    taken_back = measures.taken_back

    def fails(before: Measure, result: Result) -> Any:
        monkeypatch.setattr(measures, "taken_back", taken_back)
        raise fault

    monkeypatch.setattr(measures, "taken_back", fails)
    withdrawals = withdrawals_over(store, measures, law)
    withdrawals.start()
    withdrawals.listen(law.apply(msgspec.structs.replace(agree(1), state="ended", ended_at=clock.now())))
    eventually(lambda: measures.get(identifier).measure.state == "withdrawn")
    withdrawals.stop()
    assert published(store) == ["nl.dmi.measure.published.v1", "nl.dmi.measure.withdrawn.v1"]


def test_while_the_store_is_away_nothing_piles_up_that_is_done_when_it_is_back(
    store: Store, law: LawTable, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "PAUSE_SECONDS", 0.005)
    store.results.save([Result("crowd:a", CROWD, "", "a", NOW, Grounds([GARAGES], ["urn:uuid:g"]), {})])
    find, mark, looked, tried = store.results.grounds, store.marks.withdraw, list[str](), list[str]()

    def looks() -> set[str]:
        looked.append("")
        return find()

    def away(ground: str, *given: Any) -> list[Result]:
        tried.append(ground)
        if len(tried) < 10:
            raise Unavailable("the store is away")
        return mark(ground, *given)

    monkeypatch.setattr(store.results, "grounds", looks)
    monkeypatch.setattr(store.marks, "withdraw", away)
    withdrawals = withdrawals_of(store, law)
    withdrawals.start()
    eventually(lambda: len(looked) == 1)
    withdrawals.listen(Change("agreement", "urn:uuid:g", True, ended=("urn:uuid:g",)))
    eventually(lambda: len(tried) == 11)
    withdrawals.listen(Change("agreement", "urn:uuid:h", True, ended=("urn:uuid:h",)))
    eventually(lambda: tried[-1] == "urn:uuid:h")
    withdrawals.stop()
    assert (len(looked), withdrawals._queue.empty()) == (1, True)


def test_a_law_that_is_away_is_asked_for_in_pauses_also_after_the_store_was_away(
    store: Store, law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "PAUSE_SECONDS", 0.05)
    asked: list[int] = []

    def stale(now: int) -> Reason:
        asked.append(now)
        return Reason("law_stale", "no heartbeat")

    monkeypatch.setattr(law, "stale", stale)
    marked: list[str] = []
    away = [Unavailable("the store is away")] * 3

    def mark(ground: str, *_given: Any) -> list[Result]:
        if away:
            raise away.pop()
        marked.append(ground)
        return []

    monkeypatch.setattr(store.marks, "withdraw", mark)
    withdrawals = withdrawals_of(store, law)
    withdrawals.start()
    for ground in ("urn:uuid:g", "urn:uuid:h"):
        withdrawals.listen(Change("agreement", ground, True, ended=(ground,)))
    eventually(lambda: marked == ["urn:uuid:g", "urn:uuid:h"])
    first, begun = len(asked), clock.now()
    eventually(lambda: len(asked) >= first + 4)
    withdrawals.stop()
    assert clock.now() - begun > 100_000, "it does not ask all the time"


def test_a_kill_before_all_is_told_leaves_it_to_the_next_start(
    store: Store, measures: Measures, law: LawTable, agree: Agree
) -> None:
    identifier = proposal(store, measures)
    measures.approve(identifier, OFFICER, None)
    ended = agree(1, state="ended")

    def killed(_results: object, _measures: object) -> Following:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Withdrawals(store, law, killed, lambda: None, lambda: None, lambda *_gone: None).withdraw(ended.id)
    assert measures.get(identifier).measure.state == "published"
    withdrawals = withdrawals_over(store, measures, law)
    withdrawals.start()
    eventually(lambda: measures.get(identifier).measure.state == "withdrawn")
    withdrawals.stop()
    assert published(store) == ["nl.dmi.measure.published.v1", "nl.dmi.measure.withdrawn.v1"]


@pytest.fixture
def over(store: Store, measures: Measures, times: Times) -> str:
    """A measure whose time is over, with what was seen after it."""
    identifier = proposal(store, measures)
    measures.approve(identifier, OFFICER, None)
    stream, moments = "garages.centrum.occupancy", range(-30, 80, 5)
    seen = [Reading(stream, GARAGES, "occupancy", NOW + m * MINUTE, 92.0, NOOR) for m in moments]
    store.observations.save([], seen, {}, {})
    times.at = NOW + 60 * MINUTE + SEEN_AFTER
    measures.expire()
    return identifier


@pytest.mark.parametrize("right", ["erasure", "rectification"])
def test_a_measure_that_is_over_tells_no_figure_of_who_was_erased_or_corrected(
    store: Store,
    measures: Measures,
    over: str,
    gate: Gate,
    opening: Callable[[], Opening],
    withdrawals: Withdrawals,
    corrected: SubjectRequest,
    law: LawTable,
    right: str,
) -> None:
    views = Views(store, Atlas(store.observations, law), Book(store, gate))
    measures.evaluate_all()
    before = measures.get(over)
    assert views.measure(before, opening())["properties"]
    assert before.look_back is not None
    if right == "erasure":
        request = msgspec.structs.replace(corrected, id="urn:uuid:erased", right=right)
        law.apply(request)
        take_back(withdrawals, request)
    else:
        withdrawals.withdraw(corrected.id)
    after = measures.get(over)
    assert (after.measure.state, after.measure.properties, after.look_back) == ("expired", {}, None)
    for row in (before, after):
        # Also where it was read a moment before the marks were written.
        row = msgspec.structs.replace(row, withdrawn_at=1, withdrawn_ground=after.withdrawn_ground)
        shown = views.measure(row, opening())
        assert (shown["withdrawn"], shown["properties"], shown["look_back"]) == (True, {}, None)
    measures.evaluate_all()
    assert measures.get(over).look_back is None, "nothing is looked back on that fell"


def test_what_was_seen_after_a_measure_is_not_kept_when_it_falls_meanwhile(
    store: Store,
    measures: Measures,
    over: str,
    withdrawals: Withdrawals,
    corrected: SubjectRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = store.measures.look_back
    reached: list[str] = []

    def late(identifier: str, seen: dict[str, Any]) -> None:
        reached.append(identifier)
        withdrawals.withdraw(corrected.id)
        keep(identifier, seen)

    monkeypatch.setattr(store.measures, "look_back", late)
    measures.evaluate_all()
    assert (reached, measures.get(over).look_back) == ([over], None)


def test_what_was_learned_of_a_person_goes_with_the_marks(
    store: Store, measures: Measures, law: LawTable, agree: Agree
) -> None:
    consent = agree(7, assigner=NOOR)
    body = {"name": "a", "flow": 1.0, "level": None, "load": None}
    store.results.save([Result("crowd:a", CROWD, "", "a", NOW, Grounds([GARAGES], [], [consent.id]), body)])
    store.results.save_scores(GARAGES, {"overall": []})
    unlearned: list[tuple[str, str | None]] = []
    follow = Aftermath(measures)
    agree(7, assigner=NOOR, state="ended")

    def unlearn(dataset: str, person: str | None) -> None:
        unlearned.append((dataset, person))

    Withdrawals(store, law, follow, lambda: None, lambda: None, unlearn).withdraw(consent.id)
    assert unlearned == [(GARAGES, None)]
    assert store.results.scores() == {}
