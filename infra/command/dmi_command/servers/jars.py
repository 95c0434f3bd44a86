"""Jars by their coordinates: Maven copies those of a ``pom.xml`` into a folder, once."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Final

from dmi_command.servers.errors import ServerStartFailed
from dmi_command.servers.process import program, run, tail

MAVEN_REMEDY: Final = "install it (Debian: apt-get install maven), or copy the jars into the folder"


def fetch(what: str, pom: Path, libs: Path, last: str, timeout: float = 600.0) -> None:
    """Copy the jars that ``pom`` names into ``libs`` with Maven, unless one that matches ``last`` is there.

    Processes that ask at the same time fetch once: the others wait. ``what`` says in a failure what they are.
    """
    if any(libs.glob(last)):
        return
    pom, libs = pom.resolve(), libs.resolve()
    maven = program("mvn", "Apache Maven", MAVEN_REMEDY)
    libs.mkdir(parents=True, exist_ok=True)
    fresh = libs / "fetched"
    with (libs / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(libs.glob(last)):
            return
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
        run("Apache Maven", [*command, *options], libs / "fetch.log", timeout)
        if not any(fresh.glob(last)):
            raise ServerStartFailed(f"Maven brought no {what} into {libs}\n{tail(libs / 'fetch.log')}")
        # The named jar last: where it is seen, all the others are.
        for jar in sorted(fresh.iterdir(), key=lambda jar: jar.match(last)):
            jar.rename(libs / jar.name)
        fresh.rmdir()
