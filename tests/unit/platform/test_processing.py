"""What becomes of messages: gate, outcomes, rejects, replay, lineage."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.identity import Identity
from dmi_platform import processing
from dmi_platform.processing import FEATURES_TOPIC, RAW_TOPIC

from .conftest import (
    AREAS,
    BICYCLES,
    GARAGES,
    MINUTE,
    NOON,
    NOOR,
    OWNER,
    SAM,
    STACK,
    VENDOR,
    counts,
    stream,
    thing,
)

if TYPE_CHECKING:
    from .conftest import City


THIRTY = {"@value": "30", "@type": "xsd:integer"}


def outcome(city: City, identifier: str = "b") -> dict[str, Any]:
    found: dict[str, Any] = city.get(f"/v1/outcomes/{identifier}").json()
    return found


def rejects(city: City, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = city.get("/v1/rejects", **parameters).json()["items"]
    return found


def reasons(found: dict[str, Any]) -> dict[str, int]:
    return {item["reason"]: item["count"] for item in found["reasons"]}


def test_areas_that_others_draw_stay_features_of_their_dataset_and_label_nobodys_rows(garages: City) -> None:
    ring = [[5, 52], [5.2, 52], [5.2, 52.2], [5, 52.2], [5, 52]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    garages.lay_down(Feature("BU1", "neighbourhood", "Centrum", shape))
    garages.tell(GARAGES, Feature("ZZ9", "neighbourhood", "Mine", shape, {}, NOON - MINUTE))
    garages.hand_in(counts("centrum", 1.0))
    items = garages.get("/v1/latest", dataset=GARAGES).json()["items"]
    assert [item["neighbourhood"] for item in items] == ["BU1"]
    own = garages.get("/v1/features", dataset=GARAGES, kind="neighbourhood").json()["features"]
    assert [feature["id"] for feature in own] == ["ZZ9"]
    # The owner takes the entry out of the areas: from the next row on it labels nothing either.
    garages.law(Dataset(AREAS, OWNER, {"nl": "Buurten"}, layer="points"))
    garages.hand_in(counts("centrum", 2.0, begin=NOON + MINUTE))
    items = garages.get("/v1/latest", dataset=GARAGES).json()["items"]
    assert [item["neighbourhood"] for item in items] == [None]


def test_rows_are_stored_flagged_and_passed_on_in_one_message(garages: City) -> None:
    garages.hand_in(counts("centrum", 10, 120, None))
    ((topic, value),) = garages.outgoing()
    assert topic == "dmi.observations.harmonised.v1"
    passed = msgspec.json.decode(value, type=ObservationBatch)
    assert passed.result == [10.0, 120.0, None]
    assert passed.flags is not None
    assert passed.flags["range"] == [1, 3, 9]
    assert passed.longitude == [5.1] * 3
    assert outcome(garages) == {"read": 3, "accepted": 3, "duplicate": 0, "rejected": 0, "reasons": []}


def test_a_message_delivered_again_counts_nothing_new_and_passes_nothing_on(garages: City) -> None:
    (message,) = garages.hand_in(counts("centrum", 1, 2))
    garages.handler._reached.clear()
    garages.handler.handle([message])
    assert len(garages.outgoing()) == 1
    assert outcome(garages)["accepted"] == 2
    assert outcome(garages)["duplicate"] == 0


def test_messages_of_a_log_that_was_lost_and_began_anew_are_no_repeats(garages: City) -> None:
    garages.hand_in(counts("centrum", 1, 2, 3, batch_id="old"))
    garages.handler.positions()
    garages._offsets = dict.fromkeys(garages._offsets, 0)
    garages.tell(GARAGES, stream("garages.new.occupancy"))
    garages.hand_in(counts("centrum", 4, begin=NOON + 9 * MINUTE, batch_id="new"))
    assert outcome(garages, "new")["accepted"] == 1
    assert garages.handler.positions() == {(RAW_TOPIC, 0): 1, (FEATURES_TOPIC, 0): 1}


def test_an_outcome_is_for_owner_contributor_and_operator_and_for_nobody_else(garages: City) -> None:
    garages.contributor = VENDOR
    garages.hand_in(counts("centrum", 1, batch_id="imp/0"))
    garages.contributor = OWNER
    garages.hand_in(counts("centrum", 2, begin=NOON + MINUTE, batch_id="imp/1"))

    def told(participant: str, role: str = "dmi:role:vendor") -> int | None:
        garages.identity = Identity(participant, "Someone", frozenset({role}))
        answer = garages.get("/v1/outcomes/imp")
        return None if answer.status_code == 404 else answer.json()["read"]

    assert told(OWNER) == 2
    assert told(VENDOR) == 1
    assert told(STACK, "dmi:role:operator") == 2
    unknown = garages.get("/v1/outcomes/nothing").json()
    for stranger in (NOOR, SAM, STACK):
        assert told(stranger) is None
        refused = garages.get("/v1/outcomes/imp").json()
        assert {**refused, "instance": ""} == {**unknown, "instance": ""}, (
            "it cannot be told from one that is not"
        )


def test_a_mixed_batch_gives_its_good_rows_and_keeps_the_others_by_number(garages: City) -> None:
    batch = counts("centrum", 1, 2, 3, 4)
    names = [*batch.datastream[:1], "nowhere", *batch.datastream[2:]]
    garages.hand_in(counts("centrum", 9, batch_id="first"), msgspec.structs.replace(batch, datastream=names))
    found = outcome(garages)
    assert (found["accepted"], reasons(found)) == (2, {"conflict": 1, "unknown_datastream": 1})
    kept = {item["reason"]: item for item in rejects(garages)}
    assert kept["unknown_datastream"]["row_numbers"] == [1]
    assert kept["unknown_datastream"]["about"] == "nowhere"
    assert kept["conflict"]["row_numbers"] == [0]
    assert {topic for topic, _ in garages.outgoing()} == {
        "dmi.observations.harmonised.v1", "dmi.observations.raw.v1.rejected",
    }  # fmt: skip


def test_small_messages_are_merged_but_each_keeps_its_own_outcome(garages: City) -> None:
    first = counts("centrum", 1, 2, batch_id="imp/0")
    second = counts("centrum", 2, 3, 4, begin=NOON + MINUTE, batch_id="imp/1")
    third = msgspec.structs.replace(counts("pr-noord", 7, batch_id="imp/2"), datastream=["nowhere"])
    garages.hand_in(first, second, third)
    assert len([topic for topic, _ in garages.outgoing() if not topic.endswith("rejected")]) == 1
    assert [outcome(garages, f"imp/{n}")["accepted"] for n in range(3)] == [2, 2, 0]
    assert outcome(garages, "imp/1")["duplicate"] == 1
    whole = outcome(garages, "imp")
    assert whole["read"] == 6 == whole["accepted"] + whole["duplicate"] + whole["rejected"]


def test_observations_that_came_before_their_datastream_are_taken_when_it_comes(garages: City) -> None:
    garages.hand_in(msgspec.structs.replace(counts("x", 5, 6), datastream=["garages.new.occupancy"] * 2))
    assert reasons(outcome(garages)) == {"unknown_datastream": 2}
    garages.tell(GARAGES, thing("garages.new"), stream("garages.new.occupancy"))
    assert outcome(garages) == {"read": 2, "accepted": 2, "duplicate": 0, "rejected": 0, "reasons": []}
    assert rejects(garages, pending=True) == []


def test_a_refused_batch_is_kept_with_the_reason_and_taken_when_there_is_an_agreement(city: City) -> None:
    city.hand_in(counts("centrum", 5))
    (kept,) = rejects(city)
    assert kept["reason"] == "refused"
    assert kept["detail"].startswith("no_agreement")
    assert reasons(outcome(city)) == {"refused": 1}
    assert city.outgoing() == []
    city.agree(GARAGES, "dmi:process")
    city.tell(GARAGES, thing("garages.centrum"), stream("garages.centrum.occupancy"))
    answer = city.client.post(f"/v1/rejects/{kept['id']}/replay")
    assert answer.json()["accepted"] == 1
    assert outcome(city)["accepted"] == 1
    again = city.client.post(f"/v1/rejects/{kept['id']}/replay")
    assert (again.status_code, again.json()["type"]) == (409, "urn:dmi:problem:not-replayable")


def test_after_the_stop_batches_are_refused_and_the_reason_names_the_agreement(city: City) -> None:
    state = city.agree(GARAGES, "dmi:process")
    city.tell(GARAGES, thing("garages.centrum"), stream("garages.centrum.occupancy"))
    city.end(state)
    city.hand_in(counts("centrum", 5))
    assert rejects(city)[0]["detail"].startswith("ended")
    refused = [r for r in city.records if isinstance(r, DecisionRecord) and not r.allowed]
    assert refused[-1].agreements == [state.id]


def test_a_law_that_is_not_known_holds_the_batch_back_instead_of_refusing_it(garages: City) -> None:
    garages.runtime.law.table._heartbeat = None
    message = garages.received("dmi.observations.raw.v1", msgspec.json.encode(counts("centrum", 5)))
    with pytest.raises(Unavailable):
        garages.handler.handle([message])
    garages.beat()
    garages.handler.handle([message])
    assert outcome(garages)["accepted"] == 1


def test_a_message_that_is_faster_than_its_law_waits_for_it(city: City) -> None:
    city.sent = clock.to_text(clock.now())
    concluded = threading.Timer(0.3, lambda: city.agree(GARAGES, "dmi:process"))
    concluded.start()
    city.tell(GARAGES, thing("garages.centrum"), stream("garages.centrum.occupancy", capacity=100))
    city.hand_in(counts("centrum", 1, 2))
    assert outcome(city)["accepted"] == 2
    assert rejects(city) == []


@pytest.mark.parametrize("sent", ["now", "an hour ago", "no time at all"])
def test_a_message_without_any_law_is_refused_after_a_while(
    city: City, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    # That nothing was waited for is counted, not timed: on a busy machine everything takes its time.
    def look(seconds: float) -> None:
        looks.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(processing, "time", SimpleNamespace(sleep=look))
    moments = {"now": clock.to_text(clock.now()), "an hour ago": clock.to_text(clock.now() - 3600 * 10**6)}
    city.sent = moments.get(sent, sent)
    begun = time.monotonic()
    city.hand_in(counts("centrum", 1))
    assert reasons(outcome(city)) == {"refused": 1}
    assert bool(looks) == (sent == "now")
    assert not looks or time.monotonic() - begun > 1


def test_what_cannot_be_read_is_kept_and_the_rest_goes_on(garages: City) -> None:
    bad = [
        b"",
        b"{",
        b'{"dataset":1}',
        b"[" * 100_000,
        b'{"dataset":"d","datastream":["a"],"phenomenon_time":[],"result":[]}',
    ]
    messages = [garages.received("dmi.observations.raw.v1", value) for value in bad]
    good = garages.received("dmi.observations.raw.v1", msgspec.json.encode(counts("centrum", 5)))
    garages.handler.handle([*messages, good])
    assert outcome(garages)["accepted"] == 1
    garages.identity = Identity(STACK, "Operator", frozenset({"dmi:role:operator"}))
    assert [item["reason"] for item in rejects(garages)] == ["unreadable"] * len(bad)
    number = rejects(garages)[0]["id"]
    assert garages.client.post(f"/v1/rejects/{number}/replay").status_code == 409


def test_another_dataset_cannot_write_to_a_datastream_or_take_its_id(garages: City) -> None:
    other = "urn:dmi:dataset:sensorbedrijf:crowd"
    garages.law(Dataset(other, OWNER, {"nl": "Drukte"}))
    garages.agree(other, "dmi:process")
    garages.tell(other, stream("garages.centrum.occupancy"))
    assert [item["reason"] for item in rejects(garages)] == ["other_dataset"]


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (msgspec.structs.replace(thing("a"), kind="spaceship"), "unknown_kind"),
        (msgspec.structs.replace(thing("a"), id=""), "bad_id"),
        (msgspec.structs.replace(thing("a"), id="a\x00b"), "bad_id"),
        (thing("a", 52.1, 500.0), "bad_geometry"),
        (msgspec.structs.replace(thing("a"), valid_from=5, valid_to=5), "bad_validity"),
        (msgspec.structs.replace(stream("a.b"), properties={"thing": "a"}), "incomplete_datastream"),
    ],
)
def test_a_bad_feature_is_kept_with_its_reason_and_the_good_ones_are_taken(
    garages: City, feature: Any, reason: str
) -> None:
    garages.tell(GARAGES, feature, thing("garages.good"))
    assert [item["reason"] for item in rejects(garages)] == [reason]
    listed = garages.get("/v1/features", kind="thing", dataset=GARAGES).json()["features"]
    assert "garages.good" in [item["id"] for item in listed]


def test_lineage_is_told_once_for_the_dataset_and_each_datastream(garages: City) -> None:
    garages.hand_in(counts("centrum", 1))
    garages.hand_in(counts("centrum", 2, begin=NOON + MINUTE), counts("pr-noord", 2))
    told = [record for record in garages.records if isinstance(record, Lineage)]
    assert [item.result for item in told] == [
        GARAGES,
        "garages.centrum.occupancy",
        "garages.pr-noord.occupancy",
    ]
    assert told[1].grounds.results == [GARAGES]
    assert told[0].grounds.agreements == told[1].grounds.agreements != []


def test_lineage_is_told_again_when_the_agreement_changes(city: City) -> None:
    first = city.agree(GARAGES, "dmi:process")
    named = msgspec.structs.replace(stream("garages.centrum.occupancy"), name="Bezetting Centrum")
    city.tell(GARAGES, thing("garages.centrum"), named)
    city.hand_in(counts("centrum", 1))
    city.end(first)
    second = city.agree(GARAGES, "dmi:process")
    city.hand_in(counts("centrum", 2, begin=NOON + MINUTE))
    told = [record for record in city.records if isinstance(record, Lineage) and record.result == GARAGES]
    assert [item.grounds.agreements for item in told] == [[first.id], [second.id]]
    titles = [record.title for record in city.records if isinstance(record, Lineage) and record not in told]
    assert titles == ["Bezetting Centrum"] * 2


def rides(*subjects: str | None) -> ObservationBatch:
    rows = len(subjects)
    return ObservationBatch(
        BICYCLES, ["bike.1.pm2_5"] * rows, [NOON + row for row in range(rows)], [5.0] * rows,
        [5.1] * rows, [52.1] * rows, list(subjects), batch_id="ride",
    )  # fmt: skip


def test_rows_of_persons_without_consent_are_counted_but_not_kept(city: City) -> None:
    city.agree(BICYCLES, "dmi:process", basis="consent")
    city.agree(BICYCLES, "dmi:process", assigner=NOOR, basis="consent")
    city.tell(BICYCLES, stream("bike.1.pm2_5", "pm2_5", "ug/m3"))
    city.hand_in(rides(NOOR, SAM, None))
    found = outcome(city, "ride")
    assert (found["read"], found["accepted"], reasons(found)) == (3, 1, {"no_consent": 2})
    assert rejects(city) == []
    ((_, value),) = city.outgoing()
    assert SAM.encode() not in value


def test_a_municipality_sees_rejects_of_its_own_datasets_and_a_vendor_does_not(city: City) -> None:
    city.hand_in(counts("centrum", 5))
    (kept,) = rejects(city)
    assert city.get(f"/v1/rejects/{kept['id']}").json()["payload"]["result"] == [5.0]
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    assert rejects(city) == []
    assert city.get(f"/v1/rejects/{kept['id']}").status_code == 404
    assert city.client.post(f"/v1/rejects/{kept['id']}/replay").status_code == 404


def test_rows_of_persons_are_not_shown_in_a_reject(city: City) -> None:
    city.hand_in(rides(NOOR))
    (kept,) = rejects(city, dataset=BICYCLES)
    assert city.get(f"/v1/rejects/{kept['id']}").json()["payload"] is None


def test_refused_features_that_were_erased_since_are_not_there_to_be_replayed(city: City) -> None:
    jan, piet = thing("garages.jan"), thing("garages.piet")
    city.tell(GARAGES, jan, piet)
    city.tell(GARAGES, msgspec.structs.replace(jan, name="Fiets van Jan"))
    unreadable = city.received(FEATURES_TOPIC, b'{"dataset": 1, "features": [{"id": "garages.jan"}]}')
    city.handler.handle([unreadable])
    assert len(rejects(city)) == 3
    city.tell(GARAGES, Feature("garages.jan", "thing", "erased", valid_to=1, replaces_all=True))
    (kept,) = rejects(city)
    (one,) = city.get(f"/v1/rejects/{kept['id']}").json()["payload"]["features"]
    assert one["id"] == "garages.piet"
    city.agree(GARAGES, "dmi:process")
    assert city.client.post(f"/v1/rejects/{kept['id']}/replay").json()["accepted"] == 1
    store = city.handler._store
    assert [one.name for one in store.features(GARAGES, "thing", "", 10, clock.now())] == ["garages.piet"]


def test_a_term_deletes_what_is_older(city: City) -> None:
    duty = {
        "action": "dmi:deleteAfter",
        "constraint": [{"leftOperand": "dmi:days", "operator": "eq", "rightOperand": THIRTY}],
    }  # fmt: skip
    first = city.agree(GARAGES, "dmi:process", "dmi:read")
    city.tell(GARAGES, thing("garages.centrum"), stream("garages.centrum.occupancy"))
    city.hand_in(counts("centrum", 1, 2))
    retention = city.runtime.parts[2]
    assert retention.round() == 0  # type: ignore[attr-defined]
    city.end(first)
    city.agree(GARAGES, "dmi:process", duty=[duty])
    city.beat()
    assert retention.round() == 2  # type: ignore[attr-defined]
    assert city.identity.participant == OWNER
