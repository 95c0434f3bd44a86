"""A vendor acts for a municipality within a mandate: what it covers passes, all else is refused and recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from dmi_exchange import ishare
from dmi_infra import clock, jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.integration.newcomer import Newcomer, join, publish
from tests.stack_plugin import EmbeddedStack

MOBILITY = "dmi:purpose:mobility"


@dataclass(frozen=True)
class Scene:
    """A city with two datasets, its vendor, and the vendor's own supplier."""

    city: Newcomer
    vendor: Newcomer
    supplier: Newcomer
    things: str
    other: str


@pytest.fixture(scope="module")
def scene(embedded_stack: EmbeddedStack) -> Scene:
    city = join(embedded_stack, "mandating-city", ["dmi:role:municipality", "dmi:role:provider"])
    vendor = join(embedded_stack, "mandated-vendor", ["dmi:role:vendor"])
    supplier = join(embedded_stack, "mandated-supplier", ["dmi:role:vendor"])
    things, other = (publish(embedded_stack, city, name, purpose=MOBILITY) for name in ("things", "other"))
    return Scene(city, vendor, supplier, things, other)


def wanted(scene: Scene, mandatary: Newcomer | None = None, **change: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "mandatary": (mandatary or scene.vendor).id,
        "actions": ["dmi:read"],
        "datasets": [scene.things],
        "purposes": [MOBILITY],
        "from": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(days=30)).isoformat(),
        **change,
    }


def give(giver: Newcomer, body: dict[str, Any]) -> str:
    drafted = giver.ask("POST", "/exchange/v1/mandates/draft", json=body)
    assert drafted.status_code == 200, drafted.text
    document = drafted.json()
    jws = giver.key.sign_document(document)
    given = giver.ask("POST", "/exchange/v1/mandates", json={"document": document, "jws": jws})
    assert given.status_code == 201, given.text
    time.sleep(0.3)
    identifier: str = given.json()["id"]
    return identifier


def token(who: Newcomer, mandate: str | None, assertion: str | None = None) -> httpx.Response:
    address = f"{who.url}/exchange/token"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion or jose.make_assertion(who.key, who.id, address, int(time.time())),
    }
    return httpx.post(address, data=form | ({"mandate": mandate} if mandate else {}))


def acting(who: Newcomer, mandate: str) -> Newcomer:
    answer = token(who, mandate)
    assert answer.status_code == 200, answer.text
    return replace(who, token=answer.json()["access_token"], renews=False)


def read(who: Newcomer, dataset: str, **options: Any) -> httpx.Response:
    return who.ask("GET", f"/platform/v1/latest?dataset={dataset}", **options)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_within_its_mandate_a_vendor_gets_what_the_city_may_have_and_nothing_else(scene: Scene) -> None:
    assert code(read(scene.vendor, scene.things)) == (403, "no-agreement")
    for_city = acting(scene.vendor, give(scene.city, wanted(scene)))
    assert read(for_city, scene.things).status_code == 200
    for refused in (
        read(for_city, scene.other),
        read(for_city, scene.things, headers={"DMI-Purpose": "dmi:purpose:research"}),
        for_city.ask("GET", f"/platform/v1/export?dataset={scene.things}"),
        for_city.ask("GET", f"/visualisation/v1/layers/{scene.things}/features"),
    ):
        assert code(refused) == (403, "outside-mandate")


def test_a_mandate_opens_no_door_but_the_gates(scene: Scene) -> None:
    for_city = acting(scene.vendor, give(scene.city, wanted(scene)))
    for method, path in (
        ("GET", "/exchange/v1/agreements"), ("GET", "/exchange/v1/log"), ("GET", "/exchange/v1/mandates"),
        ("POST", "/exchange/v1/mandates/draft"), ("GET", "/platform/v1/rejects"), ("GET", "/ingest/v1/imports"),
        ("GET", "/support-centre/v1/scenarios"), ("POST", "/exchange/v1/datasets"),
        ("POST", f"/exchange/v1/participants/{scene.city.id}/signature"),
        ("POST", f"/exchange/v1/participants/{scene.city.id}/keys"),
    ):  # fmt: skip
        body = {"hosted": True} if method == "POST" else None
        answer = for_city.ask(method, path, json=body)
        assert answer.status_code == 403, path
    me = for_city.ask("GET", "/exchange/v1/me").json()
    assert (me["participant"], me["acting"], me["roles"]) == (scene.city.id, scene.vendor.id, [])


def test_an_ended_mandate_is_dead_within_a_second_also_on_an_open_stream(scene: Scene) -> None:
    mandate = give(scene.city, wanted(scene, actions=["dmi:read", "dmi:display"]))
    for_city = acting(scene.vendor, mandate)
    path = f"{scene.city.url}/visualisation/v1/layers/{scene.things}/events"
    headers = {"Authorization": f"Bearer {for_city.token}"}
    with httpx.stream("GET", path, headers=headers, timeout=20) as events:
        assert events.status_code == 200
        lines = events.iter_lines()
        next(lines)
        ended = scene.city.ask("POST", f"/exchange/v1/mandates/{mandate}/end", json={"reason": "enough"})
        begun = time.monotonic()
        assert ended.json()["ended_by"] == scene.city.id
        assert any(line == "event: ended" for line in lines)
        assert time.monotonic() - begun < 1
    # Each layer hears of it by itself.
    while read(for_city, scene.things).status_code == 200:
        assert time.monotonic() - begun < 1
    assert code(read(for_city, scene.things)) == (403, "ended")
    assert code(token(scene.vendor, mandate)) == (403, "ended")
    again = scene.city.ask("POST", f"/exchange/v1/mandates/{mandate}/end", json={})
    assert again.status_code == 409


def test_the_log_names_who_acted_and_for_whom_and_both_can_read_it(scene: Scene) -> None:
    mandate = give(scene.city, wanted(scene))
    for_city = acting(scene.vendor, mandate)
    assert read(for_city, scene.things).status_code == 200
    assert read(for_city, scene.other).status_code == 403
    time.sleep(1.5)
    for who in (scene.city, scene.vendor):
        items = who.ask("GET", "/exchange/v1/log?newest=true&limit=1000").json()["items"]
        mine = [each for each in items if each["mandate"] == mandate]
        assert {(each["assignee"], each["actor"], each["allowed"]) for each in mine} == {
            (scene.city.id, scene.vendor.id, True), (scene.city.id, scene.vendor.id, False),
        }  # fmt: skip


def test_a_mandate_is_passed_on_once_within_its_limits_and_the_chain_breaks_with_any_link(
    scene: Scene,
) -> None:
    first = give(scene.city, wanted(scene, onward=1))
    second = give(
        scene.vendor,
        wanted(
            scene, scene.supplier, parent=first, until=(datetime.now(UTC) + timedelta(days=1)).isoformat()
        ),
    )
    for_city = acting(scene.supplier, second)
    assert read(for_city, scene.things).status_code == 200
    assert code(token(scene.supplier, first)) == (403, "no-mandate")
    for change, field in (
        ({"datasets": [scene.other]}, "datasets"), ({"actions": ["dmi:export"]}, "actions"),
        ({"purposes": ["dmi:purpose:any"]}, "purposes"), ({"onward": 1}, "onward"), ({"parent": second}, "parent"),
        ({"until": (datetime.now(UTC) + timedelta(days=60)).isoformat()}, "until"),
    ):  # fmt: skip
        body = wanted(scene, scene.supplier, parent=first) | change
        answer = scene.vendor.ask("POST", "/exchange/v1/mandates/draft", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, f"document/{field}"), change
    closed = give(scene.city, wanted(scene))
    answer = scene.vendor.ask(
        "POST", "/exchange/v1/mandates/draft", json=wanted(scene, scene.supplier, parent=closed)
    )
    assert answer.status_code == 400
    scene.city.ask("POST", f"/exchange/v1/mandates/{first}/end", json={})
    time.sleep(0.5)
    assert code(read(for_city, scene.things)) == (403, "ended")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"onward": 2}, "onward"),
        ({"actions": ["dmi:fly"]}, "actions/0"),
        ({"datasets": ["urn:dmi:dataset:nobody:x"]}, "datasets/0"),
        ({"purposes": ["dmi:purpose:x"]}, "purposes/0"),
        ({"mandatary": "urn:dmi:participant:nobody"}, "mandatary"),
        ({"mandatary": "urn:dmi:participant:mandating-city"}, "mandatary"),
        ({"mandatary": "urn:dmi:person:noor"}, "mandatary"),
        ({"until": "2025-01-01T00:00:00Z"}, "until"),
        ({"until": "2036-01-01T00:00:00Z"}, "until"),
        ({"until": "2026-12-01T00:00:00"}, "until"),
        ({"from": "tomorrow"}, "from"),
    ],
)
def test_a_mandate_beyond_the_rulebook_is_not_given(scene: Scene, change: dict[str, Any], field: str) -> None:
    answer = scene.city.ask("POST", "/exchange/v1/mandates/draft", json=wanted(scene) | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (
        400, f"document/{field}",
    )  # fmt: skip


def test_nobody_gives_signs_changes_or_ends_the_mandate_of_another(scene: Scene) -> None:
    document = scene.city.ask("POST", "/exchange/v1/mandates/draft", json=wanted(scene)).json()
    by_vendor = scene.vendor.key.sign_document(document)
    jws = scene.city.key.sign_document(document)
    for who, body in (
        (scene.vendor, {"document": document, "jws": jws}),
        (scene.city, {"document": document, "jws": by_vendor}),
        (scene.city, {"document": {**document, "datasets": [scene.other]}, "jws": jws}),
        (scene.city, {"document": {**document, "extra": 1}, "jws": jws}),
        (scene.city, {"document": document, "hosted": True}),
    ):
        assert who.ask("POST", "/exchange/v1/mandates", json=body).status_code == 400
    mandate = give(scene.city, wanted(scene))
    for method, path in (("GET", ""), ("POST", "/end"), ("GET", "/evidence")):
        body = {} if method == "POST" else None
        assert (
            scene.supplier.ask(method, f"/exchange/v1/mandates/{mandate}{path}", json=body).status_code == 404
        )
    assert mandate not in scene.supplier.ask("GET", "/exchange/v1/mandates").text
    assert code(token(scene.supplier, mandate)) == (403, "no-mandate")
    assert code(token(scene.vendor, "urn:uuid:nothing")) == (403, "no-mandate")


def test_evidence_goes_out_signed_by_the_node_and_comes_in_signed_by_the_city(scene: Scene) -> None:
    mandate = give(scene.city, wanted(scene))
    told = scene.vendor.ask("GET", f"/exchange/v1/mandates/{mandate}/evidence").json()["delegation_token"]
    keys = httpx.get(f"{scene.city.url}/exchange/.well-known/jwks.json").json()["keys"]
    kid = jwt.get_unverified_header(told)["kid"]
    key = jwt.PyJWK(next(each for each in keys if each["kid"] == kid))
    out = jwt.decode(told, key, algorithms=["ES256"], audience=scene.vendor.id)
    assert out["exp"] - out["iat"] == 30
    evidence = out["delegationEvidence"]
    assert (evidence["policyIssuer"], evidence["target"]["accessSubject"]) == (scene.city.id, scene.vendor.id)

    now = int(time.time())
    claims = {
        **out,
        "iss": scene.city.id,
        "aud": EXCHANGE_PARTICIPANT,
        "iat": now,
        "exp": now + 30,
        "jti": "e1",
    }

    def hand_in(
        change: Callable[[dict[str, Any]], object], key: jose.SigningKey = scene.city.key
    ) -> httpx.Response:
        changed = json.loads(json.dumps(claims | {"jti": str(clock.now())}))
        change(changed)
        body = {"evidence": key.sign_token(changed, "JWT")}
        return scene.vendor.ask("POST", "/exchange/v1/mandates/evidence", json=body)

    policies = claims["delegationEvidence"]["policySets"][0]["policies"]
    for change in (
        lambda c: c.update(aud="urn:dmi:participant:other"),
        lambda c: c.update(exp=now + 3600),
        lambda c: c.update(iat=now - 100, exp=now - 70),
        lambda c: c["delegationEvidence"].update(policyIssuer=scene.supplier.id),
        lambda c: c["delegationEvidence"].update(surprise=1),
        lambda c: c["delegationEvidence"]["policySets"][0].update(policies=policies * 2),
        lambda c: c["delegationEvidence"]["policySets"][0]["policies"][0].update(rules=[{"effect": "Deny"}]),
        lambda c: c["delegationEvidence"]["policySets"][0].update(maxDelegationDepth=9),
        lambda c: c.pop("delegationEvidence"),
    ):
        assert hand_in(change).status_code == 400
    assert hand_in(lambda c: None, scene.vendor.key).status_code == 400
    taken = hand_in(lambda c: c.update(jti="once"))
    assert taken.status_code == 201, taken.text
    assert hand_in(lambda c: c.update(jti="once")).status_code == 409
    time.sleep(0.3)
    assert read(acting(scene.vendor, taken.json()["id"]), scene.things).status_code == 200


def test_what_is_read_of_evidence_is_what_was_written() -> None:
    from dmi_agreements.mandates import read_mandate

    uid = "urn:uuid:00000000-0000-4000-8000-000000000001"
    document = {
        "uid": uid, "type": "dmi:Mandate", "mandator": "a", "mandatary": "b", "actions": ["dmi:read"],
        "datasets": ["d"], "purposes": [MOBILITY], "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z",
        "onward": 1, "dmi:rulebook": "1.0.0",
    }  # fmt: skip
    claims = ishare.claims_of(read_mandate(document), "x", "y", 0)
    again = ishare.document_of({**claims, "iss": "a"}, "1.0.0")
    assert {**again, "uid": uid} == document


def machine(owner: Newcomer, name: str) -> Newcomer:
    """A machine with a key of its own; it has no token before a mandate gives it something to do."""
    key = jose.SigningKey.generate()
    body = {"name": name, "title": "Gateway", "key": key.public}
    made = owner.ask("POST", "/exchange/v1/machines", json=body)
    assert made.status_code == 201, made.text
    return Newcomer(made.json()["id"], name, owner.url, "", key, renews=False)


def hand_in(who: Newcomer, scene: Scene, dataset: str, minute: int) -> httpx.Response:
    stream = f"{scene.city.slug}:gate.{dataset.rpartition(':')[2]}"
    about = {"thing": stream, "observed_property": "count", "unit": "1"}
    feature = {"id": stream, "kind": "datastream", "name": "Gate", "properties": about}
    entered = who.ask("POST", "/ingest/v1/features", json={"dataset": dataset, "features": [feature]})
    if not entered.is_success:
        return entered
    times = [clock.to_text(clock.now() - minute * 60_000_000)]
    body = {"dataset": dataset, "datastream": [stream], "phenomenon_time": times, "result": [1.0]}
    return who.ask("POST", "/ingest/v1/batches", json=body)


def test_a_machine_hands_in_within_its_mandate_and_is_dead_at_once_when_its_participant_stops_it(
    scene: Scene,
) -> None:
    gateway = machine(scene.city, "gateway")
    assert token(gateway, None).json()["errors"][0]["field"] == "mandate"
    mandate = give(scene.city, wanted(scene, gateway, actions=["dmi:contribute", "dmi:sample"]))
    for_city = acting(gateway, mandate)
    taken = hand_in(for_city, scene, scene.things, 1)
    assert taken.is_success, taken.text
    assert for_city.ask("GET", f"/platform/v1/datasets/{scene.things}/sample").status_code == 200
    for refused in (hand_in(for_city, scene, scene.other, 1), read(for_city, scene.things)):
        assert code(refused) == (403, "outside-mandate")
    assert for_city.ask("GET", "/exchange/v1/machines").status_code == 403
    (listed,) = scene.city.ask("GET", "/exchange/v1/machines").json()["items"]
    assert (listed["id"], listed["active"], listed["mandates"]) == (gateway.id, True, [mandate])
    assert scene.vendor.ask("GET", "/exchange/v1/machines").json()["items"] == []
    assert gateway.id not in scene.city.ask("GET", "/exchange/v1/participants").text
    stop = f"/exchange/v1/machines/{gateway.id}/end"
    assert scene.vendor.ask("POST", stop).status_code == 404
    assert scene.city.ask("POST", stop).json()["active"] is False
    begun = time.monotonic()
    while hand_in(for_city, scene, scene.things, 2).status_code != 401:
        assert time.monotonic() - begun < 1
    assert token(gateway, mandate).status_code == 401
    assert scene.city.ask("GET", f"/exchange/v1/mandates/{mandate}").json()["state"] == "ended"
    assert scene.city.ask("POST", stop).status_code == 409


def described(dataset: str, name: str) -> dict[str, Any]:
    """A Thing with all that belongs to it, as a client library sends it."""
    place = {"type": "Point", "coordinates": [5.1, 52.1]}
    text = {"name": name, "description": name}
    unit = {"name": "vehicle", "symbol": "{vehicle}", "definition": "ucum:{vehicle}"}
    kind = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    stream = {
        **text, "observationType": kind, "unitOfMeasurement": unit,
        "Sensor": {**text, "encodingType": "text/html", "metadata": "https://example.org/loop"},
        "ObservedProperty": {"name": "occupancy", "description": "x", "definition": "https://example.org/occupancy"},
    }  # fmt: skip
    location = {**text, "encodingType": "application/geo+json", "location": place}
    return {**text, "properties": {"dataset": dataset}, "Locations": [location], "Datastreams": [stream]}


def test_a_vendor_describes_sensors_for_the_city_within_the_datasets_of_its_mandate(scene: Scene) -> None:
    things = "/ingest/v1.1/Things"
    for dataset in (scene.things, scene.other):
        made = scene.city.ask("POST", things, json=described(dataset, "of the city"))
        assert made.status_code == 201, made.text
    [foreign] = [one for one in scene.city.ask("GET", things).json()["value"] if one["@iot.id"] in made.text]
    for_city = acting(scene.vendor, give(scene.city, wanted(scene, actions=["dmi:contribute"])))
    made = for_city.ask("POST", things, json=described(scene.things, "of the vendor"))
    assert made.status_code == 201, made.text
    mine = f"{things}('{made.json()['@iot.id']}')"
    assert for_city.ask("PATCH", mine, json={"description": "moved"}).json()["description"] == "moved"
    seen = for_city.ask("GET", things).json()["value"]
    assert {one["properties"]["dataset"] for one in seen} == {scene.things}
    assert len(seen) == 2, "the city's own in the dataset as well"
    assert scene.city.ask("GET", mine).json()["description"] == "moved"
    assert scene.vendor.ask("GET", mine).status_code == 404, "it made this as the city"
    beyond = f"{things}('{foreign['@iot.id']}')"
    assert code(for_city.ask("POST", things, json=described(scene.other, "x"))) == (403, "outside-mandate")
    assert for_city.ask("GET", beyond).status_code == 404
    assert for_city.ask("DELETE", beyond).status_code == 404
    whole = described(scene.things, "loose")
    place, sensor = whole["Locations"][0], whole["Datastreams"][0]["Sensor"]
    for path, alone in (("/ingest/v1.1/Locations", place), ("/ingest/v1.1/Sensors", sensor)):
        assert code(for_city.ask("POST", path, json=alone)) == (403, "outside-mandate")
    shared = scene.city.ask("POST", "/ingest/v1.1/Sensors", json=sensor).json()["@iot.id"]
    changed = for_city.ask("PATCH", f"/ingest/v1.1/Sensors('{shared}')", json={"description": "y"})
    assert code(changed) == (404, "not-found"), "no dataset of the mandate uses it"
    reading = acting(scene.vendor, give(scene.city, wanted(scene)))
    assert code(reading.ask("GET", things)) == (403, "outside-mandate")


def test_a_machine_takes_mandates_of_its_own_participant_alone_which_may_pass_one_on_to_it(
    scene: Scene,
) -> None:
    gateway = machine(scene.vendor, "gateway")
    drafted = scene.city.ask("POST", "/exchange/v1/mandates/draft", json=wanted(scene, gateway))
    assert drafted.json()["errors"][0]["field"] == "document/mandatary"
    first = give(scene.city, wanted(scene, onward=1, actions=["dmi:contribute"]))
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    second = give(scene.vendor, wanted(scene, gateway, parent=first, until=soon, actions=["dmi:contribute"]))
    assert hand_in(acting(gateway, second), scene, scene.things, 3).is_success
    time.sleep(1.5)
    entries = scene.city.ask("GET", "/exchange/v1/log?newest=true&limit=1000").json()["items"]
    assert (scene.city.id, gateway.id) in {(each["assignee"], each["actor"]) for each in entries}
    taken = {"name": "gateway", "title": "x", "key": jose.SigningKey.generate().public}
    assert scene.vendor.ask("POST", "/exchange/v1/machines", json=taken).status_code == 409
    borrowed = {"name": "second", "title": "x", "key": gateway.key.public}
    assert scene.city.ask("POST", "/exchange/v1/machines", json=borrowed).status_code == 409


def test_a_vendor_imports_files_for_the_city_and_sees_what_it_imported_as_long_as_it_may(
    scene: Scene,
) -> None:
    params = {"kind": "birmingham-parking", "dataset": scene.things}
    head = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    good, bad = "M1,100,7,2016-10-04 07:59:42\n", "M1,100,many,2016-10-04 08:25:42\n"

    def bring(who: Newcomer, **change: str) -> httpx.Response:
        files = {"file": ("a.csv", head + good + bad)}
        return who.ask("POST", "/ingest/v1/imports", params=params | change, files=files)

    mandate = give(scene.city, wanted(scene, actions=["dmi:contribute"]))
    for_city = acting(scene.vendor, mandate)
    assert code(bring(for_city, dataset=scene.other)) == (403, "outside-mandate")
    report = bring(for_city).json()
    assert (report["state"], report["actor"], report["rejected"]) == ("done", scene.vendor.id, 1)
    path = f"/ingest/v1/imports/{report['import_id']}"
    (row,) = for_city.ask("GET", f"{path}/rejects").json()["items"]
    corrected = {"rows": [{"id": row["id"], "raw": {**row["raw"], "Occupancy": "9"}}]}
    assert for_city.ask("POST", f"{path}/replay", json=corrected).json()["accepted"] == 1
    assert for_city.ask("GET", path).json() == scene.city.ask("GET", path).json()

    own = f"/ingest/v1/imports/{bring(scene.city).json()['import_id']}"
    for method, hidden in (("GET", own), ("GET", f"{own}/rejects"), ("POST", f"{own}/resume")):
        assert for_city.ask(method, hidden).status_code == 404, hidden
    reading = acting(scene.vendor, give(scene.city, wanted(scene)))
    assert code(reading.ask("GET", path)) == (403, "outside-mandate")
    scene.city.ask("POST", f"/exchange/v1/mandates/{mandate}/end", json={})
    begun = time.monotonic()
    while for_city.ask("GET", path).status_code != 403:
        assert time.monotonic() - begun < 1
    for method, ended in (("GET", path), ("GET", f"{path}/rejects"), ("POST", f"{path}/replay")):
        body = corrected if method == "POST" else None
        assert code(for_city.ask(method, ended, json=body)) == (403, "ended"), ended
    assert bring(for_city).status_code == 403
    assert scene.city.ask("GET", path).status_code == 200
