"""Under which circumstances a figure was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def facts() -> dict[str, object]:
    """Cores, memory, Python, revision, date, and how busy the machine was when this was called."""
    memory = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line
    )
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "revision": _revision(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def _revision() -> str:
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and maximum in milliseconds; raises ``ValueError`` for no times at all."""
    if not seconds:
        raise ValueError("nothing was measured")
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        name: round(ordered[min(last, int(len(ordered) * part))] * 1000, 2)
        for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0))
    }


def resident(pid: int) -> dict[str, float]:
    """Resident memory in MB of a process and all below it, by what they are."""
    found: dict[str, float] = {}
    for each in below(pid):
        size = _field(Path(f"/proc/{each}"), "VmRSS")
        if size is not None:
            found[f"{each} {_command(each)}"] = round(size * 1024 / 1e6, 1)
    return found


def below(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _field(entry, "PPid")
            if parent is not None:
                parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def cpu_seconds(pid: int) -> dict[str, float]:
    """Processor time by program of a process and all below it: steadier than the clock on a shared machine."""
    spent: dict[str, float] = {}
    for each in below(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        name = _program(each)
        ticks = int(fields[11]) + int(fields[12])
        spent[name] = spent.get(name, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
    return spent


def _program(pid: int) -> str:
    """What a process is, in a word: the service or the server."""
    words = _command(pid).split()
    if "dmi_command.serving" in words:
        return words[-1]
    if "dmi_command.demo" in words:
        return "demonstration"
    return words[0].rstrip(":") if words else "ended"


def _field(entry: Path, name: str) -> int | None:
    """A number of a process; ``None`` when it ended meanwhile or has none (a kernel thread)."""
    try:
        text = (entry / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name}:")]
    return int(found[0]) if found else None


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return "ended"
    return " ".join(Path(word).name for word in words[:5] if word)
