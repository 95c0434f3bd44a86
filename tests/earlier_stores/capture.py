"""Writes the rows of the newest revisions: runs a stack, has something done in every table, and keeps it.

``python -m tests.earlier_stores.capture FOLDER``, before a migration is added. Files that exist stay as they are.
"""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import zstandard

from dmi_agreements.crossings import BY_NAME
from dmi_command.client import Client
from dmi_command.servers import free_port
from dmi_infra.bus.embedded.file import OFFSET_BITS
from dmi_infra.jose import SigningKey
from tests.earlier_stores import PACKAGES, dealings, file_of, revisions, write
from tests.integration.newcomer import HERE, Newcomer, agree, join, publish
from tests.stack_plugin import EmbeddedStack, await_settled

QUARTER = 900_000_000
DAYS = 15
FEW = {
    "dmi_platform": {"observation": "datastream < 3 AND time > (SELECT max(time) FROM observation) - 10800000000 "
                                    "OR datastream > 2"},
    "dmi_visualisation": {"quarter": "rowid IN (SELECT rowid FROM quarter ORDER BY rowid DESC LIMIT 40)"},
    "dmi_support_centre": {
        "quarter": "rowid IN (SELECT rowid FROM quarter ORDER BY rowid DESC LIMIT 40)",
        "track": "rowid IN (SELECT rowid FROM track ORDER BY rowid DESC LIMIT 60)",
    },
}  # fmt: skip
"""Of measurements a part is enough."""
ROLES = [f"dmi:role:{role}" for role in ("municipality", "provider", "analyst", "user")]
RELAYED = {BY_NAME[name].topic for name in ("law", "features", "harmonised", "indicators", "measures")}
EXTENT = {
    "type": "Polygon",
    "coordinates": [[[5.1, 52.1], [5.12, 52.1], [5.12, 52.12], [5.1, 52.12], [5.1, 52.1]]],
}


def main(folder: Path) -> None:
    """Fill the stores of a new stack under ``folder`` and keep their rows."""
    folder.mkdir(parents=True)
    stack = EmbeddedStack("capture", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    stack.start()
    try:
        owner = join(stack, "vroeger", ROLES)
        user = join(stack, "gebruiker", ["dmi:role:municipality", "dmi:role:vendor", "dmi:role:user"])
        _law(stack, owner, user)
        _measurements(stack, owner)
        _person(stack, owner)
        await_settled(stack)
        _results(stack, owner)
        dealings.prices(stack, owner, user)
        dealings.persons(stack, owner, user)
        await_settled(stack)
        time.sleep(3)
    finally:
        # Not a graceful stop: what a killed process leaves is what a store has to live with.
        stack.kill()
    for package in PACKAGES:
        name = package.removeprefix("dmi_")
        store = folder / "data" / f"{name}.db"
        if package == "dmi_exchange":
            dealings.later(store, owner, user)
        _wait_in_outbox(store, folder / "data" / "bus.db", name.replace("_", "-"))
        newest = revisions(package)[-1]
        if not file_of(package, newest).exists():
            write(package, newest, store, FEW.get(package, {}))


def _well(answer: Any) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def _law(stack: EmbeddedStack, owner: Newcomer, user: Newcomer) -> None:
    for name in ("garages", "buurten", "druk"):
        publish(stack, owner, name, layer="areas" if name == "buurten" else "points")
    ended = agree(stack, owner, "urn:dmi:participant:gebruiker", owner.dataset("garages"), ["dmi:read"])
    _well(owner.ask("POST", f"/exchange/v1/agreements/{ended}/end", json={"reason": "klaar"}))
    _dataspace(owner, user)


def _dataspace(owner: Newcomer, user: Newcomer) -> None:
    terms = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:read"]}
    wish = {"dataset": owner.dataset("garages"), "template": "sensor-data", "parameters": terms}
    made = _well(owner.ask("POST", "/exchange/v1/offers", json=wish))
    offer = {"@id": made["id"], "@type": "Offer", "target": made["dataset"], **made["rules"]}
    # Nothing listens there, so the request of the one and the answer to the other wait.
    away = "http://127.0.0.1:9/dsp"
    begun = {"provider": owner.id, "address": away, "dataset": made["dataset"], "offer": offer}
    _well(user.ask("POST", "/exchange/v1/negotiations", json=begun))
    message = {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "ContractRequestMessage",
        "@id": "urn:uuid:1", "consumerPid": "urn:uuid:2", "callbackAddress": away, "offer": offer,
    }  # fmt: skip
    _well(user.ask("POST", "/exchange/dsp/negotiations/request", json=message))


def _features(owner: Newcomer) -> None:
    def feature(identifier: str, kind: str, geometry: Any = None, **properties: Any) -> dict[str, Any]:
        return {
            "id": identifier,
            "kind": kind,
            "name": identifier,
            "geometry": geometry,
            "properties": properties,
        }

    point = {"type": "Point", "coordinates": [5.11, 52.11]}
    streams = [
        feature(f"vroeger.{name}.occupancy", "datastream", thing=f"vroeger.{name}", observed_property="occupancy",
                unit="{vehicle}", capacity=400, minimum=0, maximum=400)
        for name in ("centrum", "rand")
    ]  # fmt: skip
    things = [feature(f"vroeger.{name}", "parking", point, capacity=400) for name in ("centrum", "rand")]
    area = feature("BU99990001", "neighbourhood", EXTENT, inhabitants=1000, jobs=200, green_m2=5000)
    building = feature(
        "vroeger.gebouw", "building", EXTENT, use="office", floor_m2=2000, neighbourhood="BU99990001"
    )
    counter = feature("vroeger.straat", "thing", point, effective_width=3.0)
    counted = feature("vroeger.straat.crowd_count", "datastream", thing="vroeger.straat",
                      observed_property="crowd_count", unit="{person}", interval_s=60)  # fmt: skip
    for name, found in (
        ("garages", things + streams),
        ("buurten", [area, building]),
        ("druk", [counter, counted]),
    ):
        body = {"dataset": owner.dataset(name), "features": found}
        made = _well(owner.ask("POST", "/ingest/v1/features", json=body))
        assert made["rejected"] == 0, made


def _measurements(stack: EmbeddedStack, owner: Newcomer) -> None:
    _features(owner)
    now = int(time.time() * 1e6) // QUARTER * QUARTER
    times = [now - number * QUARTER for number in range(DAYS * 96, -1, -1)]
    for name, level in (("centrum", 300), ("rand", 120)):
        values = [round(level + 90 * math.sin(at / QUARTER / 96 * 2 * math.pi)) for at in times]
        _batch(owner, "garages", f"vroeger.{name}.occupancy", times, [float(value) for value in values])
    minute = [now + number * 60_000_000 for number in range(-10, 1)]
    _batch(owner, "druk", "vroeger.straat.crowd_count", minute, [150.0] * len(minute))
    # Twice another value under one key: a conflict, which is kept among the rejects.
    _batch(owner, "druk", "vroeger.straat.crowd_count", minute[:1], [7.0])
    thing = {
        "name": "Paal", "description": "paal", "properties": {"dataset": owner.dataset("druk")},
        "Locations": [{"name": "hier", "description": "hier", "encodingType": "application/geo+json",
                       "location": {"type": "Point", "coordinates": [5.11, 52.11]}}],
    }  # fmt: skip
    made = owner.ask("POST", "/ingest/v1.1/Things", json=thing)
    assert made.status_code == 201, made.text
    lines = ["SystemCodeNumber,Capacity,Occupancy,LastUpdated", "Oud,500,61,2016-10-04 07:59:42"]
    lines.append("Oud,500,x,2016-10-04 08:25:42")
    query = {"kind": "birmingham-parking", "dataset": owner.dataset("garages")}
    files = {"file": ("oud.csv", "\n".join(lines), "text/csv")}
    print(_well(owner.ask("POST", "/ingest/v1/imports", params=query, files=files)))


def _person(stack: EmbeddedStack, owner: Newcomer) -> None:
    """Somebody asks something: ingest keeps up to which request it has carried them out."""
    body = {
        "id": owner.dataset("fiets"), "title": {"nl": "fiets", "en": "bicycle"}, "layer": "points",
        "spatial": HERE, "personal": True, "basis": "dmi:basis:public-task", "purpose": "dmi:purpose:mobility",
    }  # fmt: skip
    _well(owner.ask("POST", "/exchange/v1/datasets", json=body))
    person, key = "urn:dmi:person:toen", SigningKey.generate()
    entry = {"id": person, "name": "Toen", "roles": ["dmi:role:resident"], "keys": [key.public]}
    with stack.demo("operator") as operator:
        operator.post("/exchange/v1/participants", entry)
    with Client(stack.url, participant=person, key=key) as client:
        statement = client.get(f"/exchange/v1/participants/{person}/statement")
        client.post(f"/exchange/v1/participants/{person}/signature", {"jws": key.sign_document(statement)})
        client.post("/exchange/v1/my-data/erasure", {"datasets": [body["id"]]})


def _batch(owner: Newcomer, name: str, stream: str, times: list[int], values: list[float]) -> None:
    body = {
        "dataset": owner.dataset(name), "datastream": [stream] * len(times), "phenomenon_time": times,
        "result": values,
    }  # fmt: skip
    _well(owner.ask("POST", "/ingest/v1/batches", json=body))


def _results(stack: EmbeddedStack, owner: Newcomer) -> None:
    rule = {
        "type": "garage", "id": "vol", "place": "vroeger.centrum", "hub": "vroeger.rand", "full_share": 0.01,
        "release_share": 0.0, "hub_room_share": 0.0,
    }  # fmt: skip
    _well(owner.ask("POST", "/support-centre/v1/rules", json=rule))
    _well(owner.ask("POST", "/support-centre/v1/rules", json={**rule, "id": "nooit", "place": "vroeger.rand",
                    "hub": "vroeger.centrum", "full_share": 1.0, "release_share": 0.9}))  # fmt: skip
    # Nothing listens there, so what is to be told waits.
    _well(owner.ask("POST", "/support-centre/v1/subscriptions", json={"url": "http://127.0.0.1:9/"}))
    plan = _well(owner.ask("POST", "/support-centre/v1/scenarios", json={"title": "Toen"}))
    print(plan)
    until = time.monotonic() + 90
    while time.monotonic() < until:
        owner.ask("POST", "/support-centre/v1/forecasts/recompute")
        found = _well(owner.ask("GET", "/support-centre/v1/measures"))["items"]
        if found:
            break
        time.sleep(1)
    print(found)
    _well(owner.ask("POST", f"/support-centre/v1/measures/{found[0]['id']}/approve"))


def _wait_in_outbox(store: Path, bus: Path, service: str) -> None:
    """Leave the newest message of the service in its outbox, as a process that was killed in between does."""
    connection = sqlite3.connect(store)
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
        connection.execute("ATTACH ? AS bus", (str(bus),))
        found = connection.execute(
            "SELECT p.topic, r.key, r.envelope, r.value, r.packed FROM bus.record r "
            "JOIN bus.partition p ON p.id = r.id >> ? ORDER BY r.stored_at DESC",
            (OFFSET_BITS,),
        )
        for topic, key, envelope, value, packed in found:
            about = json.loads(envelope)
            if (
                about["source"].endswith(f":{service}")
                and "heartbeat" not in about["type"]
                and topic in RELAYED
            ):
                payload = zstandard.ZstdDecompressor().decompress(value) if packed else value
                row = (topic, key, bytes(envelope).decode(), payload)
                connection.execute(
                    "INSERT INTO outbox (topic, key, envelope, value) VALUES (?, ?, ?, ?)", row
                )
                break
        connection.commit()
    connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
