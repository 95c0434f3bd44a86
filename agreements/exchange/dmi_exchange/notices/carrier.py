"""Carries notices to other nodes until these have heard them and have carried them out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec
import structlog

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp.messages import document
from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.courier import FIRST_WAIT, LONGEST_WAIT, REFUSED_WAIT, host_of
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Processes
from dmi_exchange.notices.aliases import Aliases
from dmi_exchange.notices.model import Layer, Notice
from dmi_exchange.notices.store import Notices
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import NotFound, Unavailable

log = structlog.get_logger("exchange")

SUBJECT_NOTICE: Final = "urn:dmi:SubjectNotice"
"""Our own message beside the protocol, which has none for it."""
IDLE_SECONDS: Final = 0.5
HOSTS: Final = 32
"""Hosts that are told at the same time; there are as many as nodes are known."""
ASKED_WAIT: Final = 60.0
"""Seconds at most until a node that has heard is asked what its layers have done."""
LAYERS: Final = 20
"""Layers of another node that are taken note of, at most."""


class Carrier:
    """A thread that finds what is due, and a turn for each host: one that is slow keeps no other from being told.

    Nothing is given up.
    """

    def __init__(self, notices: Notices, processes: Processes, client: Client, aliases: Aliases) -> None:
        self._notices = notices
        self._processes = processes
        self._client = client
        self._aliases = aliases
        self._wanted = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()
        self._turns: dict[str, set[str]] = {}
        """Hosts that are being told, with the recipients there of whom something is due."""
        self._pool = ThreadPoolExecutor(HOSTS, thread_name_prefix="notices")
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def start(self) -> None:
        """Begin, also with what an earlier run left."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is not heard waits in the store."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=5)
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait(IDLE_SECONDS)
            self._wanted.clear()
            try:
                self.round()
            except Unavailable as exc:
                log.warning("notices wait", reason=exc.public)
            except Exception as exc:  # the thread must live: it looks again
                log.error("notices cannot be carried", exc_info=exc)

    def round(self) -> None:
        """Begin a turn of every host for which something is due and that is not being told already."""
        with self._lock:
            seen = set().union(*self._turns.values())
        # However much is due to some, those behind them are found: whoever was seen is left out of what is read next.
        while not self._stopping and (due := self._notices.due(clock.now(), seen)):
            seen |= {one.recipient for one in due}
            turns: dict[str, list[Notice]] = {}
            for one in due:
                host = self._host(one)
                if host is not None:
                    turns.setdefault(host, []).append(one)
            for host, mine in turns.items():
                self._begin(host, mine)

    def _host(self, one: Notice) -> str | None:
        try:
            return host_of(self._processes.get(one.process).address)
        except NotFound:
            self._later(one, "no negotiation with the node of this recipient is known", REFUSED_WAIT)
            return None

    def _begin(self, host: str, mine: list[Notice]) -> None:
        with self._lock:
            told = host in self._turns
            self._turns.setdefault(host, set()).update(one.recipient for one in mine)
        if not told and not self._stopping:
            self._pool.submit(self._turn, host, mine)

    def _turn(self, host: str, mine: list[Notice]) -> None:
        """Tell one host what is due; of one that does not answer one alone is tried."""
        away = ""
        try:
            for one in mine:
                if self._stopping:
                    return
                away = self._tell(one, away)
        except Unavailable as exc:
            log.warning("notices wait", reason=exc.public)
        except Exception as exc:  # the store's, or else it would have been noted at the notice
            log.error("notices cannot be carried", exc_info=exc)
        finally:
            with self._lock:
                del self._turns[host]
        # What came for it meanwhile.
        self._wanted.set()

    def _tell(self, one: Notice, away: str) -> str:
        """Try one notice; returns why its host is away, if it is."""
        try:
            if not away:
                process = self._processes.get(one.process)
                path = f"negotiations/{process.peer_pid}/notice"
                self._heard(
                    one, self._client.post(process.address, path, self.body(one, process), process.owner)
                )
                return ""
        except Unreachable as exc:
            away = str(exc)
        except Unavailable:
            raise
        except NotFound:  # taken back meanwhile, or its process is gone, which the next round sees
            return ""
        except Exception as exc:  # those behind it must be told
            log.error("a notice cannot be carried", notice=one.id, exc_info=exc)
            self._later(one, "a fault of this node; it has been logged", LONGEST_WAIT)
            return ""
        self._later(one, away, LONGEST_WAIT)
        return away

    def body(self, one: Notice, process: Process) -> bytes:
        """The message: what is asked, bound to the agreement, about a person by the name that it has there."""
        alias = self._aliases.of(one.recipient)
        made: dict[str, Any] = document(
            SUBJECT_NOTICE,
            consumerPid=process.consumer_pid,
            providerPid=process.provider_pid,
            agreementId=process.agreement_id,
            notice={
                "id": one.cause,
                "right": one.right,
                "state": one.state,
                "dataset": one.dataset,
                "person": alias(one.person),
                "until": to_text(one.until),
                "purpose": one.purpose,
                "corrections": [
                    {"datastream": each.datastream, "time": to_text(each.phenomenon_time), "result": each.result}
                    for each in one.corrections
                ],
            },
        )  # fmt: skip
        return msgspec.json.encode(made)

    def _heard(self, one: Notice, answer: Answer) -> None:
        if not answer.well:
            passing = answer.status >= 500 or answer.status in (408, 425, 429)
            said = f"its node {'answered' if passing else 'refused'}: {answer.why}"
            self._later(one, said, LONGEST_WAIT if passing else REFUSED_WAIT)
            return
        layers = _layers(answer.body.get("carriedOut"))
        done = answer.body.get("complete") is True
        now = clock.now()

        def note(known: Notice) -> Notice:
            return msgspec.structs.replace(
                known, told_at=known.told_at or now, reason="" if done else "its node is carrying it out",
                carried_out=layers, outcome="done" if done else "", answered_at=now if done else None,
                attempts=0 if known.told_at is None else known.attempts + 1,
                corrections=[] if done else known.corrections,
            )  # fmt: skip

        self._notices.change(one.id, note, None if done else now + _wait(one.attempts, ASKED_WAIT))

    def _later(self, one: Notice, reason: str, longest: float) -> None:
        tries = one.attempts + 1
        text = f"{reason}; tried {tries} time{'s' if tries > 1 else ''}, goes on trying"[:1000]

        def note(known: Notice) -> Notice:
            return msgspec.structs.replace(known, reason=text, attempts=tries)

        self._notices.change(one.id, note, clock.now() + _wait(one.attempts, longest))


def _wait(attempts: int, longest: float) -> Micros:
    return int(min(FIRST_WAIT * 2 ** min(attempts, 20), longest) * 1_000_000)


def _layers(found: object) -> list[Layer]:
    """What layers did, as another node tells it; what cannot be read of it is left out."""
    layers = []
    for item in found[:LAYERS] if isinstance(found, list) else ():
        try:
            told = msgspec.convert(item, _Told)
            layers.append(Layer(told.service[:50], told.rows, clock.from_text(told.at)))
        except (msgspec.ValidationError, ValueError):
            log.warning("another node tells of a layer what cannot be read")
    return layers


class _Told(msgspec.Struct, frozen=True):
    service: str
    rows: int
    at: str
