"""As consumer: fetches the data of running transfers and hands it to this node's own ingest, behind its own gate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import structlog

from dmi_exchange.dsp.client import LARGEST_EVENT, Client, Unreachable
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.transfer import STREAM, Transfers
from dmi_exchange.flow.followers import Run
from dmi_exchange.flow.places import KINDS, Local, in_parts
from dmi_exchange.flow.store import Flows
from dmi_exchange.notices.aliases import is_alias
from dmi_infra.errors import Conflict, InputRefused, NotFound

log = structlog.get_logger("exchange")

ROWS: Final = 10_000
"""Most rows that ingest takes at once."""
_CURSOR: Final = re.compile(r"[A-Za-z0-9_:,-]{0,2000}", re.ASCII)
LARGEST_PULL: Final = 64 * 1024 * 1024


def named(owner: str, identifier: str) -> str:
    """An id in the name of the owner: two nodes may use the same one for things of their own."""
    slug = owner.rsplit(":", 1)[-1]
    return identifier if identifier.startswith(f"{slug}:") else f"{slug}:{identifier}"


class Intake:
    """Hands what came to ingest in the name of the owner of the data, under ids that are its own."""

    def __init__(self, local: Local, flows: Flows) -> None:
        self._local = local
        self._flows = flows

    def take(self, process: Process, body: object) -> str:
        """Take in one piece, durably; the position behind it. Raises ``InputRefused`` for another form."""
        if not isinstance(body, Mapping):
            raise InputRefused.of("body", "must be an object with features, observations and cursor")
        cursor, rows = body.get("cursor"), body.get("observations")
        if not isinstance(cursor, str):
            raise InputRefused.of("cursor", "must be a text")
        if not _CURSOR.fullmatch(cursor):
            raise InputRefused.of(
                "cursor", "must be a position: 2000 letters, digits, or - _ : , at most", cursor
            )
        batches = rows if isinstance(rows, list) else [rows] if rows else []
        places = body.get("features") or []
        if not isinstance(places, list) or not all(isinstance(item, dict) for item in (*places, *batches)):
            raise InputRefused.of("features", "features and observations must be lists of objects")
        if places:
            self._places(process, places)
        taken = [self._rows(process, batch) for batch in batches]
        accepted, refused = (sum(pair[side] for pair in taken) for side in (0, 1))
        self._flows.reached(process.id, cursor, accepted, refused)
        return cursor

    def _places(self, process: Process, places: list[dict[str, Any]]) -> None:
        renamed = []
        for item in places:
            kind, identifier, told = item.get("kind"), item.get("id"), item.get("properties") or {}
            if not isinstance(kind, str) or kind not in KINDS:
                raise InputRefused.of("features.kind", f"must be one of {', '.join(KINDS)}")
            if not isinstance(identifier, str):
                raise InputRefused.of("features.id", "must be a text")
            if not isinstance(told, dict):
                raise InputRefused.of("features.properties", "must be an object")
            properties = {name: value for name, value in told.items() if name != "subject"}
            if isinstance(properties.get("thing"), str):
                properties["thing"] = named(process.peer, properties["thing"])
            renamed.append({**item, "id": named(process.peer, identifier), "properties": properties})
        for part in in_parts(renamed):
            self._hand(process, "/ingest/v1/features", {"dataset": process.dataset, "features": part})

    def _rows(self, process: Process, batch: dict[str, Any]) -> tuple[int, int]:
        if batch.get("dataset") != process.dataset:
            raise InputRefused.of("observations.dataset", "must be the dataset of the transfer")
        columns = {name: column for name, column in batch.items() if isinstance(column, list)}
        streams = columns.get("datastream", [])
        if not all(isinstance(name, str) for name in streams):
            raise InputRefused.of("observations.datastream", "must be texts")
        columns["datastream"] = [named(process.peer, name) for name in streams]
        if not all(who is None or is_alias(who) for who in columns.get("subject", ())):
            raise InputRefused.of("observations.subject", "must be names of persons for this node alone")
        accepted = refused = 0
        for start in range(0, len(streams), ROWS):
            part = {name: column[start : start + ROWS] for name, column in columns.items()}
            answer = self._hand(process, "/ingest/v1/batches", {"dataset": process.dataset, **part})
            accepted += answer["accepted"]
            refused += answer["rejected"]
            if answer["rejected"]:
                log.warning(
                    "rows of another node are not taken", transfer=process.id, errors=answer["errors"][:3]
                )
        return accepted, refused

    def _hand(self, process: Process, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            content = msgspec.json.encode(body)
        except RecursionError as exc:
            raise InputRefused.of("body", "must not be nested too deeply") from exc
        answer = self._local.ask("POST", path, process.peer, None, content=content)
        found: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise InputRefused(
                f"this node does not take the data in: {found.get('detail', answer.status_code)}"
            )
        return found


class Inflow:
    """Fetches one transfer's data: the work of ``Followers`` on the consumer's side."""

    def __init__(self, transfers: Transfers, client: Client, intake: Intake, flows: Flows) -> None:
        self._transfers = transfers
        self._client = client
        self._intake = intake
        self._flows = flows

    def __call__(self, run: Run) -> bool:
        """See ``followers.Work``."""
        return self._stream(run) if run.process.format == STREAM else self._pull(run)

    def _stream(self, run: Run) -> bool:
        process = run.process
        cursor = self._flows.get(process.id).cursor
        endpoint = str(process.data_address["endpoint"])
        with self._client.stream(endpoint, self.token(process), cursor, process.owner, run.goes_on) as lines:
            run.note("")
            for name, data in events_of(lines):
                # An expired token is no end: the next round gets a fresh one and goes on behind what was taken.
                if not run.goes_on() or name == "expired":
                    return False
                self._take(process, name, data)
        return False

    def _pull(self, run: Run) -> bool:
        process = run.process
        while run.goes_on():
            cursor = self._flows.get(process.id).cursor
            url = f"{process.data_address['endpoint']}?after={cursor}"
            answer = self._client.fetch(url, self.token(process), LARGEST_PULL, process.owner)
            if not answer.well:
                raise Unreachable(f"the provider answered {answer.why}")
            run.note("")
            self._intake.take(process, answer.body)
            if not answer.body.get("more"):
                try:
                    self._transfers.complete(process.id)
                except Conflict as exc:
                    log.info("a transfer ended while it was completed", transfer=process.id, reason=str(exc))
                return True
        return False

    def _take(self, process: Process, name: str, data: bytes) -> None:
        if name not in ("data", "end"):
            return
        try:
            body = msgspec.json.decode(data)
        except (ValueError, RecursionError) as exc:
            raise Unreachable("the provider sent an event that cannot be read") from exc
        if name == "data":
            self._intake.take(process, body)
            return
        detail = body.get("detail") if isinstance(body, dict) else None
        why = detail if isinstance(detail, str) and detail else "without a reason"
        raise Unreachable(f"the provider ended the stream: {why}")

    def token(self, process: Process) -> str:
        """A fresh token for the data of a transfer; see ``fetch_token``."""
        return fetch_token(self._client, process)


def fetch_token(client: Client, process: Process) -> str:
    """A fresh token for the data of a transfer; raises ``Unreachable`` when there is none to be had."""
    for item in process.data_address.get("endpointProperties", ()):
        if item.get("name") == "tokenEndpoint":
            answer = client.ask("POST", process.address, str(item["value"]), b"{}", process.owner)
            given = answer.body.get("access_token")
            if not answer.well or not isinstance(given, str):
                raise Unreachable(f"the provider gives no token: {answer.why}")
            return given
        if item.get("name") == "authorization":
            return str(item["value"])
    raise NotFound("the provider told no way to a token")


def events_of(lines: Iterator[str], largest: int = LARGEST_EVENT) -> Iterator[tuple[str, bytes]]:
    """Server-sent events, name and data, from the lines of a stream; comments come as ``alive``.

    Raises ``Unreachable`` for an event that is larger than data can be.
    """
    name, data = "message", ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].removeprefix(" ")
            if len(data) > largest:
                raise Unreachable("an event of the stream is too large")
        elif line.startswith(":"):
            yield "alive", b""
        elif not line and data:
            yield name, data.encode()
            name, data = "message", ""
