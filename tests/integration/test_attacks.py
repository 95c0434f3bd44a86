"""Somebody with a vendor's identity tries every door to data that it has no agreement for, and to what is another's."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from dmi_infra import clock
from tests.integration.newcomer import ACTIONS, HERE, LAYERS, Newcomer, agree, join, publish
from tests.stack_plugin import EmbeddedStack
from tests.unit.infra.fakes import eventually

THING = "victim.one"
STREAM = "victim.one.occupancy"
PLACE = [5.1234, 52.0987]
PARKING = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\nA1,100,many,2016-10-04 07:59:42\n"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
CROWD = "urn:dmi:dataset:gemeente:crowd"


@dataclass(frozen=True)
class Scene:
    """A victim with a secret dataset, and a thief with one of its own."""

    victim: Newcomer
    thief: Newcomer
    secret: str
    own: str
    batch: str
    file: str


def _things(dataset: str, thing: str, named: str | None = None, **properties: Any) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": PLACE if named is None else [4.9, 52.3]}
    stated = {"thing": named or thing, "observed_property": "occupancy", "unit": "{vehicle}", **properties}
    return {
        "dataset": dataset,
        "features": [
            {"id": thing, "kind": "thing", "name": "Geheim", "geometry": place},
            {"id": f"{thing}.occupancy", "kind": "datastream", "name": "Geheim", "properties": stated},
        ],
    }


@pytest.fixture(scope="module")
def scene(embedded_stack: EmbeddedStack) -> Scene:
    victim = join(embedded_stack, "victim", ["dmi:role:provider", "dmi:role:analyst"])
    thief = join(embedded_stack, "thief", ["dmi:role:vendor", "dmi:role:user"])
    secret, own = publish(embedded_stack, victim, "secret"), publish(embedded_stack, thief, "own")
    assert victim.ask("POST", "/ingest/v1/features", json=_things(secret, THING)).status_code == 201
    row = {"datastream": [STREAM], "phenomenon_time": [clock.now()], "result": [41]}
    batch = victim.ask("POST", "/ingest/v1/batches", json={"dataset": secret, **row}).json()["batch_id"]
    file = victim.ask(
        "POST",
        "/ingest/v1/imports",
        params={"kind": "birmingham-parking", "dataset": secret},
        files={"file": ("a.csv", PARKING)},
    ).json()["import_id"]
    until = time.monotonic() + 10
    while victim.ask("GET", f"/platform/v1/outcomes/{batch}").status_code != 200:
        assert time.monotonic() < until
    return Scene(victim, thief, secret, own, batch, file)


def _doors(scene: Scene) -> list[str]:
    return [
        f"/platform/v1/latest?dataset={scene.secret}",
        f"/platform/v1/latest?datastream={STREAM}",
        f"/platform/v1/datastreams?dataset={scene.secret}",
        f"/platform/v1/datastreams/{STREAM}/observations",
        f"/platform/v1/features?kind=thing&dataset={scene.secret}",
        f"/platform/v1/export?dataset={scene.secret}",
        f"/visualisation/v1/layers/{scene.secret}/features",
        f"/visualisation/v1/layers/{scene.secret}/tiles/14/8425/5398",
        f"/visualisation/v1/datastreams/{STREAM}/history",
    ]


def test_the_owner_gets_through_every_door_and_the_thief_through_none(scene: Scene) -> None:
    events = f"/visualisation/v1/layers/{scene.secret}/events"
    for door in _doors(scene):
        assert scene.victim.ask("GET", door).status_code == 200, door
    for door in [*_doors(scene), events]:
        for purpose in (None, "dmi:purpose:mobility", "dmi:purpose:research"):
            headers = {"DMI-Purpose": purpose} if purpose else {}
            answer = scene.thief.ask("GET", door, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:dmi:problem:no-agreement"), door


def test_lists_of_everything_leave_out_what_is_not_agreed(scene: Scene) -> None:
    for path in (
        "/platform/v1/datastreams?limit=10000", "/visualisation/v1/background", "/support-centre/v1/forecasts",
        "/support-centre/v1/forecasts/scores", "/support-centre/v1/crowd", "/platform/v1/rejects",
        "/ingest/v1/imports", "/exchange/v1/agreements", "/exchange/v1/log?newest=true",
    ):  # fmt: skip
        answer = scene.thief.ask("GET", path)
        assert answer.status_code in (200, 403), path
        assert STREAM not in answer.text, path
        assert f"{scene.secret}" not in answer.text or "refused" in answer.text or "log" in path, path


def test_where_a_result_comes_from_is_not_told_to_strangers(scene: Scene) -> None:
    def status(who: Newcomer, result: str) -> int:
        return who.ask("GET", f"/exchange/v1/lineage/{result}").status_code

    def dependents(who: Newcomer) -> list[Any]:
        found: list[Any] = who.ask("GET", f"/exchange/v1/lineage/{scene.secret}/dependents").json()["items"]
        return found

    # The platform tells the exchange of it a moment after it has stored the rows.
    eventually(lambda: status(scene.victim, scene.secret) == status(scene.victim, STREAM) == 200)
    eventually(lambda: dependents(scene.victim) != [])
    for result in (scene.secret, STREAM):
        assert status(scene.thief, result) == 404, result
    assert dependents(scene.thief) == []


def test_files_of_another_are_not_to_be_found(scene: Scene) -> None:
    for method, path, body in (
        ("GET", f"/ingest/v1/imports/{scene.file}", None),
        ("GET", f"/ingest/v1/imports/{scene.file}/rejects", None),
        ("POST", f"/ingest/v1/imports/{scene.file}/resume", None),
        ("POST", f"/ingest/v1/imports/{scene.file}/replay", {"rows": [{"id": 1, "raw": "x"}]}),
    ):
        assert scene.thief.ask(method, path, json=body).status_code == 404, path
    assert scene.thief.ask("GET", f"/platform/v1/rejects?dataset={scene.secret}").json()["items"] == []
    unknown = scene.thief.ask("GET", "/platform/v1/outcomes/nothing").json()["detail"]
    path = f"/platform/v1/outcomes/{scene.batch}"
    assert scene.victim.ask("GET", path).json()["read"] == 1
    refused = scene.thief.ask("GET", path)
    assert (refused.status_code, refused.json()["detail"]) == (404, unknown)


def test_nothing_is_handed_in_for_another(scene: Scene) -> None:
    row = {"datastream": [STREAM], "phenomenon_time": [clock.now()], "result": [999]}
    sensor = {"@iot.id": STREAM}
    for path, body, status in (
        ("/ingest/v1/batches", {"dataset": scene.secret, **row}, 403),
        ("/ingest/v1/batches", {"dataset": scene.own, **row}, 400),
        ("/ingest/v1/features", _things(scene.secret, THING), 403),
        ("/ingest/v1/features", _things(scene.own, THING), 400),
        ("/ingest/v1.1/Observations", {"result": 999, "Datastream": sensor}, 403),
        (
            "/ingest/v1.1/CreateObservations",
            [{"Datastream": sensor, "components": ["result"], "dataArray": [[999]]}],
            403,
        ),
        (
            "/ingest/v1.1/Things",
            {"@iot.id": THING, "name": "x", "description": "x", "properties": {"dataset": scene.own}},
            409,
        ),
        ("/exchange/v1/datasets", {"id": scene.secret, "title": {"nl": "x"}, "spatial": HERE}, 409),
    ):
        assert scene.thief.ask("POST", path, json=body).status_code == status, path
    assert scene.thief.ask("PATCH", f"/ingest/v1.1/Things('{THING}')", json={"name": "x"}).status_code == 404
    assert scene.thief.ask("DELETE", f"/ingest/v1.1/Things('{THING}')").status_code == 404
    latest = scene.victim.ask("GET", f"/platform/v1/latest?datastream={STREAM}").json()["items"]
    assert [item["result"] for item in latest] == [41]


def test_a_datastream_shows_no_place_of_a_thing_of_another_dataset(scene: Scene) -> None:
    answer = scene.thief.ask("POST", "/ingest/v1/features", json=_things(scene.own, "thief.one", THING))
    assert answer.json()["errors"][0]["index"] == 1
    # The thing comes into being only afterwards: then the platform must know the difference.
    before = _things(scene.own, "thief.two", "victim.later")
    assert scene.thief.ask("POST", "/ingest/v1/features", json=before).status_code == 201
    later = _things(scene.secret, "victim.later")
    assert scene.victim.ask("POST", "/ingest/v1/features", json=later).status_code == 201
    until = time.monotonic() + 5
    while not (
        found := scene.thief.ask("GET", f"/platform/v1/datastreams?dataset={scene.own}").json()["items"]
    ):
        assert time.monotonic() < until
    time.sleep(0.5)
    shown = scene.thief.ask("GET", f"/platform/v1/datastreams?dataset={scene.own}").text
    assert len(found) == 1
    assert str(PLACE[0]) not in shown


def test_a_vendor_cannot_lay_down_neighbourhoods_that_everyone_gets(scene: Scene) -> None:
    ring = [[4, 51], [6, 51], [6, 53], [4, 53], [4, 51]]
    area = {
        "id": "mine",
        "kind": "neighbourhood",
        "name": "Mine",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    answer = scene.thief.ask("POST", "/ingest/v1/features", json={"dataset": scene.own, "features": [area]})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "0.kind"
    assert "layer: areas" in error["rule"]


def test_what_an_agreement_opens_it_opens_for_its_purpose_and_until_it_ends(
    scene: Scene, embedded_stack: EmbeddedStack
) -> None:
    identifier = agree(
        embedded_stack,
        scene.victim,
        scene.thief.id,
        scene.secret,
        ["dmi:read"],
        purpose="dmi:purpose:mobility",
    )
    jws = scene.thief.key.sign_document(
        scene.victim.ask("GET", f"/exchange/v1/agreements/{identifier}").json()["document"]
    )
    signed = scene.thief.ask("POST", f"/exchange/v1/agreements/{identifier}/signature", json={"jws": jws})
    assert signed.status_code == 200, signed.text
    time.sleep(0.5)
    door = f"/platform/v1/latest?dataset={scene.secret}"
    right, wrong = ({"DMI-Purpose": f"dmi:purpose:{name}"} for name in ("mobility", "research"))
    assert scene.thief.ask("GET", door, headers=right).status_code == 200
    assert scene.thief.ask("GET", door, headers=wrong).json()["type"] == "urn:dmi:problem:wrong-purpose"
    for other in _doors(scene)[5:]:
        assert scene.thief.ask("GET", other, headers=right).status_code == 403, other
    ended = scene.victim.ask("POST", f"/exchange/v1/agreements/{identifier}/end", json={"reason": "enough"})
    assert ended.status_code == 200
    time.sleep(1)
    refused = scene.thief.ask("GET", door, headers=right)
    assert (refused.status_code, refused.json()["agreement"]) == (403, identifier)
    assert refused.json()["moment"]


def test_a_thief_can_neither_sign_nor_end_nor_forge_an_agreement(scene: Scene) -> None:
    (paper,) = [
        one
        for one in scene.victim.ask("GET", f"/exchange/v1/agreements?dataset={scene.secret}").json()["items"]
        if one["assignee"] == LAYERS
    ]
    path = f"/exchange/v1/agreements/{paper['id']}"
    assert scene.thief.ask("GET", path).status_code == 404
    assert scene.thief.ask("POST", f"{path}/end", json={"reason": "x"}).status_code == 404
    assert scene.thief.ask("POST", f"{path}/signature", json={"hosted": True}).status_code in (400, 404)
    parameters = {"assigner": scene.victim.id, "assignee": scene.thief.id, "datasets": [scene.secret],
                  "purpose": "dmi:purpose:any", "actions": ACTIONS}  # fmt: skip
    document = scene.thief.ask(
        "POST", "/exchange/v1/agreements/draft", json={"template": "sensor-data", "parameters": parameters}
    ).json()
    jws = scene.thief.key.sign_document(document)
    proposed = scene.thief.ask("POST", "/exchange/v1/agreements", json={"document": document, "jws": jws})
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    again = scene.thief.ask(
        "POST", f"/exchange/v1/agreements/{proposed.json()['id']}/signature", json={"jws": jws}
    )
    assert again.json()["state"] == "proposed"
    mine = {**document, "uid": "urn:uuid:6a4ef9a3-7c9d-4f0a-9f86-1d6f3a3d2f11", "assigner": scene.thief.id}
    forged = scene.thief.ask(
        "POST", "/exchange/v1/agreements", json={"document": mine, "jws": scene.thief.key.sign_document(mine)}
    )
    assert forged.status_code == 400
    assert scene.thief.ask("GET", _doors(scene)[0]).status_code == 403


def test_a_resident_sees_only_its_own_rows(embedded_stack: EmbeddedStack) -> None:
    with embedded_stack.demo("resident") as resident:
        streams = {
            item["datastream"] for item in resident.get("/platform/v1/latest", dataset=BICYCLES)["items"]
        }
        assert streams
        refused = resident._http.get("/platform/v1/rejects", headers=resident._bearer())
        assert refused.status_code == 403
    with embedded_stack.demo("operator") as operator:
        everyone = {
            item["datastream"] for item in operator.get("/platform/v1/latest", dataset=BICYCLES)["items"]
        }
    assert streams < everyone
    assert len({stream.split(".")[1] for stream in streams}) == 1


def test_an_analyst_cannot_bind_the_municipality(embedded_stack: EmbeddedStack) -> None:
    with embedded_stack.demo("officer") as officer:
        active = officer.get("/exchange/v1/agreements", state="active")["items"][0]["id"]
    with embedded_stack.demo("analyst") as analyst:
        headers = analyst._bearer()
    for path, body in (
        (f"/exchange/v1/agreements/{active}/end", {"reason": "x"}),
        (f"/exchange/v1/agreements/{active}/signature", {"hosted": True}),
        ("/exchange/v1/agreements", {"document": {}, "hosted": True}),
        (
            "/exchange/v1/datasets",
            {"id": "urn:dmi:dataset:gemeente:mine", "title": {"nl": "x"}, "spatial": HERE},
        ),
        ("/exchange/v1/participants/urn:dmi:participant:gemeente/signature", {"hosted": True}),
        (
            "/exchange/v1/participants",
            {"id": "urn:dmi:participant:x", "name": "x", "roles": [], "keys": [{}]},
        ),
    ):
        answer = httpx.post(f"{embedded_stack.url}{path}", json=body, headers=headers)
        assert answer.status_code == 403, path
        assert answer.json()["type"] in ("urn:dmi:problem:wrong-role", "urn:dmi:problem:not-a-party")


def test_a_scenario_is_found_by_its_share_id_alone(scene: Scene, embedded_stack: EmbeddedStack) -> None:
    with embedded_stack.demo("analyst") as analyst:
        made = analyst.post("/support-centre/v1/scenarios", {"title": "Geheim plan"})
        edit = {"type": "coefficient", "name": "inhabitants_per_dwelling", "value": 2.0}
        analyst.post(f"/support-centre/v1/scenarios/{made['id']}/edits", edit)
    path = f"/support-centre/v1/scenarios/{made['id']}"
    for suffix in ("", "/result", "/areas", "/export?format=geojson", "/export?format=csv"):
        assert scene.thief.ask("GET", f"{path}{suffix}").status_code in (403, 404), suffix
    for suffix, body in (
        ("/edits", edit),
        ("/undo", None),
        ("/branch", {"title": "x"}),
        ("/recompute", None),
        ("/renew", None),
        ("/restore", {"version": 1}),
        ("/merge", {"with": made["id"]}),
    ):
        assert scene.thief.ask("POST", f"{path}{suffix}", json=body).status_code in (403, 404), suffix
    assert len(made["share"]) > 30
    assert scene.thief.ask("GET", f"/support-centre/v1/scenarios/{made['share'][:-1]}").status_code == 404
    shared = f"/support-centre/v1/scenarios/{made['share']}"
    assert scene.thief.ask("GET", shared).status_code == 200
    assert scene.thief.ask("POST", f"{shared}/undo").status_code == 403
    time.sleep(1)
    told = scene.thief.ask(
        "GET", "/exchange/v1/lineage/urn:dmi:dataset:gemeente:neighbourhoods/dependents?limit=1000"
    )
    assert "Geheim plan" not in told.text
    assert scene.thief.ask("GET", f"/exchange/v1/lineage/scenario:{made['id']}:2").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "http://", "http://user:pass@example.org/", "javascript:1",
        "http://example.org/\r\nX-Evil: 1", "http://example.org:99999/", "//example.org", "http://[::1", "gopher://x",
    ],
)  # fmt: skip
def test_a_webhook_goes_to_plain_http_addresses_alone(scene: Scene, url: str) -> None:
    answer = scene.thief.ask("POST", "/support-centre/v1/subscriptions", json={"url": url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "url")


def test_an_export_holds_no_formula_and_no_header_of_the_caller(scene: Scene) -> None:
    formula = _things(scene.own, "thief.formula", observed_property="=HYPERLINK(1)", unit="@SUM(1)")
    assert scene.thief.ask("POST", "/ingest/v1/features", json=formula).status_code == 201
    row = {"datastream": ["thief.formula.occupancy"], "phenomenon_time": [clock.now()], "result": [-1]}
    body = {"dataset": scene.own, **row}
    batch = scene.thief.ask("POST", "/ingest/v1/batches", json=body).json()["batch_id"]
    until = time.monotonic() + 10
    while scene.thief.ask("GET", f"/platform/v1/outcomes/{batch}").status_code != 200:
        assert time.monotonic() < until
    answer = scene.thief.ask("GET", f"/platform/v1/export?dataset={scene.own}&format=csv")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        text = archive.read("observations.csv").decode()
    cells = [cell for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell.lstrip('"').startswith(("=", "@", "+"))]
    evil = f"{scene.own}\r\nX-Evil: 1"
    answer = scene.thief.ask("GET", "/platform/v1/export", params={"dataset": evil})
    assert answer.status_code in (400, 403)
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "name", ["../../../../tmp/evil.csv", "..\\evil.csv", "/etc/passwd", "a\x00b.csv", "..", "é.csv"]
)
def test_the_name_of_a_file_leads_nowhere(scene: Scene, embedded_stack: EmbeddedStack, name: str) -> None:
    answer = scene.thief.ask(
        "POST",
        "/ingest/v1/imports",
        params={"kind": "birmingham-parking", "dataset": scene.own},
        files={"file": (name, PARKING)},
    )
    assert answer.status_code == 200, answer.text
    (kept,) = answer.json()["files"]
    assert "/" not in kept
    assert "\\" not in kept
    assert not kept.startswith(".")
    assert not list(embedded_stack.data_dir.parent.rglob("evil*"))


def test_nobody_takes_an_id_in_the_name_of_another(scene: Scene) -> None:
    """What the thief's import would be called is the thief's, also before it is there."""
    squat = {"id": f"{scene.thief.slug}:own.a1", "kind": "thing", "name": "x"}
    answer = scene.victim.ask(
        "POST", "/ingest/v1/features", json={"dataset": scene.secret, "features": [squat]}
    )
    assert answer.status_code == 400
    assert "id" in answer.json()["errors"][0]["field"]


def test_a_corrected_row_passes_the_same_rules_as_any_other(scene: Scene) -> None:
    """A row that was refused for its value is corrected into something worse."""
    params = {"kind": "birmingham-parking", "dataset": scene.own}
    report = scene.thief.ask(
        "POST", "/ingest/v1/imports", params=params, files={"file": ("a.csv", PARKING)}
    ).json()
    path = f"/ingest/v1/imports/{report['import_id']}"
    (row,) = scene.thief.ask("GET", f"{path}/rejects").json()["items"]
    right = {**row["raw"], "Occupancy": "7"}
    for worse in (
        {**right, "Occupancy": "1e999"}, {**right, "Occupancy": "7\x00"}, {**right, "Occupancy": [7, 8]},
        {**right, "SystemCodeNumber": "x" * 500}, {**right, "LastUpdated": "9999-99-99 00:00:00"},
        "[" * 5000, "{}", "null", {},
    ):  # fmt: skip
        body = {"rows": [{"id": row["id"], "raw": worse}]}
        answer = scene.thief.ask("POST", f"{path}/replay", json=body)
        assert answer.status_code in (200, 400), answer.text
        assert answer.json().get("accepted", 0) == 0, worse
    answer = scene.thief.ask("POST", f"{path}/replay", json={"rows": [{"id": row["id"], "raw": right}]})
    assert answer.json()["accepted"] == 1


def test_who_may_not_sign_binds_nobody_by_the_protocol_of_nodes_either(embedded_stack: EmbeddedStack) -> None:
    with embedded_stack.demo("analyst") as analyst:
        headers = {"Authorization": f"Bearer {analyst.token()}"}
    unknown = "urn:uuid:00000000-0000-4000-8000-000000000000"
    base = f"{embedded_stack.url}/exchange/dsp"
    for path in (
        "negotiations/request", "negotiations/offers", f"negotiations/{unknown}/events",
        f"negotiations/{unknown}/agreement/verification", f"negotiations/{unknown}/termination",
        f"negotiations/{unknown}/end", f"negotiations/{unknown}/notice", "transfers/request",
        f"transfers/{unknown}/start", f"transfers/{unknown}/termination",
    ):  # fmt: skip
        answer = httpx.post(f"{base}/{path}", json={}, headers=headers)
        assert answer.status_code == 403, path
        assert "role" in answer.text, path
    # What is on offer may be read.
    assert httpx.get(f"{base}/negotiations/{unknown}", headers=headers).status_code == 404
