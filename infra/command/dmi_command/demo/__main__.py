"""``python -m dmi_command.demo ACTION``: what ``dmi up`` and ``dmi up-two`` start beside a stack, small in memory."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmi_command.demo import neighbour, sensors
from dmi_command.errors import CommandFailed


def main() -> None:
    """Load the city or run its sensors."""
    parser = argparse.ArgumentParser(prog="dmi_command.demo")
    parser.add_argument("action", choices=["load", "run", "load-neighbour", "run-neighbour"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--speed", type=float, default=1.0)
    options = parser.parse_args()
    try:
        if options.action == "load-neighbour":
            neighbour.load(options.url, options.data_dir)
        elif options.action == "run-neighbour":
            neighbour.run(options.url, options.data_dir)
        elif options.action == "load":
            sensors.load(options.url, options.data_dir)
        else:
            sensors.run(options.url, options.data_dir, speed=options.speed)
    except CommandFailed as exc:
        print(f"demonstration: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
