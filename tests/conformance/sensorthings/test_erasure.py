"""What a person has erased is gone from ingest, with all places of before, on each adapter of its store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dmi_agreements.contracts.law import SubjectRequest
from dmi_infra import clock
from dmi_infra.sql import open_engine
from dmi_ingest.store import PersonStore
from dmi_ingest.store.tables import metadata
from dmi_platform.intake import check_feature
from tests.unit.infra.fakes import eventually
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, VENDOR, Node, datastream, location, thing
from tests.unit.ingest.test_makers import NOOR, SAM

STREAM = "fiets.pm2_5"
KINDS = ("Things", "Datastreams", "Locations", "HistoricalLocations", "FeaturesOfInterest", "Sensors")


def at(longitude: float) -> dict[str, Any]:
    return {
        **location(),
        "name": "Thuis bij Noor",
        "location": {"type": "Point", "coordinates": [longitude, 52.1]},
    }


def described(node: Node, person: str = NOOR, name: str = "fiets", who: str = GEMEENTE, **more: Any) -> None:
    """A bicycle of a person that has been in three places."""
    node.gate.consenting.add(person)
    stream = {**datastream(), "@iot.id": f"{name}.pm2_5"}
    stream["Sensor"] = {**stream["Sensor"], "@iot.id": f"sensor-{name}", "name": "Sensor van Noor"}
    document = {**thing(dataset=BICYCLES, subject=person), "@iot.id": name, "name": "Fiets van Noor", **more}
    node.post("/v1.1/Things", {**document, "Locations": [at(5.17)], "Datastreams": [stream]}, who)
    for longitude in (5.18, 5.19):
        node.post(f"/v1.1/Things('{name}')/Locations", at(longitude), who)


def erased(node: Node, person: str = NOOR, until: int | None = None) -> None:
    now = clock.now()
    node.hear(
        SubjectRequest(f"urn:uuid:{now}", person, "erasure", BICYCLES, now, measured_until=until or now)
    )


def everything(node: Node) -> str:
    """All that the store holds."""
    engine = open_engine(node.settings.store_address("ingest"), "ingest")
    with engine.connect() as connection:
        found = [str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]
    engine.dispose()
    return "\n".join(found)


def counts(node: Node, who: str = GEMEENTE) -> dict[str, int]:
    return {kind: node.get(f"/v1.1/{kind}?$count=true", who)["@iot.count"] for kind in KINDS}


def test_things_places_and_all_places_of_before_are_gone_and_told_to_be(stored: Node) -> None:
    stored.post("/v1.1/Things", thing())
    before = counts(stored)
    described(stored)
    house = {
        "id": "huis", "kind": "building", "name": "Huis van Noor", "properties": {"subject": NOOR},
        "geometry": {"type": "Point", "coordinates": [5.17, 52.1]},
    }  # fmt: skip
    stored.post("/v1/features", {"dataset": BICYCLES, "features": [house]})
    seen = stored.get("/v1.1/Things('fiets')?$expand=Locations,HistoricalLocations")
    assert (len(seen["Locations"]), len(seen["HistoricalLocations"])) == (1, 3)
    erased(stored, SAM)
    assert stored.get("/v1.1/Things('fiets')")["name"] == "Fiets van Noor", "somebody else asked"
    erased(stored)
    assert stored.gate.done[-1][1] > 10
    eventually(lambda: stored.bus.features()["fiets"].name == "erased")
    assert stored.call("GET", "/v1.1/Things('fiets')").status_code == 404
    assert counts(stored) == before, "what is about nobody stays"
    kept = everything(stored)
    assert not any(word in kept for word in ("van Noor", "bij Noor", "5.17", "5.18", "5.19"))
    for name in ("fiets", STREAM, "huis"):
        told = stored.bus.features()[name]
        assert (told.name, told.geometry, told.valid_from) == ("erased", None, None)
        assert told.replaces_all, "other stores keep versions of before"
        assert told.valid_to is not None
        assert check_feature(told) is None, "the platform takes it, so the name of before goes there too"
    assert set(stored.bus.features()[STREAM].properties) == {"thing", "observed_property", "unit"}
    body = {"result": 1, "Datastream": {"@iot.id": STREAM}}
    assert stored.refused("/v1.1/Observations", body)["field"] == "Datastream.@iot.id"


def test_what_is_made_anew_is_about_the_same_person_and_stays_when_the_erasure_is_repeated(
    stored: Node,
) -> None:
    described(stored)
    until = clock.now()
    erased(stored, until=until)
    again = {
        **thing(dataset=BICYCLES),
        "@iot.id": "fiets",
        "Datastreams": [{**datastream(), "@iot.id": STREAM}],
    }
    stored.gate.consenting.clear()
    assert stored.refused("/v1.1/Things", again, 403)["type"].endswith("no-consent")
    stored.gate.consenting.add(NOOR)
    stored.post("/v1.1/Things", again)
    stored.post("/v1.1/Observations", {"result": 1, "Datastream": {"@iot.id": STREAM}})
    assert stored.bus.batches()[-1].subject == [NOOR]
    erased(stored, until=until)
    assert stored.get("/v1.1/Things('fiets')?$expand=Locations")["Locations"]
    erased(stored)
    assert stored.call("GET", "/v1.1/Things('fiets')").status_code == 404


def test_a_change_between_the_moment_of_the_erasure_and_its_coming_does_not_keep_the_thing(
    stored: Node,
) -> None:
    described(stored)
    until = clock.now()
    assert stored.call("PATCH", "/v1.1/Things('fiets')", {"description": "rood"}).status_code == 200
    erased(stored, until=until)
    assert stored.call("GET", "/v1.1/Things('fiets')").status_code == 404


def test_what_is_of_a_person_ends_without_name_and_place_also_when_its_maker_deletes_it(
    stored: Node,
) -> None:
    described(stored)
    stored.post("/v1.1/Things", {**thing(), "@iot.id": "paal", "Locations": [at(5.2)]})
    for name in ("fiets", "paal"):
        assert stored.call("DELETE", f"/v1.1/Things('{name}')").status_code == 200
    eventually(lambda: stored.bus.features()["paal"].valid_to is not None)
    for name in ("fiets", STREAM):
        told = stored.bus.features()[name]
        assert (told.name, told.geometry, told.replaces_all) == ("erased", None, True)
        assert told.valid_to is not None
    pole = stored.bus.features()["paal"]
    assert (pole.name != "erased", pole.replaces_all) == (True, False), "of nobody it tells what was there"
    again = {**thing(dataset=BICYCLES), "@iot.id": "fiets"}
    stored.gate.consenting.clear()
    stored.refused("/v1.1/Things", again, 403)
    stored.gate.consenting.add(NOOR)
    stored.post("/v1.1/Things", again)
    erased(stored)
    assert stored.call("GET", "/v1.1/Things('fiets')").status_code == 404, "it is about her still"


def test_places_are_found_when_their_thing_was_deleted_or_is_about_somebody_else(stored: Node) -> None:
    described(stored)
    assert stored.call("DELETE", "/v1.1/Things('fiets')").status_code == 200
    assert counts(stored)["Locations"] == 3
    described(stored, name="tweede")
    stored.gate.consenting.add(SAM)
    about = {"properties": {"subject": SAM}}
    assert stored.call("PATCH", "/v1.1/Things('tweede')", about).status_code == 200
    erased(stored)
    assert stored.get("/v1.1/Things('tweede')?$expand=Locations")["Locations"], "it is Sam's now"
    left = stored.get("/v1.1/Locations")["value"]
    assert [one["location"]["coordinates"][0] for one in left] == [5.19]
    assert counts(stored)["HistoricalLocations"] == 0
    erased(stored, SAM)
    assert "5.19" not in everything(stored)


def test_a_thing_with_datastreams_of_others_stays_for_these_without_name_and_place(stored: Node) -> None:
    stored.gate.allowed[BICYCLES].add(VENDOR)
    described(stored)
    stored.gate.consenting.add(SAM)
    other = {
        "id": "fiets.pm10", "kind": "datastream", "name": "PM10",
        "properties": {"thing": "fiets", "observed_property": "pm10", "unit": "ug/m3", "subject": SAM},
    }  # fmt: skip
    stored.post("/v1/features", {"dataset": BICYCLES, "features": [other]}, VENDOR)
    erased(stored)
    left = stored.get("/v1.1/Things('fiets')?$expand=Locations,HistoricalLocations")
    assert (left["name"], left["Locations"], left["HistoricalLocations"]) == ("erased", [], [])
    assert "subject" not in left["properties"]
    eventually(lambda: stored.bus.features()["fiets"].name == "erased")
    assert stored.bus.features()["fiets"].valid_to is None
    assert stored.bus.features()["fiets"].replaces_all
    rename = {"name": "Fiets"}
    assert stored.call("PATCH", "/v1.1/Things('fiets')", rename).status_code == 200
    eventually(lambda: stored.bus.features()["fiets"].name == "Fiets")
    assert not stored.bus.features()["fiets"].replaces_all
    stored.post("/v1.1/Observations", {"result": 1, "Datastream": {"@iot.id": "fiets.pm10"}})
    assert stored.bus.batches()[-1].subject == [SAM]


def test_a_place_that_others_share_stays_for_them(stored: Node) -> None:
    described(stored)
    shared = stored.get("/v1.1/Things('fiets')/Locations")["value"][0]["@iot.id"]
    stored.post(
        "/v1.1/Things", {**thing(dataset=GARAGES), "@iot.id": "stalling", "Locations": [{"@iot.id": shared}]}
    )
    erased(stored)
    assert [one["@iot.id"] for one in stored.get("/v1.1/Locations")["value"]] == [shared]
    assert stored.get("/v1.1/Things('stalling')?$expand=Locations")["Locations"]


def test_when_things_of_persons_were_where_has_a_term_and_what_is_now_stays(stored: Node) -> None:
    described(stored)
    stored.post("/v1.1/Things", thing())
    engine = open_engine(stored.settings.store_address("ingest"), "ingest")
    persons = PersonStore(engine)
    assert set(persons.kept_datasets()) == {BICYCLES, GARAGES}
    assert persons.delete_before(BICYCLES, clock.now() - 60_000_000) == 0
    assert persons.delete_before(BICYCLES, clock.now() + 1) == 3
    assert persons.delete_before(GARAGES, clock.now() + 1) == 0, "it is nobody's"
    engine.dispose()
    left = [one["location"]["coordinates"][0] for one in stored.get("/v1.1/Locations")["value"]]
    assert sorted(left) == [5.1, 5.19]
    assert stored.get("/v1.1/Things('fiets')?$expand=Locations")["Locations"]
