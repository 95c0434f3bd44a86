"""The factor ``--speed``: how much city time the sensors deliver in a second of the clock."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_command.demo import build_city, publish
from dmi_command.demo.publish import DemoCity
from dmi_infra import clock

SECOND = 1_000_000
HOUR = 3600 * SECOND
REAL_SECONDS = 1.0


class Recorded(DemoCity):
    """A city whose deliveries are kept in place of sent."""

    def __init__(self, folder: Path) -> None:
        super().__init__(build_city(), "http://127.0.0.1:9", folder)
        self.times: list[Micros] = []

    def _send(self, batches: Iterable[ObservationBatch]) -> bool:
        for batch in batches:
            self.times += batch.phenomenon_time
        return True


def ran(folder: Path, speed: float, loaded: Micros) -> Recorded:
    """A city that was loaded until then and ran for a second."""
    (folder / "demonstration.json").write_bytes(msgspec.json.encode(publish.Progressed(loaded)))
    city = Recorded(folder)
    stopping = threading.Event()
    threading.Timer(REAL_SECONDS, stopping.set).start()
    city.run(speed, stopping)
    return city


def test_fast_a_second_holds_hours_and_begins_where_the_load_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "STEP_SECONDS", 0.1)
    loaded = clock.now()
    city = ran(tmp_path, 7200, loaded)
    passed = city.loaded_until() - loaded
    assert 0.4 * 7200 <= passed / SECOND / REAL_SECONDS <= 2.5 * 7200
    # Late sensors deliver what they measured up to some hours before.
    assert loaded - 6 * HOUR <= min(city.times)
    assert loaded + passed / 2 <= max(city.times) <= loaded + passed


def test_at_speed_one_the_city_keeps_to_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "STEP_SECONDS", 0.1)
    city = ran(tmp_path, 1, clock.now() - 10 * 60 * SECOND)
    assert abs(city.loaded_until() - clock.now()) < 5 * SECOND
    assert city.times
    assert max(city.times) <= clock.now()


def test_after_a_fast_run_the_city_comes_back_to_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "STEP_SECONDS", 0.1)
    city = ran(tmp_path, 1, clock.now() + 5 * HOUR)
    assert abs(city.loaded_until() - clock.now()) < 5 * SECOND
