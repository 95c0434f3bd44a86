"""Negotiations between two exchanges on loopback, and a large catalogue. Prints one JSON object.

    python benchmarks/dataspace.py [--negotiations 60] [--at-once 50] [--offers 10000]

Each exchange is a process of its own on an embedded bus and SQLite. A negotiation is timed from the consumer's request
to its own interface until that node notes FINALIZED; the agreement then stands in the law of both. The offers of
the large catalogue are written into the provider's store; its pages are asked for over HTTP as another node would.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.dsp.messages import document
from dmi_command.client import Client
from dmi_command.demo.patience import patiently
from dmi_command.servers import free_port
from dmi_exchange.custody import Custody
from dmi_exchange.tables import law, offer
from dmi_infra import clock, passes
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.sql import open_engine, transaction

CONSUMER, OWNER = "urn:dmi:participant:stack", "urn:dmi:participant:buurstad"
KEEPER = "urn:dmi:participant:buurstad-stack"
DATASET = "urn:dmi:dataset:buurstad:centre"
TERMS = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:process", "dmi:read", "dmi:display"]}


class Exchange:
    """One exchange in a process."""

    def __init__(self, folder: Path, port: int, operator: str) -> None:
        self.folder, self.port, self.operator = folder, port, operator
        self.url = f"http://127.0.0.1:{port}"
        self.custody = Custody(folder / "keys", hosting=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, other: Exchange) -> None:
        """Start it; it knows the ``other`` one."""
        settings = {
            "DMI_DATA_DIR": str(self.folder), "DMI_PORT": str(self.port), "DMI_PUBLIC_URL": self.url,
            "DMI_STACK_PARTICIPANT": self.operator, "DMI_DSP_NODES": json.dumps([{"url": other.url}]),
            "DMI_LOG_LEVEL": "error",
        }  # fmt: skip
        own = {name: value for name, value in os.environ.items() if not name.startswith("DMI_")}
        command = [sys.executable, "-m", "dmi_command.serving", "exchange"]
        self.process = subprocess.Popen(command, env={**own, **settings})

    def client(self, who: str) -> Client:
        """Requests in the name of a participant whose key is kept here."""
        return Client(self.url, participant=who, key=self.custody.own(who))

    def await_ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/exchange/health/ready", timeout=1).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
        raise SystemExit("an exchange did not become ready")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)


def furnish(there: Exchange) -> None:
    """An owner with a dataset on offer."""
    key = there.custody.own(OWNER)
    with there.client(KEEPER) as keeper, there.client(OWNER) as owner:
        body = {"id": OWNER, "name": "Buurstad", "roles": ["dmi:role:municipality"], "keys": [key.public]}
        patiently(lambda: keeper.post("/exchange/v1/participants", body))
        path = f"/exchange/v1/participants/{OWNER}"
        statement = patiently(lambda: owner.get(f"{path}/statement"))
        patiently(lambda: owner.post(f"{path}/signature", {"jws": key.sign_document(statement)}))
        entry: dict[str, Any] = {
            "id": DATASET,
            "title": {"nl": "Centrum", "en": "Centre"},
            "purpose": TERMS["purpose"],
        }
        entry["spatial"] = {"bbox": [5.24, 52.17, 5.29, 52.19], "name": {"nl": "Buurstad", "en": "Buurstad"}}
        patiently(lambda: owner.post("/exchange/v1/datasets", entry))
        wish = {"dataset": DATASET, "template": "sensor-data", "parameters": TERMS}
        patiently(lambda: owner.post("/exchange/v1/offers", wish))


def wanted(here: Exchange, there: Exchange) -> dict[str, Any]:
    """The offer as the consumer's interface shows it."""
    with here.client(CONSUMER) as client:
        found = patiently(lambda: client.get("/exchange/v1/nodes/catalogue", node=there.url, dataset=DATASET))
    item = found["items"][0]
    return {"provider": item["owner"], "dataset": DATASET, "offer": item["offers"][0]}


def negotiate(here: Exchange, client: Client, body: dict[str, Any]) -> tuple[float, str]:
    """Seconds until FINALIZED, as the consumer's node notes it, and the agreement.

    Asked for seldom: each question costs the node a good part of what a step of the negotiation does.
    """
    begun = clock.now()
    mine = client.post("/exchange/v1/negotiations", body)
    path = f"/exchange/v1/negotiations/{mine['id']}"
    while mine["state"] not in ("FINALIZED", "TERMINATED"):
        if clock.now() - begun > 60_000_000:
            break
        time.sleep(0.05)
        mine = client.get(path)
    if mine["state"] != "FINALIZED":
        raise SystemExit(f"{mine['state']}: {mine['reason']}")
    ended = clock.from_datetime(datetime.fromisoformat(mine["changed_at"]))
    return (ended - begun) / 1_000_000, str(mine["agreement"])


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ranked = sorted(seconds)
    return {
        "p50_ms": round(statistics.median(ranked) * 1000, 1),
        "p95_ms": round(ranked[int(0.95 * (len(ranked) - 1))] * 1000, 1),
        "most_ms": round(ranked[-1] * 1000, 1),
    }


def negotiations(here: Exchange, there: Exchange, number: int, at_once: int) -> dict[str, Any]:
    """One after the other, then all at once; none may be lost on either side."""
    body = wanted(here, there)
    with here.client(CONSUMER) as client:
        for _ in range(5):
            negotiate(here, client, body)
        singly = [negotiate(here, client, body)[0] for _ in range(number)]

    def one(_number: int) -> tuple[float, str]:
        with here.client(CONSUMER) as client:
            return negotiate(here, client, body)

    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        together = list(pool.map(one, range(at_once)))
    whole = time.perf_counter() - begun
    made = {agreement for _, agreement in together}
    with here.client(CONSUMER) as client, there.client(OWNER) as owner:
        time.sleep(1)
        held = [
            {a["id"] for a in side.get("/exchange/v1/agreements")["items"] if a["state"] == "active"}
            for side in (client, owner)
        ]
    return {
        "one_after_the_other": {"number": number, **quantiles(singly)},
        "at_once": {
            "number": at_once,
            "seconds": round(whole, 2),
            **quantiles([seconds for seconds, _ in together]),
            "in_the_law_of_both": len(made & held[0] & held[1]),
        },
    }


def catalogue(here: Exchange, there: Exchange, number: int) -> dict[str, Any]:
    """Pages of 100 of a catalogue of ``number`` offers, each of a dataset of its own, all of them in turn."""
    engine = open_engine(f"sqlite:///{there.folder / 'exchange.db'}", "exchange")
    with transaction(engine) as connection:
        entry = connection.execute(sa.select(law).where(law.c.id == DATASET)).one()._asdict()
        first = connection.execute(sa.select(offer)).first()
        assert first is not None
        known = first._asdict()
        datasets, offers = [], []
        for index in range(number):
            name = f"urn:dmi:dataset:buurstad:d{index:06}"
            made = msgspec.json.decode(entry["body"], type=Dataset)
            body = msgspec.json.encode(msgspec.structs.replace(made, id=name)).decode()
            datasets.append({**entry, "id": name, "body": body})
            terms = {**json.loads(known["body"]), "id": f"urn:uuid:offer-{index}", "dataset": name}
            offers.append({**known, "id": terms["id"], "dataset": name, "body": json.dumps(terms)})
        connection.execute(sa.insert(law), datasets)
        connection.execute(sa.insert(offer), offers)
    engine.dispose()
    key = here.custody.own(EXCHANGE_PARTICIPANT)
    url: str | None = f"{there.url}/exchange/dsp/catalog/request?limit=100"
    content = json.dumps(document("CatalogRequestMessage")).encode()
    seconds, found = [], 0
    with httpx.Client(timeout=30) as http:
        while url:
            request = ("POST", url.partition("?")[0], content)
            now = clock.now() // 1_000_000
            audience = f"{there.url}/exchange/dsp"
            token = passes.sign_node(key, f"{here.url}/exchange", CONSUMER, audience, request, now)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            begun = time.perf_counter()
            answer = http.post(url, content=content, headers=headers)
            seconds.append(time.perf_counter() - begun)
            found += len(answer.json()["dataset"])
            url = answer.links.get("next", {}).get("url")
    return {"offers": found, "pages": len(seconds), **quantiles(seconds)}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--negotiations", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--offers", type=int, default=10_000)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        here = Exchange(Path(folder) / "here", free_port(), CONSUMER)
        there = Exchange(Path(folder) / "there", free_port(), KEEPER)
        here.start(there)
        there.start(here)
        try:
            here.await_ready()
            there.await_ready()
            furnish(there)
            result = {
                "machine": facts(),
                "load_before": round(load, 1),
                "negotiations": negotiations(here, there, options.negotiations, options.at_once),
                "catalogue": catalogue(here, there, options.offers),
            }
        finally:
            here.stop()
            there.stop()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
