"""Publishes the demonstration city through the public interface, as its participants would."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from dmi_agreements.contracts.features import FeatureBatch
from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_command.blueprints import read_settings
from dmi_command.client import Client
from dmi_command.demo import HISTORY, City, agreements, history, live, participants
from dmi_command.demo.patience import AGREED, UNHEARD, YOUNG, patiently
from dmi_command.errors import AnswerRefused, NotReached
from dmi_exchange.custody import Custody
from dmi_infra import clock

STEP_SECONDS = 1.0
NO_ROW_TAKEN = "rows-refused"
"""The problem of a batch of which no row may be taken."""
LONGEST_GAP: Micros = 3600 * 1_000_000
"""A longer absence is filled with history, which is coarser than what the sensors send live."""


class Progressed(msgspec.Struct):
    """Where the demonstration stands, kept beside the stores so that the next start goes on."""

    until: Micros = 0
    """City time up to which everything has been delivered; 0 before the first load is complete."""


class DemoCity:
    """Delivers the city: first everything up to now, then what its sensors measure."""

    def __init__(self, city: City, url: str, data_dir: Path) -> None:
        self._city = city
        self._url = url
        self._custody = Custody(data_dir / "keys", True, read_settings().passphrase())
        self._state = data_dir / "demonstration.json"
        self._clients: dict[str, Client] = {}
        self._silent: set[str] = set()
        """Participants whose keys or tokens are refused: their sensors send nothing any more."""

    def loaded_until(self) -> Micros:
        """City time up to which everything has been delivered; 0 when the load is not complete."""
        if not self._state.exists():
            return 0
        return msgspec.json.decode(self._state.read_bytes(), type=Progressed).until

    def load(self, progress: Progress, length: Micros = HISTORY) -> None:
        """Participants, datasets, agreements, places, and the history up to now; may be repeated."""
        now = clock.now()
        members = {participant.id: participant for participant, _, _ in participants()}
        papers = agreements(self._rulebook(), now)
        task = progress.add_task("deelnemers en overeenkomsten", total=len(members) + len(papers))
        for member in members.values():
            self._join(member)
            progress.advance(task)
        for dataset in self._city.datasets:
            self._publish(dataset)
        known = self._concluded(members)
        for document in papers:
            if (document["assigner"], document["assignee"], repr(document["permission"])) not in known:
                self._conclude(document)
            progress.advance(task)
        self._features(progress)
        self._batches(history(self._city, now - length, now), progress)
        self._keep(now)

    def run(self, speed: float, stopping: threading.Event) -> None:
        """Deliver what the sensors measure until ``stopping``; ``speed`` is city seconds per second."""
        began, city_began = time.monotonic(), max(self.loaded_until(), clock.now() if speed == 1 else 0)
        # After a fast run the city stands ahead of the clock; at its own pace it comes back to it.
        behind = min(self.loaded_until(), clock.now()) if speed == 1 else self.loaded_until()
        if clock.now() - behind > LONGEST_GAP and speed == 1:
            self._send(history(self._city, behind, clock.now()))
            behind = clock.now()
        while not stopping.wait(STEP_SECONDS):
            ahead = int((time.monotonic() - began) * 1_000_000 * speed)
            until = clock.now() if speed == 1 else city_began + ahead
            if self._send(live(self._city, behind, until)):
                behind = until
                self._keep(until)

    def close(self) -> None:
        """Close the connections of every participant."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # -- parts --------------------------------------------------------------

    def _client(self, participant: str) -> Client:
        if participant not in self._clients:
            key = self._custody.own(participant)
            self._clients[participant] = Client(self._url, participant=participant, key=key)
        return self._clients[participant]

    def _rulebook(self) -> str:
        with Client(self._url, demo="operator") as client:
            return str(client.get("/exchange/v1/rulebook")["version"])

    def _join(self, member: Participant) -> None:
        key = self._custody.own(member.id)
        body = {"id": member.id, "name": member.name, "roles": member.roles, "keys": [key.public]}
        with Client(self._url, demo="operator") as operator:
            patiently(lambda: _unless_there(lambda: operator.post("/exchange/v1/participants", body)))
        path = f"/exchange/v1/participants/{member.id}"
        client = self._client(member.id)
        if patiently(lambda: client.get("/exchange/v1/me"))["signed"] is None:
            statement = patiently(lambda: client.get(f"{path}/statement"))
            patiently(lambda: client.post(f"{path}/signature", {"jws": key.sign_document(statement)}))

    def _publish(self, dataset: Dataset) -> None:
        body = {
            field: getattr(dataset, field)
            for field in (
                "id",
                "title",
                "description",
                "personal",
                "basis",
                "data",
                "purpose",
                "category",
                "licence",
                "source",
                "layer",
            )
        }
        if dataset.about is not None:
            place = dataset.about.place
            body["spatial"] = {"bbox": place.bbox, "name": place.name, "codes": place.codes}
            body |= {"contact": dataset.about.contact, "languages": dataset.about.languages}
        patiently(lambda: self._client(dataset.owner).post("/exchange/v1/datasets", body))

    def _concluded(self, members: Iterable[str]) -> set[tuple[str, str, str]]:
        """Agreements that an earlier, interrupted load concluded."""
        found = set()
        for member in members:
            for path in ("/exchange/v1/agreements", "/exchange/v1/consents"):
                for item in patiently(partial(self._client(member).get, path))["items"]:
                    if item["state"] == "active":
                        found.add((item["assigner"], item["assignee"], repr(item["document"]["permission"])))
        return found

    def _conclude(self, document: dict[str, Any]) -> None:
        whole = {**document, "uid": f"urn:uuid:{uuid.uuid4()}"}
        giver = self._custody.own(whole["assigner"])
        signed = {"document": whole, "jws": giver.sign_document(whole)}
        answer = patiently(lambda: self._client(whole["assigner"]).post("/exchange/v1/agreements", signed))
        for other in answer["waiting_for"]:
            body = {"jws": self._custody.own(other).sign_document(whole)}
            path = f"/exchange/v1/agreements/{whole['uid']}/signature"
            patiently(partial(self._client(other).post, path, body))

    def _features(self, progress: Progress) -> None:
        task = progress.add_task("plekken en sensoren", total=len(self._city.features))
        owners = {dataset.id: dataset.owner for dataset in self._city.datasets}
        for dataset, features in self._city.features.items():
            body = msgspec.json.encode(FeatureBatch(dataset, features))
            post = partial(self._client(owners[dataset]).post_bytes, "/ingest/v1/features", body)
            patiently(post, young=AGREED)
            progress.advance(task)

    def _batches(self, batches: Iterable[ObservationBatch], progress: Progress) -> None:
        task = progress.add_task("acht weken metingen", total=None)
        for batch in batches:
            self._deliver(batch)
            progress.advance(task, len(batch))

    def _send(self, batches: Iterable[ObservationBatch]) -> bool:
        """Deliver batches; ``False`` when the stack did not answer, so that they are made again later."""
        try:
            for batch in batches:
                # Who has left stays away: to wait for it would keep all others waiting.
                self._deliver(batch, UNHEARD)
        except NotReached:
            return False
        return True

    def _deliver(self, batch: ObservationBatch, young: Collection[str] = YOUNG) -> None:
        owner = next(d.owner for d in self._city.datasets if d.id == batch.dataset)
        if owner in self._silent:
            return
        body = msgspec.json.encode(batch)

        def post() -> Any:
            return self._client(owner).post_bytes("/ingest/v1/batches", body)

        try:
            try:
                patiently(post, young=young)
            except AnswerRefused as refused:
                if refused.status != 401:
                    raise
                # The node may have put another key in the place of the one that it refuses.
                self._sign_anew(owner)
                patiently(post, young=young)
        except AnswerRefused as refused:
            if refused.status == 401:
                self._silent.add(owner)
                print(f"demonstration: {owner} sends nothing any more: {refused}", file=sys.stderr)
            # A stopped agreement, or rows of nobody but who has withdrawn: the sensor goes on measuring, and what it
            # sends is refused until there is another.
            elif refused.status != 403 and refused.code != NO_ROW_TAKEN:
                raise

    def _sign_anew(self, participant: str) -> None:
        """Forget the key and the token of a participant, so that the next request reads and asks for them anew."""
        client = self._clients.pop(participant, None)
        if client is not None:
            client.close()

    def _keep(self, until: Micros) -> None:
        self._state.write_bytes(msgspec.json.encode(Progressed(until)))


def _unless_there(ask: Any) -> None:
    try:
        ask()
    except AnswerRefused as refused:
        if refused.status != 409:
            raise
