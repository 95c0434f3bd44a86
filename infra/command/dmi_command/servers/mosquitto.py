"""Eclipse Mosquitto: an MQTT broker in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dmi_command.servers.process import ServerProcess, free_port, listens, program

REMEDY: Final = "install it (Debian: apt-get install mosquitto)"


class MosquittoServer:
    """One broker on 127.0.0.1 without passwords, keeping messages and sessions in ``folder``."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self._process = ServerProcess("Mosquitto", self.folder / "mosquitto.log")

    @property
    def running(self) -> bool:
        """Whether the broker's process lives."""
        return self._process.running

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the broker and wait until it accepts clients."""
        mosquitto = program("mosquitto", "Mosquitto", REMEDY)
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            "log_dest stderr",
            # As root it would change to a user that may not write in the folder.
            "user root",
        ]
        settings.write_text("\n".join(lines) + "\n")
        self._process.start([mosquitto, "-c", str(settings)], lambda: listens(self.port))

    def stop(self) -> None:
        """End the broker in order; it writes its messages first."""
        self._process.stop()

    def kill(self) -> None:
        """End the broker at once."""
        self._process.kill()

    def restart(self) -> None:
        """Start again on the same port and data."""
        self.stop()
        self.start()
