"""Publishes numbers to the bus at argv[1] from several threads, and prints each after it was acknowledged."""

from __future__ import annotations

import sys
import threading

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import Message, open_bus

RAW = "dmi.observations.raw.v1"


def main() -> None:
    """Run until killed."""
    bus = open_bus(sys.argv[1])
    publisher = bus.publisher("ingest")
    line = threading.Lock()

    def work(name: str) -> None:
        for number in range(1_000_000):
            envelope = Envelope(f"{name}-{number}", "urn:dmi:test", "dmi.test", "2026-01-01T00:00:00Z")
            publisher.publish(RAW, [Message(name, b"%d" % number * 50, envelope)])
            with line:
                print(name, number, flush=True)

    for name in "abcd":
        threading.Thread(target=work, args=(name,)).start()


if __name__ == "__main__":
    main()
