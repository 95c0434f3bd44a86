"""Loading the demonstration city and running its sensors, as a command of its own: it needs no service's code."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dmi_agreements.contracts.observations import Micros
from dmi_command.demo import build_city
from dmi_command.demo.publish import DemoCity

SEED = 5


def load(url: str, data_dir: Path, seed: int = SEED, again: bool = False) -> Micros:
    """Load the city with a progress bar on standard error, unless that was done; up to which city time it is."""
    demo = DemoCity(build_city(seed), url, data_dir)
    if demo.loaded_until() and not again:
        return demo.loaded_until()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        demo.load(progress)
    return demo.loaded_until()


def run(url: str, data_dir: Path, seed: int = SEED, speed: float = 1.0) -> None:
    """Deliver what the sensors measure until SIGTERM or Ctrl-C."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    DemoCity(build_city(seed), url, data_dir).run(speed, stopping)
