"""Record types, worked out before threads use them.

msgspec works a type out when it is decoded for the first time, and hands out what is half done to a second thread that
decodes the same type meanwhile; reading it ends the process with a segmentation fault (seen with msgspec 0.22.0).
"""

from __future__ import annotations

import threading

import msgspec
import structlog

log = structlog.get_logger("infra")

_lock = threading.Lock()
_done: set[type[msgspec.Struct]] = set()


def work_out() -> None:
    """Work out every record type that has been defined by now; those of an earlier call are left."""
    with _lock:
        waiting: list[type[msgspec.Struct]] = list(msgspec.Struct.__subclasses__())
        while waiting:
            kind = waiting.pop()
            waiting += kind.__subclasses__()
            if kind not in _done:
                _done.add(kind)
                _work_out(kind)


def _work_out(kind: type[msgspec.Struct]) -> None:
    try:
        msgspec.json.Decoder(kind)
    except (TypeError, NameError) as exc:
        # It is only ever encoded: with its annotations it cannot be decoded at all.
        log.debug(
            "a record type cannot be decoded", kind=f"{kind.__module__}.{kind.__qualname__}", reason=str(exc)
        )
