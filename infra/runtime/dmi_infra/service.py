"""A service as a whole: its HTTP application and what runs beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from dmi_infra.runtime import Runtime
from dmi_infra.structs import work_out


@dataclass(frozen=True, slots=True)
class Service:
    """One of the five services, ready to be started alone or beside the others."""

    name: str
    app: FastAPI
    runtime: Runtime
    close: Callable[[], None]
    """Releases what the composition root opened: engines, files."""

    def start(self) -> None:
        """Start the law, the recorder and the parts."""
        work_out()
        self.runtime.start()

    def stop(self) -> None:
        """Stop everything within five seconds."""
        self.runtime.stop()
        self.close()
