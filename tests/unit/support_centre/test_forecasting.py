"""Rounds of forecasts on a small invented city: learned, issued, scored, and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.decision import EVERYONE
from dmi_agreements.table import LawTable
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.consumer import Flow
from dmi_support_centre.forecasting import Forecasts, indicators
from dmi_support_centre.grounds import Book, Workshop
from dmi_support_centre.handlers import Views
from dmi_support_centre.learning import Learner, LearningFailed, LearningStopped
from dmi_support_centre.model import DAY, FORECAST, MINUTE, QUARTER, Reading
from dmi_support_centre.models.forecast import History, OccupancyForecaster, PlaceHistory, series_of
from dmi_support_centre.scoring import Scores
from dmi_support_centre.store import Store
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, PIET, Agree, take_back, withdrawals_of

START = 1_700_438_400_000_000 // DAY * DAY
DAYS = 18
END = START + DAYS * DAY
STREAM = "garages.a.occupancy"
SAM = "urn:dmi:person:sam"
"""Of whom there are no rows here."""


def occupancy(at: int) -> float:
    hour = at % DAY / (60 * MINUTE)
    return float(round(20 + 60 * max(0.0, np.sin(np.pi * (hour - 6) / 14)) + (at // QUARTER * 7 % 5)))


def learn(zone: str, history: History) -> OccupancyForecaster:
    model = OccupancyForecaster(zone)
    model.fit(history)
    return model


@pytest.fixture
def learned() -> threading.Event:
    return threading.Event()


@pytest.fixture
def forecasts(store: Store, gate: Gate, agree: Agree, learned: threading.Event) -> Forecasts:
    agree(1)
    about = {"thing": "garages.a", "observed_property": "occupancy", "capacity": 100}
    features = [
        Feature("garages.a", "parking", "Garage A"),
        Feature(STREAM, "datastream", "bezetting", None, about),
    ]
    readings = [
        Reading(STREAM, GARAGES, "occupancy", at, occupancy(at)) for at in range(START, END + 1, QUARTER)
    ]
    store.observations.save([(GARAGES, feature) for feature in features], readings, {}, {})
    atlas = Atlas(store.observations, gate.law)
    withdrawals = withdrawals_of(store, gate.law)
    workshop = Workshop(store, atlas, gate, Book(store, gate), withdrawals)
    return Forecasts(
        workshop, Flow(), Scores(store, atlas, 2.0), learn, learned.set, "Europe/Amsterdam", 3600.0
    )


def first_round(forecasts: Forecasts, learned: threading.Event) -> int | None:
    assert forecasts.round(GARAGES) is None
    assert learned.wait(60)
    return forecasts.round(GARAGES)


def test_the_first_forecasts_come_with_a_score_that_says_it_is_backtested(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    gate: Gate,
    agree: Agree,
    opening: Callable[..., Opening],
    recorded: list[object],
) -> None:
    assert first_round(forecasts, learned) == END
    [result] = store.results.of_kind(FORECAST)
    assert [item["horizon_min"] for item in result.body["items"]] == list(range(15, 121, 15))
    assert all(item["p10"] <= item["p50"] <= item["p90"] for item in result.body["items"])
    agree(2, assignee=EVERYONE, actions=["dmi:read"])
    book = Book(store, gate)
    views = Views(store, Atlas(store.observations, gate.law), book)
    overall = views.scores(opening())["overall"][-1]
    assert overall["count"] == overall["backtested"] > 500
    assert overall["live"] == 0
    assert overall["mae"] < overall["mae_persistence"]
    assert [one.result for one in recorded if isinstance(one, Lineage)] == ["forecast:garages.a"]
    shown = views.forecasts(opening(), "garages.a")["items"]
    assert len(shown) == 8
    assert shown == views.forecasts(opening(), STREAM)["items"]
    assert views.forecasts(opening(), "garages.b")["items"] == []


def test_a_live_forecast_counts_as_live_once_its_moment_has_passed(
    forecasts: Forecasts, learned: threading.Event, store: Store
) -> None:
    first_round(forecasts, learned)
    for step in range(1, 7):
        at = END + step * QUARTER
        store.observations.save([], [Reading(STREAM, GARAGES, "occupancy", at, occupancy(at))], {}, {})
        assert forecasts.round(GARAGES) == at
    overall = store.results.scores()[GARAGES]["overall"][-1]
    # Of three issues after the backtest the moments up to END + 4 quarters are over: 3 + 2 + 1.
    assert overall["live"] == 6
    assert overall["live"] + overall["backtested"] == overall["count"]


def test_after_a_stop_nothing_is_forecast_and_the_published_state_holds_no_figures(
    forecasts: Forecasts, learned: threading.Event, store: Store, gate: Gate, agree: Agree
) -> None:
    first_round(forecasts, learned)
    ended = agree(1, state="ended")
    with pytest.raises(Refused) as refused:
        forecasts.round(GARAGES)
    assert refused.value.reasons[0].agreement == ended.id
    marked = []
    withdrawals_of(store, gate.law, marked).withdraw(ended.id)
    [told] = {(one.withdrawn, one.p10, one.p50, one.p90) for one in indicators(marked[0])}
    assert told == (True, None, None, None)


def test_a_new_agreement_resumes_the_forecasts_by_itself(
    forecasts: Forecasts, learned: threading.Event, store: Store, gate: Gate, agree: Agree
) -> None:
    first_round(forecasts, learned)
    ended = agree(1, state="ended")
    withdrawals_of(store, gate.law).withdraw(ended.id)
    made = agree(5)
    assert forecasts.round(GARAGES) == END
    [result] = store.results.of_kind(FORECAST)
    assert (result.withdrawn_at, result.grounds.agreements) == (None, [made.id])


def test_a_forecast_rests_on_everyone_the_model_learned_from_and_ends_with_each_of_them(
    forecasts: Forecasts, learned: threading.Event, store: Store, law: LawTable, agree: Agree
) -> None:
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True))
    hers, his = agree(2, assigner=NOOR), agree(3, assigner=PIET)
    rows = [
        Reading(STREAM, GARAGES, "occupancy", at, occupancy(at), who)
        # Noor stopped measuring a week ago: only the model holds traces of her rows.
        for who, until in ((NOOR, END - 7 * DAY), (PIET, END))
        for at in range(START, until + 1, QUARTER)
    ]
    store.observations.save([], rows, {}, {})
    first_round(forecasts, learned)
    [result] = store.results.of_kind(FORECAST)
    assert result.grounds.consents == [hers.id, his.id]
    assert store.results.scores()[GARAGES]["grounds"]["consents"] == [hers.id, his.id]
    agree(2, assigner=NOOR, state="ended")
    learned.clear()
    assert forecasts.round(GARAGES) is None
    assert store.results.scores() == {}
    assert learned.wait(60)
    assert forecasts.round(GARAGES) == END
    [result] = store.results.of_kind(FORECAST)
    assert result.grounds.consents == [his.id]


@pytest.fixture
def erased(forecasts: Forecasts, store: Store, law: LawTable) -> Callable[[], None]:
    """Two persons measure, on another basis than consent; gives what carries out the erasure of one of them."""
    basis = "dmi:basis:public-task"
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True, basis=basis))
    store.observations.delete_before(GARAGES, END + 1)
    times = range(START, END + 1, QUARTER)
    rows = [
        Reading(STREAM, GARAGES, "occupancy", at, occupancy(at), who) for who in (NOOR, PIET) for at in times
    ]
    store.observations.save([], rows, {}, {})
    withdrawals = withdrawals_of(store, law, forget=forecasts.forget)
    request = SubjectRequest("urn:uuid:asked", NOOR, "erasure", GARAGES, END)

    def carry_out() -> None:
        law.apply(request)
        assert store.observations.erase(GARAGES, NOOR, request.until) > 0
        take_back(withdrawals, request)

    return carry_out


def test_what_is_learned_while_a_person_is_erased_is_learned_again_without_it(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    erased: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learning = []

    def slowly(zone: str, history: History) -> OccupancyForecaster:
        learning.append(history)
        if len(learning) == 1:
            erased()
        return learn(zone, history)

    monkeypatch.setattr(forecasts, "_learner", slowly)
    assert forecasts.round(GARAGES) is None
    assert learned.wait(60)
    assert (forecasts._learners.models, store.results.scores()) == ({}, {}), "it holds rows that have gone"
    learned.clear()
    assert first_round(forecasts, learned) == END
    assert forecasts._learners.models[GARAGES].persons == {PIET}
    assert len(store.results.of_kind(FORECAST)) == 1


@pytest.mark.parametrize("person", [SAM, None])
def test_what_is_learned_the_first_time_is_kept_when_rows_of_a_person_go_that_it_does_not_hold(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    erased: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    person: str | None,
) -> None:
    """Else requests that come faster than is learned would leave the city without forecasts."""

    def slowly(zone: str, history: History) -> OccupancyForecaster:
        forecasts.forget(GARAGES, person)
        return learn(zone, history)

    monkeypatch.setattr(forecasts, "_learner", slowly)
    assert forecasts.round(GARAGES) is None
    assert learned.wait(60)
    kept = person == SAM
    assert (GARAGES in forecasts._learners.models, GARAGES in store.results.scores()) == (kept, kept)
    if kept:
        assert forecasts._learners.models[GARAGES].persons == {NOOR, PIET}
        assert forecasts.round(GARAGES) == END
        assert len(store.results.of_kind(FORECAST)) == 1
    erased()
    assert forecasts._learners.models == {}


def test_a_later_model_is_not_kept_when_rows_go_with_the_scores_that_it_would_go_on_with(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first_round(forecasts, learned)
    learned.clear()

    def slowly(zone: str, history: History) -> OccupancyForecaster:
        forecasts.forget(GARAGES, SAM)
        return learn(zone, history)

    monkeypatch.setattr(forecasts, "_refit_seconds", -1.0)
    monkeypatch.setattr(forecasts, "_learner", slowly)
    assert forecasts.round(GARAGES) == END
    assert learned.wait(60)
    assert forecasts._learners.models == {}
    learned.clear()
    monkeypatch.setattr(forecasts, "_learner", learn)
    assert first_round(forecasts, learned) == END
    assert store.results.scores()[GARAGES]["overall"][-1]["backtested"] > 500


def test_what_is_forecast_while_a_person_is_erased_is_not_kept(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    erased: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forecasts.round(GARAGES)
    assert learned.wait(60)
    predict = OccupancyForecaster.predict

    def meanwhile(model: OccupancyForecaster, *given: Any) -> Any:
        found = predict(model, *given)
        erased()
        return found

    with monkeypatch.context() as during:
        during.setattr(OccupancyForecaster, "predict", meanwhile)
        forecasts.round(GARAGES)
    assert store.results.of_kind(FORECAST) == []
    learned.clear()
    assert first_round(forecasts, learned) == END
    assert len(store.results.of_kind(FORECAST)) == 1


def test_no_scores_come_back_of_forecasts_that_a_person_was_erased_after(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    erased: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between keeping a forecast and scoring it."""
    forecasts.round(GARAGES)
    assert learned.wait(60)
    tell = forecasts._book.tell

    def late(*told: Any) -> None:
        erased()
        tell(*told)

    with monkeypatch.context() as during:
        during.setattr(forecasts._book, "tell", late)
        forecasts.round(GARAGES)
    assert (store.results.track(GARAGES, 0, END + DAY, known=None), store.results.scores()) == ([], {})


def test_who_is_erased_while_forecasts_are_scored_has_the_scores_forgotten_after_it(
    forecasts: Forecasts,
    learned: threading.Event,
    store: Store,
    erased: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forecasts.round(GARAGES)
    assert learned.wait(60)
    settle, erasing = forecasts._scores._settle, threading.Thread(target=erased)

    def late(*given: Any) -> Any:
        found = settle(*given)
        erasing.start()
        # It gets as far as it can while this goes on: up to its turn.
        erasing.join(0.2)
        return found

    with monkeypatch.context() as during:
        during.setattr(forecasts._scores, "_settle", late)
        forecasts.round(GARAGES)
    erasing.join(20)
    assert not erasing.is_alive()
    assert (store.results.track(GARAGES, 0, END + DAY, known=None), store.results.scores()) == ([], {})


def test_learning_in_a_process_of_its_own_gives_the_same_model() -> None:
    at = np.arange(START, END, QUARTER)
    history = {"garages.a": PlaceHistory(series_of(at, [occupancy(int(t)) for t in at]), 100.0)}
    apart = Learner()("Europe/Amsterdam", history).predict("garages.a", END, series_of([], []))
    assert apart == learn("Europe/Amsterdam", history).predict("garages.a", END, series_of([], []))


def test_a_learner_that_was_stopped_learns_no_more() -> None:
    learner = Learner()
    learner.stop()
    with pytest.raises(LearningStopped):
        learner("Europe/Amsterdam", {})


def test_a_stop_while_learning_is_no_failure_to_learn() -> None:
    at = np.arange(START, END, QUARTER)
    history = {"garages.a": PlaceHistory(series_of(at, [occupancy(int(t)) for t in at]), 100.0)}
    learner = Learner()
    # Long before the interpreter of the process has started.
    threading.Timer(0.05, learner.stop).start()
    with pytest.raises(LearningStopped):
        learner("Europe/Amsterdam", history)


def test_a_process_that_ends_by_itself_is_a_failure_to_learn() -> None:
    with pytest.raises(LearningFailed, match="ended with 1"):
        Learner()("no such zone", {"garages.a": "no history"})  # type: ignore[dict-item]
