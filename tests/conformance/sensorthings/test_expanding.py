"""``$expand`` asks the store once for each relation of a page, and brings what following the relation would."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dmi_infra.sql import open_engine, transaction
from dmi_ingest.sensorthings import showing
from dmi_ingest.sensorthings.kinds import KINDS
from dmi_ingest.store.tables import link
from tests.unit.ingest.fakes import (
    BICYCLES,
    GARAGES,
    GEMEENTE,
    VENDOR,
    Node,
    datastream,
    location,
    statements,
    thing,
)

KINDS_WITH_RELATIONS = [name for name, kind in KINDS.items() if kind.navigations]


def described(node: Node) -> None:
    """Things of two datasets with shared and own Sensors, several Locations in the past, and one with nothing."""
    for number in range(3):
        streams: list[dict[str, Any]] = [
            {**datastream(), "@iot.id": f"stroom-{number}-{n}"} for n in range(number + 1)
        ]
        for part, own in (("Sensor", "lus"), ("ObservedProperty", "occupancy")):
            streams[-1][part] = {**streams[-1][part], "@iot.id": f"{own}-{number}"}
        dataset = (GARAGES, GARAGES, BICYCLES)[number]
        body = {**thing(dataset=dataset), "@iot.id": f"ding-{number}", "Datastreams": streams}
        node.post("/v1.1/Things", body)
    node.post("/v1.1/Things('ding-0')/Locations", {**location(), "name": "Verhuisd"})
    node.post("/v1.1/Things", {**thing(), "name": "Leeg", "Locations": [], "Datastreams": []})


def test_each_relation_is_asked_for_once_and_brings_what_following_it_brings(stored: Node) -> None:
    described(stored)
    # A HistoricalLocation of the name of a Datastream of another Thing.
    engine = open_engine(stored.settings.store_address("ingest"), "ingest")
    with transaction(engine) as connection:
        named = {"kind": "HistoricalLocations", "id": "stroom-0-0", "navigation": "Thing", "target": "ding-1"}
        connection.execute(sa.insert(link).values(named))
    engine.dispose()
    for who in (GEMEENTE, VENDOR):
        for name in KINDS_WITH_RELATIONS:
            relations = KINDS[name].navigations
            with statements() as asked:
                page = stored.get(f"/v1.1/{name}?$expand={','.join(relations)}", who)["value"]
            assert len(asked) == 1 + (len(relations) if page else 0), (name, asked)
            assert who == VENDOR or len(page) > 1, name
            for item in page:
                for relation, navigation in relations.items():
                    path = item["@iot.selfLink"].partition("/ingest")[2] + f"/{relation}"
                    if navigation.many:
                        assert item[relation] == stored.get(path, who)["value"], path
                    else:
                        followed = stored.call("GET", path, who=who)
                        assert item[relation] == (followed.json() if followed.status_code == 200 else None)


def test_of_a_relation_with_many_ends_each_entity_brings_the_first_that_were_made(
    stored: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(stored)
    monkeypatch.setattr(showing, "DEFAULT_TOP", 2)
    things = stored.get("/v1.1/Things?$expand=Datastreams")["value"]
    assert [len(item["Datastreams"]) for item in things] == [1, 2, 2, 0]
    for item in things:
        first = stored.get(f"/v1.1/Things('{item['@iot.id']}')/Datastreams?$top=2")["value"]
        assert item["Datastreams"] == first
