"""The platform's HTTP interface, behind the gate."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import Unauthenticated
from dmi_infra.http.access import identify
from dmi_infra.identity import Identity
from dmi_platform import paging
from dmi_platform.app import build
from dmi_platform.routes import pages
from dmi_platform.settings import PlatformSettings
from tests.unit.infra.fakes import never_ended

from .conftest import (
    BICYCLES,
    GARAGES,
    MINUTE,
    NOON,
    NOOR,
    OWNER,
    SAM,
    VENDOR,
    City,
    Client,
    counts,
    eventually,
    stream,
    thing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_the_last_value_of_every_datastream_of_a_dataset(garages: City) -> None:
    garages.hand_in(counts("centrum", 10, 20, 120), counts("pr-noord", 5))
    items = garages.get("/v1/latest", dataset=GARAGES).json()["items"]
    assert items[0] == {
        "datastream": "garages.centrum.occupancy",
        "phenomenon_time": "2026-01-01T12:02:00Z",
        "result": 120.0,
        "unit": "{vehicle}",
        "flag": 3,
        "longitude": 5.1,
        "latitude": 52.1,
        "neighbourhood": None,
    }
    assert [item["result"] for item in items] == [120.0, 5.0]
    some = garages.get("/v1/latest", datastream=["garages.pr-noord.occupancy"]).json()["items"]
    assert [item["result"] for item in some] == [5.0]


def test_history_is_paged_without_gaps(garages: City) -> None:
    garages.hand_in(counts("centrum", *range(10)))
    seen: list[float] = []
    cursor: dict[str, str] = {}
    while True:
        page = garages.get("/v1/datastreams/garages.centrum.occupancy/observations", limit=3, **cursor).json()
        seen += [item["result"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [float(n) for n in range(10)]


def test_history_of_a_span_holds_the_raw_value_and_every_flag(garages: City) -> None:
    garages.hand_in(counts("centrum", 1, 2, 3))
    span = {"from": "2026-01-01T13:01:00+01:00", "to": "2026-01-01T12:02:00Z"}
    page = garages.get("/v1/datastreams/garages.centrum.occupancy/observations", **span).json()
    (item,) = page["items"]
    assert (item["result"], item["raw_result"]) == (2.0, 2.0)
    assert item["flags"] == {"range": 1, "rate": 2, "missing": 1, "place": 1}


def test_datastreams_are_listed_by_dataset_and_property_in_pages(garages: City) -> None:
    garages.tell(GARAGES, stream("garages.centrum.free_spaces", "free_spaces"))
    first = garages.get("/v1/datastreams", limit=2).json()
    assert [item["id"] for item in first["items"]] == [
        "garages.centrum.free_spaces",
        "garages.centrum.occupancy",
    ]
    rest = garages.get("/v1/datastreams", limit=2, cursor=first["next"]).json()
    assert [item["id"] for item in rest["items"]] == ["garages.pr-noord.occupancy"]
    assert rest["next"] is None
    found = garages.get("/v1/datastreams", dataset=GARAGES, property="free_spaces").json()["items"]
    assert [item["geometry"]["coordinates"] for item in found] == [[5.1, 52.1]]


def test_another_participant_needs_an_agreement_of_its_own(garages: City) -> None:
    garages.hand_in(counts("centrum", 1))
    garages.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    paths: list[tuple[str, dict[str, Any]]] = [
        ("/v1/latest", {"dataset": GARAGES}),
        ("/v1/latest", {"datastream": "garages.centrum.occupancy"}),
        ("/v1/datastreams", {"dataset": GARAGES}),
        ("/v1/datastreams/garages.centrum.occupancy/observations", {}),
        ("/v1/features", {"dataset": GARAGES, "kind": "thing"}),
        ("/v1/export", {"dataset": GARAGES}),
    ]
    for path, parameters in paths:
        answer = garages.get(path, **parameters)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:dmi:problem:no-agreement"), path
    assert garages.get("/v1/datastreams").json()["items"] == []
    state = garages.agree(GARAGES, "dmi:read", "dmi:export", assignee=VENDOR)
    assert [garages.get(path, **parameters).status_code for path, parameters in paths] == [200] * 6
    garages.end(state)
    for path, parameters in paths:
        problem = garages.get(path, **parameters).json()
        assert (problem["status"], problem["agreement"]) == (403, state.id)
        assert "moment" in problem


def test_duties_of_the_recipient_are_carried_out(garages: City) -> None:
    garages.hand_in(counts("centrum", 1))
    garages.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    leave_out = {
        "action": "dmi:leaveOut",
        "constraint": [
            {
                "leftOperand": "dmi:property",
                "operator": "isAnyOf",
                "rightOperand": ["longitude", "latitude", "flags", "raw_result"],
            }
        ],
    }
    garages.agree(GARAGES, "dmi:read", assignee=VENDOR, duty=[leave_out])
    (item,) = garages.get("/v1/latest", dataset=GARAGES).json()["items"]
    assert (item["result"], item["longitude"], item["flag"]) == (1.0, None, None)
    assert {each["geometry"] for each in garages.get("/v1/datastreams").json()["items"]} == {None}


def test_of_persons_only_rows_under_consent_are_given(city: City) -> None:
    city.agree(BICYCLES, "dmi:process", "dmi:read", "dmi:export", basis="consent")
    consents = {
        person: city.agree(
            BICYCLES, "dmi:process", "dmi:read", "dmi:export", assigner=person, basis="consent"
        )
        for person in (NOOR, SAM)
    }
    city.tell(BICYCLES, *(stream(f"bike.{n}.pm2_5", "pm2_5", "ug/m3") for n in (1, 2)))
    times = [NOON + minute * MINUTE for minute in range(2)]
    rows = ObservationBatch(
        BICYCLES, ["bike.1.pm2_5", "bike.2.pm2_5"], times, [1.0, 2.0], [5.1] * 2, [52.1] * 2, [NOOR, SAM]
    )
    city.hand_in(rows)
    city.identity = Identity("urn:dmi:participant:stack", "Operator", frozenset({"dmi:role:operator"}))

    def results() -> list[float]:
        items = city.get("/v1/latest", purpose="dmi:purpose:public-task", dataset=BICYCLES).json()["items"]
        return [item["result"] for item in items]

    assert results() == [1.0, 2.0]
    city.end(consents[SAM])
    assert results() == [1.0]
    archive = _archive(city, dataset=BICYCLES, format="csv")
    assert b"bike.2" not in archive.read("observations.csv")
    assert json.loads(archive.read("lineage.json"))["grounds"]["consents"] == 1
    property_ = {"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": ["subject"]}
    unnamed = [{"action": "dmi:leaveOut", "constraint": [property_]}]
    city.agree(BICYCLES, "dmi:export", assignee=VENDOR, basis="consent", duty=unnamed)
    city.agree(BICYCLES, "dmi:export", assigner=NOOR, assignee=VENDOR, basis="consent")
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    archive = _archive(city, dataset=BICYCLES, format="csv")
    assert b"bike.1" in archive.read("observations.csv")
    assert "consents" not in json.loads(archive.read("lineage.json"))["grounds"], (
        "how many persons, it must not tell"
    )


@pytest.mark.parametrize(
    ("action", "term"),
    [
        ("leaveOut", {"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": ["subject"]}),
        ("suppress", {"leftOperand": "dmi:minimumGroup", "operator": "eq", "rightOperand": 2}),
    ],
    ids=["no names", "groups"],
)
def test_an_export_hides_how_many_consent_where_one_of_their_consents_asks_for_no_names_or_groups(
    city: City, action: str, term: dict[str, Any]
) -> None:
    city.agree(BICYCLES, "dmi:process", "dmi:export", basis="consent")
    for person in (NOOR, SAM):
        city.agree(BICYCLES, "dmi:process", "dmi:export", assigner=person, basis="consent")
    city.tell(BICYCLES, *(stream(f"bike.{n}.pm2_5", "pm2_5", "ug/m3") for n in (1, 2)))
    city.hand_in(
        ObservationBatch(
            BICYCLES, ["bike.1.pm2_5", "bike.2.pm2_5"], [NOON] * 2, [1.0, 2.0], [5.1] * 2, [52.1] * 2,
            [NOOR, SAM],
        )
    )  # fmt: skip
    city.agree(BICYCLES, "dmi:export", assignee=VENDOR, basis="consent")
    asked = [{"action": f"dmi:{action}", "constraint": [term]}]
    for person, duty in ((NOOR, None), (SAM, asked)):
        city.agree(BICYCLES, "dmi:export", assigner=person, assignee=VENDOR, basis="consent", duty=duty)
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    lineage = json.loads(_archive(city, dataset=BICYCLES, format="csv").read("lineage.json"))
    assert lineage["rows"] > 0
    assert "consents" not in lineage["grounds"]


def _archive(city: City, **parameters: str) -> zipfile.ZipFile:
    answer = city.get("/v1/export", purpose="dmi:purpose:public-task", **parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def test_an_export_holds_data_licence_and_lineage(garages: City) -> None:
    garages.hand_in(counts("centrum", 1, None, 3), counts("pr-noord", 4))
    archive = _archive(garages, dataset=GARAGES, format="csv")
    lines = archive.read("observations.csv").decode().splitlines()
    assert lines[0].startswith("datastream,observed_property,phenomenon_time,result,unit,flag,flag_range")
    assert lines[1].startswith("garages.centrum.occupancy,occupancy,2026-01-01T12:00:00Z,1.0,{vehicle},1,1")
    assert len(lines) == 5
    assert b"Licence: CC0" in archive.read("licence.txt")
    lineage = json.loads(archive.read("lineage.json"))
    assert lineage["rows"] == 4
    assert lineage["grounds"]["datasets"] == [GARAGES]
    assert lineage["grounds"]["agreements"]


def left(city: City) -> list[int]:
    """Rows that the record says have left, one number an entry that tells of any."""
    return [each.left for each in city.records if isinstance(each, DecisionRecord) and each.left]


def test_the_record_tells_how_many_rows_left(garages: City) -> None:
    garages.hand_in(counts("centrum", 1, None, 3), counts("pr-noord", 4))
    purpose = "dmi:purpose:public-task"
    for path, wanted, rows in (
        ("/v1/export", {"dataset": GARAGES}, 4),
        ("/v1/latest", {"dataset": GARAGES}, 2),
        (f"/v1/datasets/{GARAGES}/sample", {}, 2),
        ("/v1/datastreams/garages.centrum.occupancy/observations", {"limit": 2}, 2),
    ):
        garages.records.clear()
        assert garages.get(path, purpose=purpose, **wanted).status_code == 200
        assert left(garages) == [rows], path
        decided = [each for each in garages.records if isinstance(each, DecisionRecord) and each.decides]
        assert len(decided) == 1, path


def test_an_export_as_geojson_and_geoparquet_holds_the_same_rows(garages: City, tmp_path: Path) -> None:
    import geopandas

    garages.hand_in(counts("centrum", 1, None, 3))
    features = json.loads(_archive(garages, dataset=GARAGES, format="geojson").read("observations.geojson"))[
        "features"
    ]
    assert [each["properties"]["result"] for each in features] == [1.0, None, 3.0]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [5.1, 52.1]}
    file = tmp_path / "o.parquet"
    file.write_bytes(_archive(garages, dataset=GARAGES, format="geoparquet").read("observations.parquet"))
    frame = geopandas.read_parquet(file)
    assert frame["result"].tolist()[::2] == [1.0, 3.0]
    assert (frame.geometry.x[0], frame.geometry.y[0]) == (5.1, 52.1)
    assert frame.crs.to_authority() == ("OGC", "CRS84")


@pytest.mark.parametrize("kind", ["csv", "geojson", "geoparquet"])
@pytest.mark.parametrize("means", [False, True])
def test_an_export_stops_when_the_key_of_who_asked_for_it_ends(
    garages: City, monkeypatch: pytest.MonkeyPatch, kind: str, means: bool
) -> None:
    if means:
        for state in list(garages.runtime.law.table.agreements.values()):
            garages.end(state)
        window = [
            {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
            for name, value in (("window", 600), ("gridSize", 1000))
        ]
        duty = {"action": "dmi:aggregate", "constraint": window}
        garages.agree(GARAGES, "dmi:process")
        garages.agree(GARAGES, "dmi:export", duty=[duty])
    garages.hand_in(counts("centrum", 1, begin=NOON), counts("pr-noord", 2, begin=NOON + 3600 * 1_000_000))
    monkeypatch.setattr(paging, "CHUNK_ROWS", 1)
    asked = []

    def check_keys(identity: Identity) -> None:
        asked.append(identity)
        if len(asked) == 2:
            raise Unauthenticated("the key does not count any more")

    monkeypatch.setattr(garages.runtime.authenticate, "check_keys", check_keys)
    archive = _archive(garages, dataset=GARAGES, format=kind)
    assert json.loads(archive.read("ended.json"))["status"] == 401
    assert json.loads(archive.read("lineage.json"))["rows"] == 1
    assert asked == [garages.identity] * 2


def test_an_export_whose_right_ends_on_the_way_says_so_and_stops(garages: City) -> None:
    garages.hand_in(counts("centrum", 1), counts("pr-noord", 2))
    gate = garages.runtime.gate
    original, asked = gate.still, []

    def still(permit: Any) -> None:
        asked.append(permit)
        if len(asked) == 2:
            for agreement in permit.agreements:
                state = garages.runtime.law.table.agreement(agreement)
                assert state is not None
                garages.end(state)
        original(permit)

    gate.still = still  # type: ignore[method-assign]
    for number, kind in enumerate(("csv", "geojson", "geoparquet")):
        if number:
            garages.agree(GARAGES, "dmi:process", "dmi:export")
            asked.clear()
        garages.records.clear()
        archive = _archive(garages, dataset=GARAGES, format=kind)
        assert json.loads(archive.read("ended.json"))["type"] == "urn:dmi:problem:ended"
        assert json.loads(archive.read("lineage.json"))["rows"] == 1
        assert left(garages) == [1], "what left before is told"


@pytest.mark.parametrize("ended", ["agreement", "key"])
@pytest.mark.parametrize("reads", [0, 1, 2])
def test_a_history_whose_right_ends_while_it_is_read_is_not_given(
    garages: City, monkeypatch: pytest.MonkeyPatch, reads: int, ended: str
) -> None:
    """``reads``: pieces before it ended; of nought there is one piece alone, which no duty judges."""
    if reads:
        for state in list(garages.runtime.law.table.agreements.values()):
            garages.end(state)
        window = [
            {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
            for name, value in (("window", 600), ("gridSize", 1000))
        ]
        garages.agree(GARAGES, "dmi:process")
        garages.agree(GARAGES, "dmi:read", duty=[{"action": "dmi:aggregate", "constraint": window}])
    for hour in range(3):
        garages.hand_in(counts("centrum", 1, 2, begin=NOON + hour * 60 * MINUTE))
    monkeypatch.setattr(paging, "PIECE_ROWS", 1)
    path = "/v1/datastreams/garages.centrum.occupancy/observations"
    trusted = [True]

    def check_keys(_identity: Identity) -> None:
        if not trusted[0]:
            raise Unauthenticated("the key does not count any more")

    monkeypatch.setattr(garages.runtime.authenticate, "check_keys", check_keys)
    assert len(garages.get(path, limit=3).json()["items"]) == 3
    store = garages.handler._store
    read, done = store.observations, []

    def observations(*given: Any) -> Any:
        table = read(*given)
        done.append(table)
        if len(done) == max(reads, 1):
            end()
        return table

    def end() -> None:
        if ended == "key":
            trusted[0] = False
            return
        for state in list(garages.runtime.law.table.agreements.values()):
            if state.ended_at is None:
                garages.end(state)

    monkeypatch.setattr(store, "observations", observations)
    garages.records.clear()
    answer = garages.get(path, limit=3)
    assert answer.status_code == (401 if ended == "key" else 403), answer.text
    assert left(garages) == []


def test_features_come_as_geojson(garages: City) -> None:
    answer = garages.get("/v1/features", dataset=GARAGES, kind="thing", limit=1)
    assert answer.headers["content-type"] == "application/geo+json"
    first = answer.json()
    assert [each["id"] for each in first["features"]] == ["garages.centrum"]
    rest = garages.get("/v1/features", dataset=GARAGES, kind="thing", cursor=first["next"]).json()
    assert [each["id"] for each in rest["features"]] == ["garages.pr-noord"]


HISTORY = "/v1/datastreams/garages.centrum.occupancy/observations"


@pytest.mark.parametrize(
    ("path", "parameters", "status", "field"),
    [
        ("/v1/latest", {}, 400, "datastream"),
        ("/v1/latest", {"dataset": GARAGES, "datastream": "x"}, 400, "datastream"),
        ("/v1/latest", {"datastream": "nowhere"}, 404, None),
        ("/v1/latest", {"datastream": "a\x00b"}, 400, "datastream"),
        ("/v1/datastreams", {"limit": 0}, 400, "limit"),
        ("/v1/datastreams", {"limit": "NaN"}, 400, "limit"),
        ("/v1/datastreams", {"cursor": "!!"}, 400, "cursor"),
        ("/v1/datastreams", {"cursor": "WzFd"}, 400, "cursor"),
        ("/v1/datastreams/nowhere/observations", {}, 404, None),
        (HISTORY, {"from": "yesterday"}, 400, "from"),
        (HISTORY, {"from": "2026-01-01T00:00:00"}, 400, "from"),
        (HISTORY, {"to": "9999-12-31T00:00:00Z"}, 400, "to"),
        (HISTORY, {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 400, "to"),
        (HISTORY, {"cursor": "WzEsIFwi"}, 400, "cursor"),
        (HISTORY, {"cursor": "é"}, 400, "cursor"),
        (HISTORY, {"limit": 10_001}, 400, "limit"),
        ("/v1/features", {"dataset": GARAGES, "kind": "spaceship"}, 400, "kind"),
        ("/v1/export", {"dataset": GARAGES, "format": "xls"}, 400, "format"),
        ("/v1/rejects", {"cursor": "LTE"}, 400, "cursor"),
        ("/v1/rejects/99", {}, 404, None),
        ("/v1/rejects/99999999999999999999", {}, 400, "number"),
        ("/v1/outcomes/nothing", {}, 404, None),
    ],
)
def test_bad_input_is_answered_with_the_field_and_the_rule(
    garages: City, path: str, parameters: dict[str, Any], status: int, field: str | None
) -> None:
    answer = garages.get(path, **parameters)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


def test_a_cursor_tells_no_time_and_goes_on_for_its_list_and_caller_alone(garages: City) -> None:
    garages.hand_in(counts("centrum", 1, 2, 3), counts("pr-noord", 4))
    cursor = garages.get(HISTORY, limit=2).json()["next"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert str(NOON + MINUTE).encode() not in raw, "the time of the second row"
    assert [item["result"] for item in garages.get(HISTORY, cursor=cursor).json()["items"]] == [3.0]
    own = base64.urlsafe_b64encode(json.dumps([NOON, ""]).encode()).decode().rstrip("=")
    elsewhere = HISTORY.replace("centrum", "pr-noord")
    garages.agree(GARAGES, "dmi:read", assignee=VENDOR)
    for path, given, who in ((HISTORY, own, None), (elsewhere, cursor, None), (HISTORY, cursor, VENDOR)):
        if who is not None:
            garages.identity = Identity(who, "Vendor", frozenset({"dmi:role:vendor"}))
        answer = garages.get(path, cursor=given)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


def test_a_cursor_holds_after_a_restart_and_in_another_process(garages: City, tmp_path: Path) -> None:
    garages.hand_in(counts("centrum", 1, 2, 3))
    cursor = garages.get(HISTORY, limit=2).json()["next"]
    other = build(PlatformSettings(data_dir=tmp_path), garages.bus)
    garages.client = Client(other.app)
    for event in garages.law_events:
        other.runtime.law.table.apply(event)
    other.app.dependency_overrides[identify] = lambda: garages.identity
    other.runtime.authenticate.check_keys = never_ended  # type: ignore[method-assign]
    other.runtime.law.table.apply(Heartbeat("h", clock.now()))
    assert [item["result"] for item in garages.get(HISTORY, cursor=cursor).json()["items"]] == [3.0]
    other.close()


def test_with_an_unknown_purpose_nothing_is_given(garages: City) -> None:
    problem = garages.get("/v1/latest", purpose="dmi:purpose:curiosity", dataset=GARAGES).json()
    assert problem["errors"][0]["field"] == "DMI-Purpose"


@pytest.fixture
def running(city: City) -> Iterator[City]:
    city.service.runtime.start()
    yield city
    city.service.runtime.stop()


def test_what_ingest_publishes_is_stored_and_published_harmonised(running: City) -> None:
    """Through the bus, with consumer, outbox and law feed running."""
    version = running.runtime.rulebook.version
    parties = [
        Participant(p, p, [], rulebook=version)
        for p in ("urn:dmi:participant:gemeente", "urn:dmi:participant:stack")
    ]
    agreement: AgreementState = running.agree(GARAGES, "dmi:process", "dmi:read")
    exchange, ingest = running.bus.publisher("exchange"), running.bus.publisher("ingest")

    def message(payload: Any, key: str = "k") -> Message:
        envelope = Envelope(f"m{id(payload)}", "test", "test", clock.to_text(clock.now()))
        return Message(key, encode(payload), envelope)

    law = [
        *parties,
        Dataset(GARAGES, "urn:dmi:participant:gemeente", {}),
        agreement,
        Heartbeat("h", clock.now()),
    ]
    exchange.publish("dmi.agreements.v1", [message(event, event.id) for event in law])
    features: list[Feature] = [thing("garages.centrum"), stream("garages.centrum.occupancy")]
    ingest.publish("dmi.features.v1", [message({"dataset": GARAGES, "features": features})])
    ingest.publish("dmi.observations.raw.v1", [message(counts("centrum", 1, 2, 3))])
    reader = running.bus.replay("visualisation", ["dmi.observations.harmonised.v1"])
    found: list[ObservationBatch] = []

    def arrived() -> bool:
        exchange.publish("dmi.agreements.v1", [message(Heartbeat("h", clock.now()), "h")])
        found.extend(_decoded(each.message.value) for each in reader.poll(0.05))
        return sum(map(len, found)) == 3

    eventually(arrived)
    assert [value for batch in found for value in batch.result] == [1.0, 2.0, 3.0]
    assert running.get("/v1/latest", dataset=GARAGES).json()["items"][0]["result"] == 3.0
    assert running.get("/health/ready").status_code == 200


def _decoded(value: bytes) -> ObservationBatch:
    from dmi_agreements.contracts.envelope import decode

    return decode(value, ObservationBatch)


@pytest.mark.parametrize(
    ("path", "member", "asked"),
    [
        (HISTORY, "items", {}),
        ("/v1/datastreams", "items", {"dataset": GARAGES}),
        ("/v1/features", "features", {"dataset": GARAGES, "kind": "thing"}),
    ],
)
def test_the_pages_of_a_list_are_one_use_for_a_while(
    garages: City, monkeypatch: pytest.MonkeyPatch, path: str, member: str, asked: dict[str, str]
) -> None:
    garages.hand_in(counts("centrum", 1.0, 2.0, 3.0))
    rare = {"leftOperand": "timeInterval", "operator": "gteq", "rightOperand": "PT1H"}
    garages.agree(GARAGES, "dmi:read", assignee=VENDOR, constraint=[rare])
    garages.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    purpose = "dmi:purpose:public-task"
    first = garages.get(path, purpose, limit=1, **asked).json()
    second = garages.get(path, purpose, limit=1, cursor=first["next"], **asked)
    assert second.status_code == 200, second.text
    assert len(second.json()[member]) == 1
    decided = [one for one in garages.records if isinstance(one, DecisionRecord) and one.assignee == VENDOR]
    assert sum(one.begins for one in decided) == 1
    assert garages.get(path, purpose, limit=1, **asked).status_code == 403, "begun anew it is another use"
    if path == HISTORY:
        rest = garages.get(path, purpose, limit=1000, cursor=first["next"]).json()["items"]
        garages.hand_in(counts("centrum", 4.0, begin=clock.now() + MINUTE))
        again = garages.get(path, purpose, limit=1000, cursor=first["next"], to="2090-01-01T00:00:00Z")
        assert again.status_code == 200, again.text
        assert again.json()["items"] == rest, "nor does it give what is measured later"
    monkeypatch.setattr(pages, "ONE_USE", 0)
    late = garages.get(path, purpose, limit=1, cursor=second.json()["next"] or first["next"], **asked)
    assert late.status_code == 403, "and so is what is read later"


CYCLES = "urn:dmi:dataset:gemeente:cycles"


def two_counted(city: City) -> Callable[[], dict[str, int]]:
    """Two datasets of which a vendor may read each twice; how many uses of each are in the log."""
    city.law(Dataset(CYCLES, OWNER, {"nl": "x"}))
    for dataset, name in ((GARAGES, "g.one"), (CYCLES, "c.one")):
        city.agree(dataset, "dmi:process", "dmi:read")
        twice = {"leftOperand": "count", "operator": "lteq", "rightOperand": 2}
        city.agree(dataset, "dmi:read", assignee=VENDOR, constraint=[twice])
        city.tell(
            dataset, thing(name), stream(f"{name}.occupancy", "occupancy" if dataset == GARAGES else "count")
        )
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))

    def used() -> dict[str, int]:
        uses = [one for one in city.records if isinstance(one, DecisionRecord) and one.counted]
        return {
            each: sum(len(one.counted) for one in uses if one.dataset == each) for each in (GARAGES, CYCLES)
        }

    return used


def test_a_list_of_all_datasets_uses_those_that_it_tells_something_of(city: City) -> None:
    used = two_counted(city)
    answer = city.get("/v1/datastreams", property="count").json()
    assert [item["id"] for item in answer["items"]] == ["c.one.occupancy"]
    assert used() == {GARAGES: 0, CYCLES: 1}


def test_the_pages_of_a_list_of_all_datasets_are_one_use_of_each(city: City) -> None:
    used = two_counted(city)
    city.tell(CYCLES, stream("z.one.occupancy", "count"))
    names, cursor = [], {}
    while True:
        answer = city.get("/v1/datastreams", limit=1, **cursor).json()
        names += [item["id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert names == ["c.one.occupancy", "g.one.occupancy", "z.one.occupancy"]
    assert used() == {GARAGES: 1, CYCLES: 1}


@pytest.mark.parametrize("why", ["ended", "means"])
def test_last_values_of_several_datasets_use_none_where_one_is_refused(city: City, why: str) -> None:
    used = two_counted(city)
    other = "urn:dmi:dataset:gemeente:zoo"
    city.law(Dataset(other, OWNER, {"nl": "x"}))
    city.agree(other, "dmi:process", "dmi:read")
    if why == "means":
        window = [
            {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
            for name, value in (("window", 600), ("gridSize", 1000))
        ]
        city.agree(
            other, "dmi:read", assignee=VENDOR, duty=[{"action": "dmi:aggregate", "constraint": window}]
        )
    city.tell(other, stream("zoo.one.occupancy"))
    asked = ["g.one.occupancy", "c.one.occupancy", "zoo.one.occupancy"]
    answer = city.get("/v1/latest", datastream=asked)
    assert answer.status_code == 403
    assert answer.json()["dataset"] == other
    assert used() == {GARAGES: 0, CYCLES: 0}
    refused = [one for one in city.records if isinstance(one, DecisionRecord) and not one.allowed]
    assert [one.dataset for one in refused] == [other], "the refusal is in the log"
    assert city.get("/v1/latest", datastream=asked[:2]).status_code == 200
    assert used() == {GARAGES: 1, CYCLES: 1}
