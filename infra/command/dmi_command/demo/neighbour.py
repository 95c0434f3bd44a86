"""The second city of the demonstration of two nodes: garages and a counted square, offered to the layers next door."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from dmi_command.client import Client
from dmi_command.demo.patience import AGREED, patiently
from dmi_command.errors import AnswerRefused, NotReached
from dmi_exchange.custody import Custody
from dmi_infra import clock
from dmi_infra.jose import SigningKey

CITY: Final = "urn:dmi:participant:buurstad"
STACK: Final = "urn:dmi:participant:buurstad-stack"
CENTRE: Final = "urn:dmi:dataset:buurstad:centre"
ROLES: Final = ("dmi:role:municipality", "dmi:role:provider", "dmi:role:user", "dmi:role:analyst")
LAYER_ACTIONS: Final = ["dmi:process", "dmi:read", "dmi:display", "dmi:analyse", "dmi:publish"]
READER_ACTIONS: Final = ["dmi:read", "dmi:display", "dmi:analyse"]
PURPOSE: Final = "dmi:purpose:public-task"
PLACES: Final = {
    "markt": ("Garage Markt", 5.262, 52.182, 320),
    "station": ("Garage Station", 5.271, 52.176, 540),
    "haven": ("Garage Haven", 5.249, 52.187, 210),
    "oost": ("Garage Oost", 5.284, 52.180, 150),
}
"""Name, longitude and latitude in WGS84 degrees, and capacity in vehicles."""
SQUARE: Final = "plein.passersby"
SQUARE_WIDTH_M: Final = 6.0
STEP_SECONDS: Final = 1.0


class Neighbour:
    """Delivers the second city through the public interface, as its participants would."""

    def __init__(self, url: str, data_dir: Path) -> None:
        custody = Custody(data_dir / "keys", hosting=True)
        self._key = custody.own(CITY)
        self.city = Client(url, participant=CITY, key=self._key)
        self.operator = Client(url, participant=STACK, key=custody.own(STACK))
        self._stack_key = custody.own(STACK)

    def close(self) -> None:
        """Close the connections."""
        self.city.close()
        self.operator.close()

    def load(self) -> None:
        """The participant, its dataset, places, the layers' right and two offers; may be repeated."""
        self.join()
        entry = {
            "id": CENTRE,
            "title": {"nl": "Binnenstad van Buurstad", "en": "City centre of Buurstad"},
            "description": {
                "nl": "Bezetting van vier garages en voorbijgangers op het Stationsplein, elke seconde.",
                "en": "Occupancy of four garages and passers-by on the station square, every second.",
            },
            "purpose": PURPOSE,
            "category": "mobility",
            "layer": "points",
            "spatial": {"bbox": [5.24, 52.17, 5.29, 52.19], "name": {"nl": "Buurstad", "en": "Buurstad"}},
        }
        patiently(lambda: self.city.post("/exchange/v1/datasets", entry))
        if not patiently(lambda: self.city.get("/exchange/v1/offers"))["items"]:
            self.conclude([*LAYER_ACTIONS, "dmi:export"])
            self.offer(LAYER_ACTIONS)
            self.offer(READER_ACTIONS)
        self.place()

    def place(self) -> None:
        """Lay down where is measured: the first thing for which the layers need the agreement."""
        body = {"dataset": CENTRE, "features": features()}
        try:
            patiently(lambda: self.city.post("/ingest/v1/features", body), young=AGREED)
        except AnswerRefused as refused:
            # A stopped agreement: the places came with an earlier load, and the city starts all the same.
            if refused.status != 403 or refused.code in AGREED:
                raise

    def join(self) -> None:
        """Let the municipality become a participant that has signed the rulebook; may be repeated."""
        join(self.operator, self.city, self._key, CITY, "Gemeente Buurstad", ROLES)

    def conclude(self, actions: list[str], **more: Any) -> str:
        """The agreement under which this city's own layers work with the data."""
        wanted = {
            "assigner": CITY, "assignee": STACK, "datasets": [CENTRE], "purpose": "dmi:purpose:any", **more,
            "actions": actions,
        }  # fmt: skip
        draft = {"template": "sensor-data", "parameters": wanted}
        document = patiently(lambda: self.city.post("/exchange/v1/agreements/draft", draft))
        signed = {"document": document, "jws": self._key.sign_document(document)}
        patiently(lambda: self.city.post("/exchange/v1/agreements", signed))
        path = f"/exchange/v1/agreements/{document['uid']}/signature"
        patiently(lambda: self.operator.post(path, {"jws": self._stack_key.sign_document(document)}))
        return str(document["uid"])

    def offer(self, actions: list[str], **more: Any) -> dict[str, Any]:
        """Offer the dataset for these actions."""
        parameters = {"actions": actions, "purpose": PURPOSE, **more}
        body = {"dataset": CENTRE, "template": "sensor-data", "parameters": parameters}
        found: dict[str, Any] = patiently(lambda: self.city.post("/exchange/v1/offers", body))
        return found

    def measure(self, at: int, dataset: str = CENTRE) -> None:
        """Hand in what is measured at ``at`` (µs UTC)."""
        names = list(PLACES)
        body = {
            "dataset": dataset,
            "datastream": [*(f"garages.{name}.occupancy" for name in names), SQUARE],
            "phenomenon_time": [at] * (len(names) + 1),
            "result": [*(occupancy(name, at) for name in names), passers_by(at)],
        }
        patiently(lambda: self.city.post("/ingest/v1/batches", body))

    def run(self, stopping: threading.Event) -> None:
        """Measure every second until ``stopping``."""
        while not stopping.wait(STEP_SECONDS):
            try:
                self.measure(clock.now() // 1_000_000 * 1_000_000)
            except NotReached:
                continue  # the stack is on its way up, or down
            except AnswerRefused as refused:
                if refused.status != 403:
                    raise


def join(
    operator: Client, member: Client, key: SigningKey, identifier: str, name: str, roles: Sequence[str]
) -> None:
    """Let ``operator`` admit a member, and the member sign the rulebook; may be repeated."""
    body = {"id": identifier, "name": name, "keys": [key.public], "roles": list(roles)}
    try:
        patiently(lambda: operator.post("/exchange/v1/participants", body))
    except AnswerRefused as refused:
        if refused.status != 409:
            raise
    path = f"/exchange/v1/participants/{identifier}"
    if patiently(lambda: member.get("/exchange/v1/me"))["signed"] is None:
        statement = patiently(lambda: member.get(f"{path}/statement"))
        patiently(lambda: member.post(f"{path}/signature", {"jws": key.sign_document(statement)}))


def occupancy(name: str, at: int) -> float:
    """Parked vehicles: a slow wave over the day, a quicker one that shows on the map while one looks."""
    capacity = PLACES[name][3]
    seconds = at / 1_000_000
    day = 0.5 - 0.3 * math.cos(2 * math.pi * (seconds % 86_400 - 14_400) / 86_400)
    return float(round(capacity * (day + 0.05 * math.sin(seconds / 20 + len(name)))))


def passers_by(at: int) -> float:
    """Persons a minute over the square."""
    return float(round(180 + 120 * math.sin(at / 30_000_000)))


def features() -> list[dict[str, Any]]:
    """A thing and its datastream, for each garage and for the square."""
    width = {"effective_width": SQUARE_WIDTH_M}
    square = {"type": "Point", "coordinates": [5.2705, 52.1772]}
    counted = {
        "thing": "plein",
        "observed_property": "crowd_count",
        "unit": "{person}",
        "interval_s": 60,
        **width,
    }
    found: list[dict[str, Any]] = [
        {"id": "plein", "kind": "thing", "name": "Stationsplein", "geometry": square, "properties": dict(width)},
        {
            "id": SQUARE, "kind": "datastream", "name": "Voorbijgangers Stationsplein", "geometry": square,
            "properties": counted,
        },
    ]  # fmt: skip
    for slug, (name, longitude, latitude, capacity) in PLACES.items():
        point = {"type": "Point", "coordinates": [longitude, latitude]}
        thing = {"id": f"garages.{slug}", "kind": "thing", "name": name, "geometry": point}
        found.append({**thing, "properties": {"capacity": capacity}})
        properties = {
            "thing": f"garages.{slug}", "observed_property": "occupancy", "unit": "{vehicle}",
            "capacity": capacity,
        }  # fmt: skip
        stream = {"id": f"garages.{slug}.occupancy", "kind": "datastream", "name": f"Bezetting {name}"}
        found.append({**stream, "geometry": point, "properties": properties})
    return found


def load(url: str, data_dir: Path) -> None:
    """Load the second city, as far as that was not done."""
    neighbour = Neighbour(url, data_dir)
    try:
        neighbour.load()
    finally:
        neighbour.close()


def run(url: str, data_dir: Path) -> None:
    """Let the garages of the second city measure, until SIGTERM or Ctrl-C."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    neighbour = Neighbour(url, data_dir)
    try:
        neighbour.run(stopping)
    finally:
        neighbour.close()
