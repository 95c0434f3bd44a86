"""Measures: proposed by rules, decided by people, told, ended, and looked back on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.contracts.results import Grounds, Measure
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import Conflict, InputRefused, Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.deciding import allow
from dmi_support_centre.grounds import Book
from dmi_support_centre.handlers import Views
from dmi_support_centre.looking_back import CROWD_SEEN_AFTER, SEEN_AFTER
from dmi_support_centre.measuring import Measures
from dmi_support_centre.model import CROWD as CROWD_KIND
from dmi_support_centre.model import DAY, FORECAST, MEASURE, MINUTE, Reading, Result
from dmi_support_centre.models.crowd import Level
from dmi_support_centre.models.measures import Automatic, CrowdRule, GarageRule
from dmi_support_centre.routes.rules import parse_rule
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import RuleRow, Step
from dmi_support_centre.store.results import Tracked
from tests.unit.support_centre.laws import GARAGES, NOOR, NOW, OWNER, PIET, Agree, Times, withdrawals_over

Door = Callable[..., Opening]
PERIODS = ("before", "during", "after")
AHEAD = clock.from_text("2099-01-01T00:00:00Z")
OFFICER = Identity(OWNER, "Fatima", frozenset({"dmi:role:municipality"}))


@pytest.fixture
def views(store: Store, gate: Gate) -> Views:
    book = Book(store, gate)
    return Views(store, Atlas(store.observations, gate.law), book)


def forecast(
    store: Store, slug: str, p50: float, at: int = NOW, agreement: int = 1, consents: Sequence[str] = ()
) -> None:
    items = [
        {
            "horizon_min": h,
            "valid_at": at + h * MINUTE,
            "p10": p50 - 5,
            "p50": p50,
            "p90": p50 + 2,
            "note": "",
        }
        for h in (15, 30, 45, 60)
    ]
    body = {
        "name": slug,
        "datastream": f"garages.{slug}.occupancy",
        "unit": "1",
        "capacity": 100.0,
        "items": items,
    }
    grounds = Grounds([GARAGES], [f"urn:uuid:00000000-0000-4000-8000-{agreement:012d}"], list(consents))
    store.results.save(
        [Result(f"forecast:garages.{slug}", FORECAST, slug, f"garages.{slug}", at, grounds, body)]
    )


def proposal(store: Store, measures: Measures) -> str:
    forecast(store, "centrum", 99.0)
    forecast(store, "pr-noord", 30.0)
    measures.evaluate_all()
    [row] = store.measures.measures()
    assert row.measure.state == "proposed"
    return row.measure.id


def test_a_full_garage_with_room_at_the_hub_leads_to_one_proposal(store: Store, measures: Measures) -> None:
    proposal(store, measures)
    measures.evaluate_all()
    [row] = store.measures.measures()
    assert (row.measure.rule, row.measure.place) == ("garage-full", "garages.centrum")
    assert row.measure.properties["hub"] == "garages.pr-noord"
    assert row.measure.grounds.datasets == [GARAGES]
    assert row.measure.grounds.results == ["forecast:garages.pr-noord", "forecast:garages.centrum"]
    result = store.results.get(row.measure.id)
    assert result is not None
    assert result.title == f"centrum: {row.measure.title['nl']}"


def test_who_may_not_publish_about_the_data_decides_nothing(store: Store, measures: Measures) -> None:
    """The role of an analyst alone, with a participant that has no agreement about the garages, is not enough."""
    stranger = Identity("urn:dmi:participant:stranger", "Vreemd", frozenset({"dmi:role:analyst"}))
    identifier = proposal(store, measures)
    for decide in (
        lambda: measures.approve(identifier, stranger, None),
        lambda: measures.reject(identifier, stranger, ""),
    ):
        with pytest.raises(Refused):
            decide()
    for rule in (row.rule for row in store.measures.rules()):
        with pytest.raises(Refused):
            measures.check_steering(stranger, rule)
        measures.check_steering(OFFICER, rule)
    assert measures.get(identifier).measure.state == "proposed"


def test_a_rule_about_no_known_place_is_made_by_nobody_and_left_to_who_made_it_so(measures: Measures) -> None:
    """Its place may come back with its data, and with it the right that counts."""
    gone = GarageRule("gone", "nowhere", "garages.pr-noord")
    with pytest.raises(InputRefused) as refused:
        measures.check_steering(OFFICER, gone)
    assert refused.value.errors[0].field == "place"
    row = RuleRow(gone, {"nl": "", "en": ""}, OWNER, NOW)
    measures.check_standing(OFFICER, row)
    with pytest.raises(Refused, match="not known any more"):
        measures.check_standing(OFFICER, msgspec.structs.replace(row, changed_by="urn:dmi:participant:other"))


def test_a_garage_with_room_leads_to_no_proposal(store: Store, measures: Measures) -> None:
    forecast(store, "centrum", 60.0)
    forecast(store, "pr-noord", 30.0)
    measures.evaluate_all()
    assert store.measures.measures() == []


def test_an_approved_measure_is_published_and_stands_in_the_feed_without_names(
    store: Store, measures: Measures, views: Views, told: list[Message]
) -> None:
    identifier = proposal(store, measures)
    assert views.feed()["items"] == []
    row = measures.approve(identifier, OFFICER, NOW + 40 * MINUTE)
    assert (row.measure.state, row.decided_name, row.measure.valid_to) == (
        "published",
        "Fatima",
        NOW + 40 * MINUTE,
    )
    assert [message.envelope.type for message in told] == ["nl.dmi.measure.published.v1"]
    [shown] = views.feed()["items"]
    assert "Fatima" not in str(shown)
    assert OWNER not in str(shown)
    with pytest.raises(Conflict):
        measures.approve(identifier, OFFICER, None)


def test_an_end_that_is_past_or_too_far_is_refused(store: Store, measures: Measures) -> None:
    identifier = proposal(store, measures)
    for until in (NOW, NOW + 25 * 60 * MINUTE):
        with pytest.raises(Conflict):
            measures.approve(identifier, OFFICER, until)


def test_a_rejected_proposal_keeps_its_reason_and_is_not_made_again(
    store: Store, measures: Measures, told: list[Message]
) -> None:
    row = measures.reject(proposal(store, measures), OFFICER, "markt")
    assert (row.measure.state, row.measure.properties["reason"]) == ("rejected", "markt")
    measures.evaluate_all()
    assert len(store.measures.measures()) == 1
    assert told == []


def test_a_measure_expires_when_its_time_is_over(
    store: Store, measures: Measures, times: Times, told: list[Message], views: Views
) -> None:
    measures.approve(proposal(store, measures), OFFICER, None)
    times.at = NOW + 61 * MINUTE
    measures.expire()
    assert [row.measure.state for row in store.measures.measures()] == ["expired"]
    assert [message.envelope.type for message in told][-1] == "nl.dmi.measure.expired.v1"
    assert views.feed()["items"] == []


def test_a_measure_of_persons_rows_is_published_and_looked_back_on_as_these_persons_consent(
    store: Store, measures: Measures, times: Times, law: LawTable, agree: Agree
) -> None:
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True))
    hers = agree(2, assigner=NOOR)
    agree(3, assigner=PIET)
    agree(4, assigner=PIET, assignee=OWNER)
    for slug, share in (("centrum", 99.0), ("pr-noord", 30.0)):
        forecast(store, slug, share, consents=[hers.id])
    measures.evaluate_all()
    identifier = store.measures.measures()[0].measure.id
    with pytest.raises(Refused) as refused:
        measures.approve(identifier, OFFICER, None)
    assert [reason.code for reason in refused.value.reasons] == ["no_consent"]
    agree(5, assigner=NOOR, assignee=OWNER)
    measures.approve(identifier, OFFICER, None)
    forecasts = [Tracked("garages.centrum", NOW - MINUTE, NOW + 15 * MINUTE, GARAGES, 90.0, 99.0, 100.0)]
    store.results.add_track(forecasts)
    seen = [
        Reading("garages.centrum.occupancy", GARAGES, "occupancy", NOW + m * MINUTE, value, who)
        for m in range(-30, 80, 5)
        for value, who in ((92.0, NOOR), (10.0, PIET))
    ]
    store.observations.save([], seen, {}, {})
    times.at = NOW + 60 * MINUTE + SEEN_AFTER
    measures.expire()
    measures.evaluate_all()
    look_back = measures.get(identifier).look_back
    assert look_back is not None
    assert look_back["destination"]["mean_difference"] == pytest.approx(-7.0)


def test_a_measure_that_fell_with_a_persons_consent_does_not_name_it(
    store: Store, measures: Measures, law: LawTable, agree: Agree, told: list[Message]
) -> None:
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True))
    hers = agree(2, assigner=NOOR)
    agree(3, assigner=NOOR, assignee=OWNER)
    for slug, share in (("centrum", 99.0), ("pr-noord", 30.0)):
        forecast(store, slug, share, consents=[hers.id])
    measures.evaluate_all()
    identifier = store.measures.measures()[0].measure.id
    measures.approve(identifier, OFFICER, None)
    agree(2, assigner=NOOR, state="ended")
    withdrawals_over(store, measures, law).withdraw(hers.id)
    after = measures.get(identifier).measure
    assert (after.state, hers.id in str(after.properties)) == ("withdrawn", False)
    last = decode(told[-1].value, Measure)
    assert (last.state, hers.id in str((told[-1].envelope, last.properties))) == ("withdrawn", False)


def test_a_measure_is_looked_back_on_with_the_forecasts_from_before_it(
    store: Store, measures: Measures, times: Times, opening: Door, views: Views
) -> None:
    measures.approve(proposal(store, measures), OFFICER, None)
    rows = [
        Tracked("garages.centrum", NOW - MINUTE, NOW + h * MINUTE, GARAGES, 90.0, 99.0, 100.0)
        for h in (15, 30, 45)
    ]
    store.results.add_track(rows)
    seen = [
        Reading("garages.centrum.occupancy", GARAGES, "occupancy", NOW + m * MINUTE, 92.0)
        for m in range(-30, 80, 5)
    ]
    store.observations.save([], seen, {}, {})
    times.at = NOW + 60 * MINUTE + SEEN_AFTER
    measures.expire()
    measures.evaluate_all()
    [row] = [row for row in store.measures.measures() if row.measure.state == "expired"]
    assert row.look_back is not None
    assert row.look_back["destination"]["mean_difference"] == pytest.approx(-7.0)
    assert row.look_back["hub"] is None
    assert views.measure(row, opening())["place_name"]
    shown = views.measure(row, opening())["look_back"]
    assert shown["caveat"]["en"]
    assert shown["verdict"] == "within"
    assert {one["at"][-1] for one in shown["destination"]["moments"]} == {"Z"}


CROWD = {"effective_width": 2.0, "los_capacity": {"A": 20.0, "B": 40.0, "C": 60.0, "D": 80.0, "E": 100.0}}


def crowded(store: Store, measures: Measures, place: dict[str, Any]) -> str:
    """A published measure against crowding in a street whose two directions are counted each minute."""
    about = {"thing": "c.plein", "observed_property": "crowd_count", "interval_s": 60, **place}
    streams = [Feature(f"c.plein.crowd_count-{way}", "datastream", "Plein", None, about) for way in "12"]
    features = [Feature("c.plein", "thing", "Plein"), *streams]
    store.observations.save([(GARAGES, feature) for feature in features], [], {}, {})
    body = {"name": "Plein", "levels": ["E", "E"], "flow": 95.0}
    grounds = Grounds([GARAGES], ["urn:uuid:00000000-0000-4000-8000-000000000001"])
    store.results.save([Result("crowd:c.plein", CROWD_KIND, "Plein", "c.plein", NOW, grounds, body)])
    rule = CrowdRule("crowd-busy", "c.plein", threshold=Level.D)
    store.measures.put_rule(RuleRow(rule, {"nl": "", "en": ""}, OWNER, NOW))
    measures.evaluate_all()
    [row] = store.measures.measures()
    measures.approve(row.measure.id, OFFICER, None)
    return row.measure.id


def counted(store: Store, minutes: range, each: float, ways: str = "12", who: str = "") -> None:
    """Each direction counted every minute."""
    found = [
        Reading(f"c.plein.crowd_count-{way}", GARAGES, "crowd_count", NOW + m * MINUTE, each, who)
        for m in minutes
        for way in ways
    ]
    store.observations.save([], found, {}, {})


def test_a_measure_against_crowding_is_looked_back_on_before_during_and_after(
    store: Store, measures: Measures, times: Times, opening: Door, views: Views
) -> None:
    identifier = crowded(store, measures, CROWD)
    counted(store, range(-30, 0), 45.0)
    counted(store, range(0, 30), 35.0)
    counted(store, range(30, 70), 10.0)
    times.at = NOW + 30 * MINUTE + CROWD_SEEN_AFTER - 1
    measures.expire()
    measures.evaluate_all()
    assert measures.get(identifier).look_back is None, "the time after it is not over yet"
    times.at += 1
    measures.evaluate_all()
    row = measures.get(identifier)
    shown = views.measure(row, opening())["look_back"]
    assert (shown["kind"], shown["verdict"], shown["lacking"]) == ("crowd", "below", [])
    assert (shown["threshold"], shown["threshold_flow"], shown["effective_width"]) == ("D", 60.0, 2.0)
    assert {name: (shown[name]["level"], shown[name]["crowded"], shown[name]["flow"]) for name in PERIODS} == {
        "before": ("E", 30, 90.0), "during": ("D", 30, 70.0), "after": ("A", 0, 20.0),
    }  # fmt: skip
    assert shown["before"]["end"] == shown["during"]["start"] == clock.to_text(NOW)
    assert [(shown[name]["counted"], shown[name]["expected"]) for name in PERIODS] == [(30, 30)] * 3
    assert len(shown["moments"]) == 90
    assert {one["at"][-1] for one in shown["moments"]} == {"Z"}
    assert shown["caveat"]["nl"]


def test_a_look_back_on_crowding_says_what_it_lacks(
    store: Store, measures: Measures, times: Times, opening: Door, views: Views
) -> None:
    """Half a stream is no figure: after the measure one direction was counted alone."""
    identifier = crowded(store, measures, CROWD)
    counted(store, range(-30, 30), 45.0)
    counted(store, range(30, 70), 10.0, ways="1")
    times.at = NOW + 30 * MINUTE + CROWD_SEEN_AFTER
    measures.expire()
    measures.evaluate_all()
    shown = views.measure(measures.get(identifier), opening())["look_back"]
    assert (shown["verdict"], shown["lacking"]) == ("unknown", ["after"])
    after = shown["after"]
    assert (after["counted"], after["expected"], after["level"], after["enough"]) == (0, 30, None, False)
    assert shown["before"]["level"] == "E"


def test_without_the_right_to_analyse_nothing_is_looked_back_on(
    store: Store, measures: Measures, times: Times, agree: Agree, recorded: list[Any]
) -> None:
    identifier = crowded(store, measures, CROWD)
    counted(store, range(-30, 70), 45.0)
    agree(2, actions=["dmi:read"])
    held = agree(3, actions=["dmi:publish"])
    before = measures.get(identifier).measure
    grounds = msgspec.structs.replace(before.grounds, agreements=[held.id])
    store.measures.save(Step(msgspec.structs.replace(before, grounds=grounds)), "published")
    agree(1, state="ended")
    times.at = NOW + 30 * MINUTE + CROWD_SEEN_AFTER
    measures.expire()
    asked = len(recorded)
    measures.evaluate_all()
    assert measures.get(identifier).look_back is None
    assert len(recorded) == asked
    agree(4, actions=["dmi:analyse"])
    measures.evaluate_all()
    assert measures.get(identifier).look_back is not None


def test_many_measures_that_end_later_keep_none_from_being_looked_back_on(
    store: Store, measures: Measures, times: Times
) -> None:
    measures.approve(proposal(store, measures), OFFICER, None)
    [row] = store.measures.measures()
    for number in range(60):
        one = msgspec.structs.replace(
            row.measure, id=f"other-{number}", state="expired", proposed_at=NOW + MINUTE
        )
        result = Result(one.id, MEASURE, "", one.place, NOW, one.grounds, {})
        assert store.measures.begin(Step(one), result, lambda: True)
        store.measures.look_back(one.id, {})
    times.at = NOW + 60 * MINUTE + SEEN_AFTER
    measures.expire()
    measures.evaluate_all()
    assert measures.get(row.measure.id).look_back is not None


def test_without_the_right_to_publish_a_measure_stays_a_proposal(
    store: Store, measures: Measures, agree: Agree
) -> None:
    agree(2, actions=["dmi:analyse"])
    agree(1, state="ended")
    forecast(store, "centrum", 99.0, agreement=2)
    forecast(store, "pr-noord", 30.0, agreement=2)
    measures.evaluate_all()
    [row] = store.measures.measures()
    with pytest.raises(Refused):
        measures.approve(row.measure.id, OFFICER, None)
    assert measures.get(row.measure.id).measure.state == "proposed"


def test_a_measure_whose_ground_falls_away_is_taken_back_without_its_figures(
    store: Store, measures: Measures, gate: Gate, agree: Agree, told: list[Message], views: Views
) -> None:
    identifier = proposal(store, measures)
    measures.approve(identifier, OFFICER, None)
    ended = agree(1, state="ended")
    assert views.feed()["items"] == []
    withdrawals_over(store, measures, gate.law).withdraw(ended.id)
    after = measures.get(identifier).measure
    assert (after.state, "share" in after.properties) == ("withdrawn", False)
    assert ended.id in after.properties["reason"]
    assert [message.envelope.type for message in told][-1] == "nl.dmi.measure.withdrawn.v1"


def test_a_withdrawn_forecast_proposes_nothing(store: Store, measures: Measures, agree: Agree) -> None:
    forecast(store, "centrum", 99.0)
    forecast(store, "pr-noord", 30.0)
    agree(1, state="ended")
    measures.evaluate_all()
    assert store.measures.measures() == []


def test_an_automatic_rule_publishes_and_names_who_decided_that(
    store: Store, measures: Measures, told: list[Message]
) -> None:
    rule = GarageRule("garage-full", "*", "garages.pr-noord", automatic=Automatic(OWNER, NOW + 60 * MINUTE))
    store.measures.put_rule(RuleRow(rule, {"nl": "", "en": ""}, OWNER, NOW))
    forecast(store, "centrum", 99.0)
    forecast(store, "pr-noord", 30.0)
    measures.evaluate_all()
    [row] = store.measures.measures()
    assert (row.measure.state, row.measure.decided_by) == ("published", OWNER)
    assert len(told) == 1


@pytest.fixture
def automatic(store: Store) -> RuleRow:
    """The rule about full garages publishes by itself, as the officer allowed."""
    rule = GarageRule("garage-full", "*", "garages.pr-noord", automatic=allow(OFFICER, AHEAD))
    kept = store.measures.put_rule(RuleRow(rule, {"nl": "", "en": ""}, OWNER, NOW))
    assert kept is not None
    return kept


def roles_of(gate: Gate, *roles: str, active: bool = True) -> None:
    """The municipality holds these roles from now on."""
    gate.law.apply(Participant(OWNER, OWNER, list(roles), rulebook="1.0.0", active=active))


def _left(gate: Gate) -> None:
    roles_of(gate, "dmi:role:municipality", active=False)


def _another_role(gate: Gate) -> None:
    # It may still publish, as the owner of the data, and has a role that may decide: not the one it decided in.
    roles_of(gate, "dmi:role:provider", "dmi:role:analyst")


@pytest.mark.parametrize("ends", [_left, _another_role])
def test_a_rule_publishes_nothing_once_who_allowed_it_may_not_decide_any_more(
    store: Store,
    measures: Measures,
    gate: Gate,
    told: list[Message],
    automatic: RuleRow,
    ends: Callable[[Gate], None],
) -> None:
    assert measures.rule_shown(automatic)["automatic"]
    ends(gate)
    forecast(store, "centrum", 99.0)
    forecast(store, "pr-noord", 30.0)
    measures.evaluate_all()
    [row] = store.measures.measures()
    assert (row.measure.state, row.measure.decided_by, told) == ("proposed", None, [])
    assert "automatic" not in row.measure.properties, "a person who decides now did not do so by a rule"
    shown = measures.rule_shown(automatic)
    assert (shown["automatic"], shown["decided_by"]) == (False, OWNER)
    assert shown["automatic_refused"]["code"] == "wrong_role"


def test_who_holds_no_role_that_decides_neither_approves_nor_lets_a_rule_publish(
    store: Store, measures: Measures, gate: Gate
) -> None:
    """The owner of the data may publish about it; deciding is for the roles of the rulebook that do so."""
    identifier = proposal(store, measures)
    provider = Identity(OWNER, "Piet", frozenset({"dmi:role:provider"}))
    roles_of(gate, "dmi:role:provider")
    for person in (provider, OFFICER):
        with pytest.raises(Refused, match="role that decides"):
            measures.approve(identifier, person, None)
        with pytest.raises(Refused, match="role that decides"):
            measures.reject(identifier, person, "")
        with pytest.raises(Refused, match="role that decides"):
            measures.check_steering(person, store.measures.rules()[0].rule)
    assert measures.get(identifier).measure.state == "proposed"


def test_what_an_earlier_version_allowed_is_judged_by_the_roles_of_today(
    store: Store, measures: Measures, gate: Gate
) -> None:
    rule = GarageRule("old", "*", "garages.pr-noord", automatic=Automatic(OWNER, AHEAD))
    row = RuleRow(rule, {"nl": "", "en": ""}, OWNER, NOW)
    assert measures.rule_shown(row)["automatic"]
    roles_of(gate, "dmi:role:provider")
    assert not measures.rule_shown(row)["automatic"]
    nobody = msgspec.structs.replace(rule, automatic=Automatic("urn:dmi:participant:nobody", AHEAD))
    assert not measures.rule_shown(msgspec.structs.replace(row, rule=nobody))["automatic"]


def test_a_rule_marked_automatic_holds_who_sent_it_and_needs_an_end_ahead() -> None:
    body = {
        "type": "garage",
        "id": "r",
        "place": "*",
        "hub": "h",
    }
    until = clock.now() + 300 * DAY
    row = parse_rule({**body, "automatic": {"until": clock.to_text(until)}}, OFFICER)
    assert row.rule.automatic == Automatic(OWNER, until, ["dmi:role:municipality"])
    for wrong in ("2001-01-01T00:00:00Z", clock.to_text(until + 100 * DAY)):
        with pytest.raises(InputRefused) as refused:
            parse_rule({**body, "automatic": {"until": wrong}}, OFFICER)
        assert refused.value.errors[0].field == "automatic.until"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"full_share": 2.0}, "full_share"), ({"hub": 7}, "hub"), ({"colour": 1}, "body"),
        ({"title": "x"}, "title"), ({"zone": "Mars/Crater"}, "zone"),
        ({"title": {"nl": "x" * 201, "en": ""}}, "title.nl"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_rule({"type": "garage", "id": "r", "place": "*", "hub": "h", **change}, OFFICER)
    assert refused.value.errors[0].field == field


def test_a_rule_survives_the_way_through_the_store(store: Store) -> None:
    rule = GarageRule("r", "*", "h", automatic=Automatic(OWNER, 5))
    row = RuleRow(rule, {"nl": "n", "en": "e"}, OWNER, NOW)
    store.measures.put_rule(row)
    changed = msgspec.structs.replace(row, changed_by="other", version=1)
    store.measures.put_rule(changed)
    assert store.measures.rules() == [msgspec.structs.replace(changed, version=2)]
