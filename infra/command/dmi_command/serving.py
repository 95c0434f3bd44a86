"""``python -m dmi_command.serving <service>``: one service in a process, with no other code than it needs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dmi_command.blueprints import read_settings
from dmi_command.errors import CommandFailed
from dmi_command.holding import own_services
from dmi_command.stack import build_stack, check_port, server


@contextmanager
def until_told() -> Iterator[None]:
    """Until SIGTERM or Ctrl-C; both end in order, and leaving the block is not interrupted a second time."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def undisturbed() -> None:
    """From here on signals wait for nothing: what runs now is the end, and it takes seconds at most."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def serve_one(name: str) -> None:
    """Run one service on DMI_HOST and DMI_PORT until SIGTERM or Ctrl-C."""
    with until_told():
        settings = read_settings()
        check_port(settings.host, settings.port)
        with own_services(settings, [name]):
            server(build_stack([name], settings), settings.host, settings.port).run()


def main() -> None:
    """Serve; an expected failure is one clear line and its own exit code."""
    try:
        serve_one(sys.argv[1])
    except CommandFailed as exc:
        print(f"dmi: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
