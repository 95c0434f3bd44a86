"""What every service is made of: bus, law, gate, recorder, metrics; started and stopped together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import dmi_agreements
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Bus, Publisher
from dmi_infra.gate import Gate
from dmi_infra.geo import Projection
from dmi_infra.health import Check, Watch
from dmi_infra.identity import Authenticator
from dmi_infra.lawfeed import LawFeed
from dmi_infra.recorder import Recorder
from dmi_infra.settings import Settings
from dmi_infra.telemetry import Metrics

BUS_AWAY: Final = "the bus cannot be reached, or could not store the last messages"


class Part(Protocol):
    """Something that runs beside the HTTP interface: a consumer, a relay, a timer."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End within five seconds, losing nothing."""
        ...


def load_rulebook(settings: Settings) -> Rulebook:
    """The rulebook from ``DMI_RULEBOOK_DIR``, or the one beside the agreements framework."""
    folder = settings.rulebook_dir
    if folder is None:
        folder = Path(dmi_agreements.__file__).resolve().parents[2] / "rulebook"
    return parse_rulebook({file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))})


@dataclass
class Runtime:
    """The shared machinery of one service, put together once by its composition root."""

    service: str
    settings: Settings
    bus: Bus
    publisher: Publisher
    law: LawFeed
    gate: Gate
    recorder: Recorder
    metrics: Metrics
    authenticate: Authenticator
    parts: list[Part] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.service)

    @property
    def rulebook(self) -> Rulebook:
        """The version of the rulebook that is current by the law as this process knows it."""
        return self.law.table.rulebook

    def start(self) -> None:
        """Start the law first: without it everything refuses."""
        self.law.start()
        self.recorder.start()
        for part in self.parts:
            part.start()

    def stop(self) -> None:
        """Stop in reverse order; the recorder goes last but the law, so that nothing decided is lost."""
        for part in reversed(self.parts):
            part.stop()
        self.recorder.stop()
        self.law.stop()
        self.publisher.close()

    def readiness(self) -> Mapping[str, str | None]:
        """The answer of each check; see ``dmi_infra.health``."""
        answers = {name: check() for name, check in self.checks.items()}
        self.watch.see(answers)
        return answers


def build_runtime(service: str, settings: Settings, bus: Bus) -> Runtime:
    """The machinery of ``service`` on ``bus``; nothing runs yet."""
    rulebook = load_rulebook(settings)
    publisher = bus.publisher(service)
    table = LawTable(rulebook, layers={settings.stack_participant})
    metrics = Metrics(service)
    recorder = Recorder(service, publisher, settings.data_dir / "records" / service)
    gate = Gate(service, settings.stack_participant, table, recorder.put, Projection(), metrics)
    runtime = Runtime(
        service,
        settings,
        bus,
        publisher,
        LawFeed(bus, service, table),
        gate,
        recorder,
        metrics,
        Authenticator(settings.issuer, table),
    )

    def law_check() -> str | None:
        stale = table.stale(clock.now())
        return stale.detail if stale else None

    runtime.checks["bus"] = lambda: None if bus.ready() else BUS_AWAY
    runtime.checks["law"] = law_check
    return runtime


def dump(value: object) -> str:
    """JSON text with sorted keys, for stores and hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
